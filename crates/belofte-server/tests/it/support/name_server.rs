// SPDX-License-Identifier: EUPL-1.2
//! A name server of the outside world (RFC 1035): what a test writes into its zone is what a domain publishes.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard};

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// The longest answer by datagram; longer ones are asked for over a stream.
const DATAGRAM: usize = 1232;

/// The server, as long as the test process lives. A name that was not written is not there.
#[derive(Clone, Debug)]
pub struct NameServer {
    /// Where it is asked.
    pub address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

#[derive(Debug, Default)]
struct Zone {
    records: HashMap<Name, Vec<RData>>,
    failing: Vec<Name>,
    asked: Vec<String>,
}

impl NameServer {
    /// Starts one with an empty zone.
    pub fn start() -> Self {
        let (datagrams, streams) = loop {
            let streams = TcpListener::bind("127.0.0.1:0").expect("a port");
            if let Ok(datagrams) = UdpSocket::bind(streams.local_addr().expect("bound")) {
                break (datagrams, streams);
            }
        };
        let server = Self { address: streams.local_addr().expect("bound"), zone: Arc::default() };
        let zone = Arc::clone(&server.zone);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = datagrams.recv_from(&mut buffer) {
                let reply = reply(&zone, &buffer[..length], DATAGRAM);
                datagrams.send_to(&reply, from).expect("our own network");
            }
        });
        let zone = Arc::clone(&server.zone);
        std::thread::spawn(move || {
            for mut stream in streams.incoming().flatten() {
                let mut length = [0; 2];
                if stream.read_exact(&mut length).is_err() {
                    continue;
                }
                let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut question).expect("a question");
                let reply = reply(&zone, &question, usize::from(u16::MAX));
                let length = u16::try_from(reply.len()).expect("fits");
                // Who asked may be gone.
                let _ = stream.write_all(&[&length.to_be_bytes()[..], &reply].concat());
            }
        });
        server
    }

    /// The lines of configuration that make a server ask this one.
    pub fn configuration(&self) -> String {
        format!("[dns]\nservers = [\"{}\"]\n", self.address)
    }

    fn zone(&self) -> MutexGuard<'_, Zone> {
        self.zone.lock().expect("no test panics here")
    }

    fn write(&self, name: &str, data: RData) -> &Self {
        self.zone().records.entry(owner(name)).or_default().push(data);
        self
    }

    /// Publishes a text, in pieces of 255 octets as they are written.
    pub fn text(&self, name: &str, text: &str) -> &Self {
        let pieces = text.as_bytes().chunks(255).map(|piece| String::from_utf8_lossy(piece).into_owned());
        self.write(name, RData::TXT(TXT::new(pieces.collect())))
    }

    /// Takes all that a name has away.
    pub fn withdraw(&self, name: &str) -> &Self {
        self.zone().records.remove(&owner(name));
        self
    }

    /// Publishes an address.
    pub fn address(&self, name: &str, address: &str) -> &Self {
        let data = match address.parse().expect("an address") {
            IpAddr::V4(address) => RData::A(A(address)),
            IpAddr::V6(address) => RData::AAAA(AAAA(address)),
        };
        self.write(name, data)
    }

    /// Nothing can be said of a name, as when its own servers are down.
    pub fn fails(&self, name: &str) -> &Self {
        self.zone().failing.push(owner(name));
        self
    }

    /// How often a name was asked for.
    pub fn asked(&self, name: &str) -> usize {
        let name = owner(name).to_ascii().to_lowercase();
        self.zone().asked.iter().filter(|asked| **asked == name).count()
    }
}

fn owner(name: &str) -> Name {
    let mut name = Name::from_ascii(name).expect("a name");
    name.set_fqdn(true);
    name
}

fn reply(zone: &Mutex<Zone>, octets: &[u8], longest: usize) -> Vec<u8> {
    let question = Message::from_vec(octets).expect("a question");
    let mut reply = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
    reply.add_queries(question.queries.iter().cloned());
    let asked = question.queries.first().expect("one question");
    let (name, kind): (Name, RecordType) = (asked.name().clone(), asked.query_type());
    let mut zone = zone.lock().expect("no test panics here");
    zone.asked.push(name.to_ascii().to_lowercase());
    if zone.failing.contains(&name) {
        reply.metadata.response_code = ResponseCode::ServFail;
    } else if let Some(records) = zone.records.get(&name) {
        let wanted = records.iter().filter(|data| data.record_type() == kind);
        reply.add_answers(wanted.map(|data| Record::from_rdata(name.clone(), 60, data.clone())));
    } else {
        reply.metadata.response_code = ResponseCode::NXDomain;
    }
    let whole = reply.to_vec().expect("a reply");
    if whole.len() <= longest {
        return whole;
    }
    reply.answers.clear();
    reply.metadata.truncation = true;
    reply.to_vec().expect("a reply")
}
