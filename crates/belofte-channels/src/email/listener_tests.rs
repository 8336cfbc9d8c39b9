// SPDX-License-Identifier: EUPL-1.2
//! The listener over real sockets: time-outs, limits, TLS, shutdown, and `swaks` as a peer.

use std::process::Command;

use belofte_model::EmailAddress;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;

use super::*;
use crate::email::intake::MemoryIntake;
use crate::email::submission::{Outcome, Patience, Security, Submission, SubmissionServer};
use crate::email::{client_tls, test_tls};
use crate::outbound::{Outbound, Register};

/// A listener at work, with its house.
struct At {
    address: SocketAddr,
    house: MemoryIntake,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

fn settings(protocol: Protocol) -> ListenerSettings {
    let bind = "127.0.0.1:0".parse().expect("address");
    let mut settings = ListenerSettings::new(bind, SessionSettings::new(protocol, "mx.belofte.example"));
    // Tests come from loopback and want to meet the limits.
    settings.exempt = vec![];
    settings
}

async fn start(settings: ListenerSettings) -> At {
    let house = MemoryIntake::default();
    house.takes("info@shop.example", 1);
    house.takes("help@shop.example", 2);
    house.fails("full@shop.example", 3, ReceiveError::Full);
    house.paused("paused@shop.example");
    house.try_later("later@shop.example");
    let listener = Listener::bind(settings, Intake::Memory(house.clone())).await.expect("bound");
    let (tracker, shutdown) = (TaskTracker::new(), CancellationToken::new());
    let address = listener.local_addr().expect("address");
    tracker.spawn(listener.run(tracker.clone(), shutdown.clone()));
    tracker.close();
    At { address, house, tracker, shutdown }
}

impl At {
    async fn connect(&self) -> Client {
        let tcp = TcpStream::connect(self.address).await.expect("connected");
        Client { line: Line::Plain(tcp), heard: BytesMut::new() }
    }

    /// Tries until a connection is taken: the listener needs a moment to see that one has gone.
    async fn until_a_place_is_free(&self) {
        for _ in 0..100 {
            if self.connect().await.reply().await.starts_with("220") {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("the place of a client that left is not given back");
    }

    /// A client behind the greeting and EHLO.
    async fn greeted(&self) -> Client {
        self.greeted_from("127.0.0.1").await
    }

    /// As [`greeted`](Self::greeted), with this address of the loopback network.
    async fn greeted_from(&self, from: &str) -> Client {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::new(from.parse().expect("address"), 0)).expect("a loopback address");
        let tcp = socket.connect(self.address).await.expect("connected");
        let mut client = Client { line: Line::Plain(tcp), heard: BytesMut::new() };
        assert!(client.reply().await.starts_with("220 "));
        assert!(client.say("EHLO client.example").await.contains("PIPELINING"));
        client
    }
}

struct Client {
    line: Line,
    heard: BytesMut,
}

impl Client {
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.line.send(bytes.as_ref()).await.expect("sent");
    }

    /// A whole reply, or what came before the end of the line.
    async fn reply(&mut self) -> String {
        let wait = async {
            loop {
                let text = String::from_utf8_lossy(&self.heard).into_owned();
                let mut length = 0;
                for line in text.split_inclusive("\r\n") {
                    length += line.len();
                    if line.ends_with("\r\n") && line.as_bytes().get(3) == Some(&b' ') {
                        let reply = self.heard.split_to(length);
                        return String::from_utf8_lossy(&reply).into_owned();
                    }
                }
                if self.line.read(&mut self.heard).await.unwrap_or(0) == 0 {
                    return text;
                }
            }
        };
        timeout(Duration::from_secs(10), wait).await.expect("a reply in time")
    }

    async fn say(&mut self, words: &str) -> String {
        self.send(format!("{words}\r\n")).await;
        self.reply().await
    }

    async fn is_closed(&mut self) -> bool {
        let read = timeout(Duration::from_secs(10), self.line.read(&mut self.heard)).await;
        matches!(read, Ok(Ok(0) | Err(_)))
    }

    async fn mail(&mut self, to: &str) -> String {
        assert!(self.say("MAIL FROM:<a@b.example>").await.starts_with("250"));
        let reply = self.say(&format!("RCPT TO:<{to}>")).await;
        if !reply.starts_with("250") {
            return reply;
        }
        assert!(self.say("DATA").await.starts_with("354"));
        self.say("Subject: x\r\n\r\nhello\r\n.").await
    }
}

#[tokio::test]
async fn mail_comes_in_with_its_envelope() {
    let at = start(settings(Protocol::Smtp)).await;
    let mut client = at.greeted().await;
    assert_eq!(client.mail("Info+7@shop.example").await, "250 2.0.0 stored\r\n");
    let received = at.house.received();
    let envelope = &received[0].envelope;
    assert_eq!((received.len(), received[0].account), (1, 1));
    assert_eq!(&received[0].raw[..], b"Subject: x\r\n\r\nhello\r\n");
    assert_eq!(envelope.mail_from, EmailAddress::parse("a@b.example").ok());
    assert_eq!(envelope.rcpt.as_sent(), "Info+7@shop.example");
    assert_eq!((envelope.client_address, envelope.helo.as_str()), (at.address.ip(), "client.example"));
    assert_eq!(envelope.tls, None);
    assert!(client.mail("full@shop.example").await.starts_with("452 4.3.1"));
    assert!(client.say("RSET").await.starts_with("250"));
    assert!(client.mail("paused@shop.example").await.starts_with("450 4.2.1"));
    assert!(client.say("QUIT").await.starts_with("221"));
    assert!(client.is_closed().await);
    assert_eq!(at.house.received().len(), 1);
}

async fn secure(client: Client, certificate: CertificateDer<'static>) -> Client {
    let Line::Plain(tcp) = client.line else { panic!("secured already") };
    let name = ServerName::try_from("mx.belofte.example").expect("name");
    let connector = TlsConnector::from(client_tls(vec![certificate]).expect("root"));
    let tls = connector.connect(name, tcp).await.expect("handshake");
    Client { line: Line::Tls(Box::new(tls.into())), heard: BytesMut::new() }
}

#[tokio::test]
async fn mail_comes_in_under_tls() {
    let (config, certificate) = test_tls::server("mx.belofte.example");
    let at = start(ListenerSettings { tls: ListenerTls::StartTls(config), ..settings(Protocol::Smtp) }).await;
    let mut client = at.connect().await;
    client.reply().await;
    assert!(client.say("EHLO x").await.contains("STARTTLS"));
    assert!(client.say("STARTTLS").await.starts_with("220"));
    let mut client = secure(client, certificate).await;
    assert!(!client.say("EHLO x").await.contains("STARTTLS"));
    assert!(client.mail("info@shop.example").await.starts_with("250"));
    let tls = at.house.received()[0].envelope.tls.clone().expect("described");
    assert!(tls.starts_with("TLS 1.3 TLS13_"), "{tls}");
}

#[tokio::test]
async fn commands_injected_behind_starttls_do_nothing() {
    let (config, _) = test_tls::server("mx.belofte.example");
    let at = start(ListenerSettings { tls: ListenerTls::StartTls(config), ..settings(Protocol::Smtp) }).await;
    let mut client = at.greeted().await;
    client.send("STARTTLS\r\nEHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<info@shop.example>\r\n").await;
    assert!(client.reply().await.starts_with("554"));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn the_postmaster_of_the_host_gets_mail() {
    let nobody = start(settings(Protocol::Smtp)).await;
    assert!(nobody.greeted().await.mail("postmaster").await.starts_with("550"));
    let mut settings = settings(Protocol::Smtp);
    settings.session.postmaster = EmailAddress::parse("info@shop.example").ok();
    let at = start(settings).await;
    let mut client = at.greeted().await;
    for to in ["Postmaster", "postmaster@MX.belofte.example"] {
        assert!(client.mail(to).await.starts_with("250"), "{to}");
    }
    assert!(client.mail("postmaster@shop.example").await.starts_with("550"), "of this host only");
    assert_eq!(at.house.received().iter().map(|mail| mail.account).collect::<Vec<_>>(), [1, 1]);
    client.say("RSET").await;
    at.house.takes("postmaster@mx.belofte.example", 9);
    assert!(client.mail("Postmaster").await.starts_with("250"));
    assert_eq!(at.house.received()[2].account, 9, "an account of that name comes first");
}

#[tokio::test]
async fn silence_ends_a_session_in_both_states() {
    let mut settings = settings(Protocol::Smtp);
    settings.session.command_timeout = Duration::from_millis(300);
    settings.session.data_timeout = Duration::from_millis(600);
    let at = start(settings).await;
    let mut idle = at.greeted().await;
    assert!(idle.reply().await.starts_with("421 4.4.2"));
    let mut stuck = at.greeted().await;
    stuck.send("MAIL FROM:<>\r\nRCPT TO:<info@shop.example>\r\nDATA\r\n").await;
    for _ in 0..3 {
        stuck.reply().await;
    }
    stuck.send("half a message\r\n").await;
    assert!(stuck.reply().await.starts_with("421 4.4.2"));
    assert!(at.house.received().is_empty(), "half a message is none");
}

#[tokio::test]
async fn connections_are_limited_by_client_and_given_back() {
    let mut settings = settings(Protocol::Smtp);
    settings.max_connections_per_client = 2;
    let at = start(settings).await;
    let first = at.greeted().await;
    let _second = at.greeted().await;
    assert!(at.connect().await.reply().await.starts_with("421 4.7.0"));
    drop(first);
    at.until_a_place_is_free().await;
}

#[tokio::test]
async fn connections_are_limited_in_all_and_given_back() {
    let mut settings = settings(Protocol::Smtp);
    settings.max_connections = 1;
    settings.exempt = vec!["127.0.0.0/8".parse().expect("network")];
    let at = start(settings).await;
    let only = at.greeted().await;
    assert!(at.connect().await.reply().await.starts_with("421 4.7.0"), "also for the operator's own servers");
    drop(only);
    at.until_a_place_is_free().await;
}

#[tokio::test]
async fn connections_and_messages_are_limited_in_rate() {
    let rate = |burst| Some(Rate { burst, every: Duration::from_secs(3_600) });
    let connections =
        start(ListenerSettings { connections_per_client: rate(2), ..settings(Protocol::Smtp) }).await;
    let replies = [
        connections.connect().await.reply().await,
        connections.connect().await.reply().await,
        connections.connect().await.reply().await,
    ];
    assert_eq!(replies.map(|reply| reply[..3].to_owned()), ["220", "220", "421"]);

    let messages = start(ListenerSettings { messages_per_client: rate(1), ..settings(Protocol::Smtp) }).await;
    let mut client = messages.greeted().await;
    assert!(client.mail("info@shop.example").await.starts_with("250"));
    assert!(client.say("MAIL FROM:<a@b.example>").await.starts_with("450 4.7.1"));

    let accounts =
        start(ListenerSettings { messages_per_account: rate(1), ..settings(Protocol::Smtp) }).await;
    let mut client = accounts.greeted().await;
    assert!(client.mail("info@shop.example").await.starts_with("250"));
    assert!(client.mail("info@shop.example").await.starts_with("450 4.7.1"));
    client.say("RSET").await;
    assert!(client.mail("help@shop.example").await.starts_with("250"), "another account has its own limit");

    let mut own = ListenerSettings { connections_per_client: rate(1), ..settings(Protocol::Smtp) };
    own.exempt = vec!["127.0.0.0/8".parse().expect("network")];
    let own = start(own).await;
    own.greeted().await;
    own.greeted().await;
}

/// A stranger who names a mailbox again and again and never sends it anything costs it nothing, and
/// one who sends to it as fast as it may leaves room for the others.
#[tokio::test]
async fn a_stranger_cannot_close_a_mailbox() {
    let rate = |burst| Some(Rate { burst, every: Duration::from_secs(3_600) });
    let at = start(ListenerSettings { messages_per_account: rate(8), ..settings(Protocol::Smtp) }).await;
    let mut stranger = at.greeted().await;
    assert!(stranger.say("MAIL FROM:<a@b.example>").await.starts_with("250"));
    for _ in 0..50 {
        assert!(stranger.say("RCPT TO:<info@shop.example>").await.starts_with("250"));
    }
    assert!(stranger.say("RSET").await.starts_with("250"));
    for _ in 0..2 {
        assert!(stranger.mail("info@shop.example").await.starts_with("250"));
    }
    assert!(stranger.mail("info@shop.example").await.starts_with("450 4.7.1"), "its share is used up");
    let mut other = at.greeted_from("127.0.0.2").await;
    assert!(other.mail("info@shop.example").await.starts_with("250"), "room for the others");

    let mut twice = at.greeted_from("127.0.0.3").await;
    twice.say("MAIL FROM:<a@b.example>").await;
    for to in ["info@shop.example", "Info@shop.example", "help@shop.example"] {
        assert!(twice.say(&format!("RCPT TO:<{to}>")).await.starts_with("250"));
    }
    twice.say("DATA").await;
    assert!(twice.say("Subject: x\r\n\r\nhello\r\n.").await.starts_with("250"));
    assert!(twice.mail("info@shop.example").await.starts_with("250"), "one message was one, named twice");
    assert!(twice.mail("info@shop.example").await.starts_with("450 4.7.1"));
}

#[tokio::test]
async fn a_client_may_name_so_many_recipients() {
    let rate = Some(Rate { burst: 3, every: Duration::from_secs(3_600) });
    let at = start(ListenerSettings { recipients_per_client: rate, ..settings(Protocol::Smtp) }).await;
    let mut client = at.greeted().await;
    client.say("MAIL FROM:<a@b.example>").await;
    let mut replies = Vec::new();
    for to in ["no@shop.example", "none@shop.example", "info@shop.example", "help@shop.example"] {
        replies.push(client.say(&format!("RCPT TO:<{to}>")).await[..3].to_owned());
    }
    assert_eq!(replies, ["550", "550", "250", "450"]);
    let mut other = at.greeted_from("127.0.0.2").await;
    assert!(other.mail("info@shop.example").await.starts_with("250"), "another client has its own limit");
}

#[tokio::test]
async fn shutdown_ends_quiet_sessions_and_lets_a_message_finish() {
    let at = start(settings(Protocol::Smtp)).await;
    let mut quiet = at.greeted().await;
    let mut busy = at.greeted().await;
    busy.send("MAIL FROM:<a@b.example>\r\nRCPT TO:<info@shop.example>\r\nDATA\r\n").await;
    for _ in 0..3 {
        busy.reply().await;
    }
    at.shutdown.cancel();
    assert!(quiet.reply().await.starts_with("421 4.3.2"));
    assert!(busy.say("hello\r\n.").await.starts_with("250 2.0.0"));
    assert!(busy.reply().await.starts_with("421 4.3.2"));
    drop((quiet, busy));
    timeout(Duration::from_secs(5), at.tracker.wait()).await.expect("drained");
    assert_eq!(at.house.received().len(), 1);
    assert!(TcpStream::connect(at.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn messages_over_the_memory_budget_are_asked_to_come_back() {
    let at = start(ListenerSettings { memory: 128 * 1024, ..settings(Protocol::Smtp) }).await;
    let mut client = at.greeted().await;
    client.send("MAIL FROM:<>\r\nRCPT TO:<info@shop.example>\r\nDATA\r\n").await;
    for _ in 0..3 {
        client.reply().await;
    }
    client.send("0123456789\r\n".repeat(30_000)).await;
    assert!(client.say(".").await.starts_with("452 4.3.1"));
    assert!(client.mail("info@shop.example").await.starts_with("250"), "the memory is free again");
}

#[tokio::test]
async fn our_own_submission_speaks_to_our_own_listener() {
    let (config, certificate) = test_tls::server("127.0.0.1");
    let at = start(ListenerSettings { tls: ListenerTls::StartTls(config), ..settings(Protocol::Smtp) }).await;
    let outbound = Outbound::new(Register::default(), vec!["127.0.0.1".parse().expect("network")]);
    let roots = client_tls(vec![certificate]).expect("root");
    let client = Submission::new(outbound, roots, "desk.example", Patience::default());
    let (host, port) = (at.address.ip().to_string(), at.address.port());
    let server =
        SubmissionServer { host, recorded: true, port, security: Security::StartTls, credentials: None };
    let address = |text: &str| EmailAddress::parse(text).expect("address");
    let to = ["info@shop.example", "nobody@shop.example", "full@shop.example"].map(address);
    let outcomes =
        client.send(&server, &address("desk@shop.example"), &to, "7.a", b"Subject: x\n\n.\n..a\n").await;
    assert!(matches!(outcomes[..], [Outcome::Retry { .. }, Outcome::Failed { .. }, Outcome::Retry { .. }]));
    assert_eq!(
        &at.house.received()[0].raw[..],
        b"Subject: x\r\n\r\n.\r\n..a\r\n",
        "stored for the one that could"
    );
}

/// Runs `swaks` against `at`; `None` when it is not installed, which CI does not accept.
async fn swaks(at: &At, arguments: &[&str]) -> Option<(bool, String)> {
    let mut command = Command::new("swaks");
    command.args(["--server", "127.0.0.1", "--port", &at.address.port().to_string(), "--timeout", "10"]);
    command.args(["--from", "customer@home.example", "--helo", "home.example"]).args(arguments);
    let run = tokio::task::spawn_blocking(move || command.output()).await.expect("joined");
    match run {
        Ok(output) => Some((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "swaks is needed in CI: {error}");
            eprintln!("SKIPPED: swaks is not installed");
            None
        }
    }
}

#[tokio::test]
async fn swaks_delivers_over_smtp_starttls_and_lmtp() {
    let (config, _) = test_tls::server("mx.belofte.example");
    let at = start(ListenerSettings { tls: ListenerTls::StartTls(config), ..settings(Protocol::Smtp) }).await;
    for (arguments, good) in [
        (&["--to", "info@shop.example", "--pipeline"][..], true),
        (&["--to", "info+7@shop.example", "--tls"], true),
        (&["--to", "info@shop.example,help@shop.example"], true),
        (&["--to", "nobody@shop.example"], false),
        (&["--to", "paused@shop.example"], false),
        (&["--to", "full@shop.example"], false),
    ] {
        let Some((succeeded, said)) = swaks(&at, arguments).await else { return };
        assert_eq!(succeeded, good, "{arguments:?}: {said}");
    }
    let received = at.house.received();
    assert_eq!(received.iter().map(|mail| mail.account).collect::<Vec<_>>(), [1, 1, 1, 2]);
    assert!(
        received[1].envelope.tls.is_some() && received[1].envelope.rcpt.as_sent() == "info+7@shop.example"
    );
    assert!(received[0].raw.starts_with(b"Date: "));

    let lmtp = start(settings(Protocol::Lmtp)).await;
    let arguments = ["--protocol", "LMTP", "--to", "info@shop.example,full@shop.example"];
    let Some((_, said)) = swaks(&lmtp, &arguments).await else { return };
    assert!(said.contains("250 2.0.0 stored") && said.contains("452 4.3.1"), "{said}");
    assert_eq!(lmtp.house.received().len(), 1);
}
