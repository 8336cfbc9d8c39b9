// SPDX-License-Identifier: EUPL-1.2
//! Against name servers on the loopback that answer, keep silent and lie.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{CNAME, MX, SOA, TXT};
use hickory_proto::rr::{Name, RData, Record};

use super::*;
use crate::outbound::Register;

type Script = fn(&str, bool, &Message) -> Vec<Message>;

/// A server that says what its script makes of a name: over a datagram, or over a stream when the flag is set.
/// Nothing is silence.
struct Peer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    fn start(script: Script) -> Self {
        let (datagrams, streams) = loop {
            let streams = TcpListener::bind("127.0.0.1:0").expect("a port");
            if let Ok(datagrams) = UdpSocket::bind(streams.local_addr().expect("bound")) {
                break (datagrams, streams);
            }
        };
        let peer = Self { address: datagrams.local_addr().expect("bound"), asked: Arc::default() };
        let asked = Arc::clone(&peer.asked);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = datagrams.recv_from(&mut buffer) {
                for reply in replies(script, &asked, false, &buffer[..length]) {
                    let _ = datagrams.send_to(&reply, from);
                }
            }
        });
        let asked = Arc::clone(&peer.asked);
        std::thread::spawn(move || {
            for mut stream in streams.incoming().flatten() {
                let mut length = [0; 2];
                if stream.read_exact(&mut length).is_err() {
                    continue;
                }
                let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                let _ = stream.read_exact(&mut question);
                for reply in replies(script, &asked, true, &question) {
                    let length = u16::try_from(reply.len()).expect("short");
                    let _ = stream.write_all(&[&length.to_be_bytes()[..], &reply].concat());
                }
            }
        });
        peer
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panics").clone()
    }
}

fn replies(script: Script, asked: &Mutex<Vec<String>>, stream: bool, octets: &[u8]) -> Vec<Vec<u8>> {
    let question = Message::from_vec(octets).expect("a question");
    let name = question.queries[0].name().to_ascii();
    asked.lock().expect("nobody panics").push(name.clone());
    script(&name, stream, &question).iter().map(|reply| reply.to_vec().expect("a reply")).collect()
}

fn reply_to(question: &Message) -> Message {
    let mut reply = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
    reply.add_query(question.queries[0].clone());
    reply
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}

fn text(question: &Message, ttl: u32, text: &str) -> Message {
    let mut reply = reply_to(question);
    let owner = question.queries[0].name().clone();
    reply.add_answer(Record::from_rdata(owner, ttl, RData::TXT(TXT::new(vec![text.to_owned()]))));
    reply
}

fn failing(question: &Message, code: ResponseCode) -> Message {
    let mut reply = reply_to(question);
    reply.metadata.response_code = code;
    reply
}

fn dns(servers: &[SocketAddr]) -> Dns {
    Dns::new(Outbound::new(Register::default(), Vec::new()), Random::seeded(7), servers.to_vec())
}

fn soon() -> Instant {
    moment() + Duration::from_secs(3)
}

fn texts(texts: &[&str]) -> Answer {
    Answer::Entries(texts.iter().map(|text| Entry::Text(text.as_bytes().to_vec())).collect())
}

/// What most of the tests ask.
fn zone(asked: &str, stream: bool, question: &Message) -> Vec<Message> {
    let mut long = reply_to(question);
    let owner = question.queries[0].name().clone();
    vec![match asked {
        "plain.example." => text(question, 300, "v=spf1 -all"),
        "long.example." if stream => text(question, 300, &"x".repeat(250)),
        "long.example." => {
            long.metadata.truncation = true;
            long
        }
        "alias.example." => {
            long.add_answer(Record::from_rdata(owner, 9, RData::CNAME(CNAME(name("other.example.")))));
            let found = RData::TXT(TXT::new(vec!["through ".to_owned(), "an alias".to_owned()]));
            long.add_answer(Record::from_rdata(name("other.example."), 300, found));
            let stranger = RData::TXT(TXT::new(vec!["not asked for".to_owned()]));
            long.add_answer(Record::from_rdata(name("stranger.example."), 300, stranger));
            long
        }
        "circle.example." => {
            long.add_answer(Record::from_rdata(owner, 9, RData::CNAME(CNAME(name("circle.example.")))));
            long
        }
        "mail.example." => {
            for (preference, server) in [(20, "b.mail.example."), (10, "A.Mail.example.")] {
                let server = RData::MX(MX::new(preference, name(server)));
                long.add_answer(Record::from_rdata(owner.clone(), 300, server));
            }
            long
        }
        "empty.example." => {
            let zone = SOA::new(name("ns.example."), name("who.example."), 1, 1, 1, 1, 30);
            long.add_authority(Record::from_rdata(name("example."), 300, RData::SOA(zone)));
            long
        }
        "ill.example." => failing(question, ResponseCode::ServFail),
        "closed.example." => failing(question, ResponseCode::Refused),
        "slow.example." => return Vec::new(),
        _ => failing(question, ResponseCode::NXDomain),
    }]
}

#[tokio::test]
async fn what_a_name_has_is_told_and_remembered() {
    let peer = Peer::start(zone);
    let dns = dns(&[peer.address]);
    for _ in 0..3 {
        assert_eq!(dns.ask("Plain.Example.", Kind::Text, soon()).await, texts(&["v=spf1 -all"]));
    }
    assert_eq!(peer.asked(), [".", "plain.example."], "whether it is there, and the name once");
    assert_eq!(
        dns.ask("mail.example", Kind::MailServer, soon()).await,
        Answer::Entries(["a.mail.example", "b.mail.example"].map(|name| Entry::Name(name.to_owned())).into())
    );
    assert_eq!(dns.ask("long.example", Kind::Text, soon()).await, texts(&[&"x".repeat(250)]));
    assert_eq!(dns.ask("alias.example", Kind::Text, soon()).await, texts(&["through an alias"]));
}

#[tokio::test]
async fn what_is_not_there_differs_from_what_cannot_be_known() {
    let peer = Peer::start(zone);
    let dns = dns(&[peer.address]);
    for (name, answer) in [
        ("nobody.example", Answer::NoName),
        ("empty.example", Answer::NoEntries),
        ("circle.example", Answer::NoEntries),
        ("ill.example", Answer::Failed),
        ("closed.example", Answer::Failed),
    ] {
        for _ in 0..2 {
            assert_eq!(dns.ask(name, Kind::Text, soon()).await, answer, "{name}");
        }
    }
    let times = |name: &str| peer.asked().iter().filter(|asked| asked.as_str() == name).count();
    assert_eq!(times("nobody.example."), 1);
    assert_eq!(times("ill.example."), 1, "what failed is not asked for again at once");
    let before = peer.asked().len();
    for name in ["", ".", "a..example", &"a".repeat(64), &"a.".repeat(130), "käse.example", "a.example.."] {
        assert_eq!(dns.ask(name, Kind::Text, soon()).await, Answer::NoName, "{name}");
    }
    assert_eq!(peer.asked().len(), before, "what cannot be a name is not asked for");
}

#[tokio::test]
async fn servers_that_keep_silent_delay_the_first_question_only() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let dns = dns(&[silent.local_addr().expect("bound")]);
    let began = moment();
    assert_eq!(dns.ask("a.example", Kind::Text, soon()).await, Answer::Failed);
    assert!(moment() - began < Duration::from_millis(900), "{:?}", moment() - began);
    let began = moment();
    for no in 0..200 {
        assert_eq!(dns.ask(&format!("{no}.example"), Kind::Text, soon()).await, Answer::Failed);
    }
    assert!(moment() - began < Duration::from_millis(100), "{:?}", moment() - began);
}

#[tokio::test]
async fn no_server_at_all_costs_nothing() {
    let closed = {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.local_addr().expect("bound")
    };
    let dns = dns(&[closed]);
    let began = moment();
    assert_eq!(dns.ask("a.example", Kind::Text, soon()).await, Answer::Failed);
    assert!(moment() - began < Duration::from_millis(100), "{:?}", moment() - began);
}

#[tokio::test]
async fn a_silent_server_is_passed_over_for_one_that_answers() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let peer = Peer::start(zone);
    let dns = dns(&[silent.local_addr().expect("bound"), peer.address]);
    assert_eq!(dns.ask("plain.example", Kind::Text, soon()).await, texts(&["v=spf1 -all"]));
}

#[tokio::test]
async fn a_name_that_nobody_answers_for_silences_no_other() {
    let peer = Peer::start(zone);
    let dns = dns(&[peer.address]);
    let until = moment() + Duration::from_millis(1_200);
    assert_eq!(dns.ask("slow.example", Kind::Text, until).await, Answer::Failed);
    assert_eq!(dns.ask("plain.example", Kind::Text, soon()).await, texts(&["v=spf1 -all"]));
    let began = moment();
    assert_eq!(dns.ask("slow.example", Kind::Text, soon()).await, Answer::Failed);
    assert!(moment() - began < Duration::from_millis(100), "it is not waited for again");
    // Who has no time left learns nothing, and spoils nothing for others.
    assert_eq!(dns.ask("mail.example", Kind::MailServer, moment()).await, Answer::Failed);
    assert!(matches!(dns.ask("mail.example", Kind::MailServer, soon()).await, Answer::Entries(_)));
}

#[tokio::test]
async fn only_the_reply_to_the_question_is_believed() {
    fn lies(asked: &str, _: bool, question: &Message) -> Vec<Message> {
        if asked != "bank.example." {
            return vec![reply_to(question)];
        }
        let lie = |change: fn(&mut Message)| {
            let mut reply = text(question, 300, "a lie");
            change(&mut reply);
            reply
        };
        vec![
            lie(|reply| reply.metadata.id ^= 1),
            lie(|reply| reply.metadata.message_type = MessageType::Query),
            lie(|reply| reply.queries.clear()),
            lie(|reply| {
                reply.queries[0].set_name(name("evil.example."));
            }),
            text(question, 300, "the truth"),
        ]
    }
    let peer = Peer::start(lies);
    assert_eq!(dns(&[peer.address]).ask("bank.example", Kind::Text, soon()).await, texts(&["the truth"]));
}

#[tokio::test]
async fn octets_that_make_no_sense_end_the_question() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("bound");
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((_, from)) = socket.recv_from(&mut buffer) {
            // The number and the mark of a reply, and then records that are not there.
            let mut reply = buffer[..12].to_vec();
            reply[2] |= 0x80;
            reply[6..12].fill(0xff);
            reply.extend_from_slice(&[0xc0, 0x0c, 0xc0, 0x0c]);
            let _ = socket.send_to(&reply, from);
        }
    });
    let dns = dns(&[address]);
    let began = moment();
    assert_eq!(dns.ask("a.example", Kind::Text, soon()).await, Answer::Failed);
    assert!(moment() - began < Duration::from_millis(500));
}

#[test]
fn replies_of_any_octets_are_read_without_a_panic() {
    let mut octets = wire::question(7, "a.example", Kind::Text).expect("a question");
    octets[2] |= 0x80;
    for at in 0..octets.len() {
        for value in [0, 1, 0x3f, 0x40, 0x80, 0xc0, 0xff] {
            let mut changed = octets.clone();
            changed[at] = value;
            let _ = wire::reply(&changed, 7, "a.example", Kind::Text);
            let _ = wire::reply(&changed[..at], 7, "a.example", Kind::Text);
        }
    }
}

#[test]
fn addresses_of_servers_and_names_of_addresses() {
    let text = "# made\nsearch lan\nnameserver 192.0.2.53\n nameserver 2001:db8::53 # ours\nnameserver fe80::1%eth0\n\
                nameserver 192.0.2.54\nnameserver 192.0.2.55\n";
    let servers: Vec<_> = system_servers(text).iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["192.0.2.53:53", "[2001:db8::53]:53", "192.0.2.54:53"]);
    for (text, server) in [("192.0.2.53", "192.0.2.53:53"), ("::1", "[::1]:53"), ("[::1]:5353", "[::1]:5353")]
    {
        assert_eq!(parse_server(text).expect("an address").to_string(), server);
    }
    assert!(parse_server("ns.example").is_err());
    assert_eq!(reverse("192.0.2.53".parse().expect("an address")), "53.2.0.192.in-addr.arpa");
    assert_eq!(
        reverse("2001:db8::b".parse().expect("an address")),
        "b.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    );
}
