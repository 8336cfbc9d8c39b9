// SPDX-License-Identifier: EUPL-1.2
//! The domain name system: asks name servers what they know of a name (RFC 1035), and remembers it as long as they
//! say, within bounds.
//!
//! Names come from strangers, and so do the answers. A question waits no longer than its caller says, an answer
//! is believed only from the server that was asked and to the question that was put, and no answer costs more
//! than its octets. Servers that do not answer are left alone for a while: whoever asks meanwhile is told at once
//! that it cannot be known now.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use belofte_vault::Random;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout, timeout_at};

use crate::outbound::Outbound;
use crate::patience::moment;

mod cache;
mod wire;

use cache::Cache;
use wire::Reply;

/// Where the system keeps the addresses of its name servers (resolv.conf(5)).
const SYSTEM: &str = "/etc/resolv.conf";
/// The port of name servers.
const PORT: u16 = 53;
/// So many of the system's servers are asked, as its own resolver does.
const SERVERS: usize = 3;
/// One server may take so long before the next one is asked.
const TRY: Duration = Duration::from_secs(1);
/// A server that is there answers for the root of all names within this time, from memory.
const PROBE: Duration = Duration::from_millis(500);
/// Servers that do not answer are left alone for so long.
const SILENCE: Duration = Duration::from_secs(60);
/// Servers that answered so short a time ago are there: it is the name that nobody answers for.
const SURE: Duration = Duration::from_secs(5);
/// A name that nobody answered for is not asked for again within this time.
const FAILED: Duration = Duration::from_secs(30);
/// The longest answer by datagram (RFC 9715, section 3.1), and what may come at all.
const DATAGRAM: u16 = 1232;
const BUFFER: usize = 4096;
/// So many datagrams that are no answer to the question are read past.
const STRAYS: usize = 32;

/// What is asked of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Its texts.
    Text,
    /// Its IPv4 addresses.
    Address4,
    /// Its IPv6 addresses.
    Address6,
    /// The servers that take its mail.
    MailServer,
    /// The names of an address that is written as a name.
    Pointer,
}

/// What a name has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A text, its pieces put together.
    Text(Vec<u8>),
    /// An address.
    Address(IpAddr),
    /// Another name, in lower case and without a dot at its end.
    Name(String),
}

/// What is known of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has these; mail servers the preferred ones first.
    Entries(Arc<[Entry]>),
    /// It is there, and has none.
    NoEntries,
    /// It is not there.
    NoName,
    /// It cannot be known now.
    Failed,
}

/// The one who asks. Cheap to clone; clones share what they know.
#[derive(Clone, Debug)]
pub struct Dns {
    source: Source,
}

/// Closed: the real one, and its double.
#[derive(Clone, Debug)]
enum Source {
    Servers(Arc<Asking>),
    /// A fixed table. A name that is not in it is not there.
    Fixed(Arc<HashMap<(String, Kind), Answer>>),
}

struct Asking {
    outbound: Outbound,
    random: Random,
    /// The servers of the configuration; the system's when there are none.
    configured: Vec<SocketAddr>,
    standing: Mutex<Standing>,
    /// Held by who finds out whether the servers answer; others wait for what they find.
    looking: tokio::sync::Mutex<()>,
    cache: Mutex<Cache>,
}

impl std::fmt::Debug for Asking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asking(..)")
    }
}

struct Standing {
    servers: Vec<SocketAddr>,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Unknown,
    Answers { seen: Instant },
    Silent { until: Instant },
}

impl Dns {
    /// Asks `servers` in their order, or when there are none those of the system.
    #[must_use]
    pub fn new(outbound: Outbound, random: Random, servers: Vec<SocketAddr>) -> Self {
        let standing = Mutex::new(Standing { servers: Vec::new(), state: State::Unknown });
        let (looking, cache) = (tokio::sync::Mutex::default(), Mutex::default());
        let asking = Asking { outbound, random, configured: servers, standing, looking, cache };
        Self { source: Source::Servers(Arc::new(asking)) }
    }

    /// Knows what stands in `table`, by names in lower case without a dot at their end: the double for tests.
    #[must_use]
    pub fn fixed(table: HashMap<(String, Kind), Answer>) -> Self {
        Self { source: Source::Fixed(Arc::new(table)) }
    }

    /// The servers that are asked, for who wants to know whom the domains of correspondents are told to.
    #[must_use]
    pub fn servers(&self) -> Vec<SocketAddr> {
        match &self.source {
            Source::Servers(asking) => name_servers(&asking.configured),
            Source::Fixed(_) => Vec::new(),
        }
    }

    /// The same without what is remembered here: for who waits for a change.
    pub async fn ask_anew(&self, name: &str, kind: Kind, until: Instant) -> Answer {
        if let (Source::Servers(asking), Some(name)) = (&self.source, normal(name)) {
            asking.cache().forget(&name, kind);
        }
        self.ask(name, kind, until).await
    }

    /// What is known of `name`; waits for it until `until`.
    pub async fn ask(&self, name: &str, kind: Kind, until: Instant) -> Answer {
        // What cannot be a name (RFC 1035, section 2.3.4) is the name of nothing.
        let Some(name) = normal(name) else { return Answer::NoName };
        match &self.source {
            Source::Servers(asking) => asking.ask(name, kind, until).await,
            Source::Fixed(table) => table.get(&(name, kind)).cloned().unwrap_or(Answer::NoName),
        }
    }
}

/// A name in lower case without a dot at its end; `None` when it cannot be one.
fn normal(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let fits = name.len() <= 253 && name.is_ascii();
    (fits && name.split('.').all(|label| (1..=63).contains(&label.len()))).then(|| name.to_ascii_lowercase())
}

impl Asking {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, name: String, kind: Kind, until: Instant) -> Answer {
        if let Some(answer) = self.cache().get(&name, kind, moment()) {
            return answer;
        }
        let began = moment();
        if began >= until || !self.answering().await {
            return Answer::Failed;
        }
        let (answer, keep) = match timeout_at(until, self.of_all(&name, kind)).await {
            Ok(Some(known)) => known,
            Ok(None) => {
                self.doubt().await;
                (Answer::Failed, FAILED)
            }
            Err(_) => {
                self.doubt().await;
                // Its caller had no time left: that says nothing about the name, and others may have more.
                if moment() < began + TRY {
                    return Answer::Failed;
                }
                (Answer::Failed, FAILED)
            }
        };
        metrics::counter!("belofte_name_lookups_total", "outcome" => outcome(&answer)).increment(1);
        self.cache().put(name, kind, answer.clone(), moment(), keep);
        answer
    }

    /// What the first server that knows says, and for how long; `None` when none answers.
    async fn of_all(&self, name: &str, kind: Kind) -> Option<(Answer, Duration)> {
        let servers = self.standing().servers.clone();
        // A datagram may get lost on the way.
        for _ in 0..2 {
            let mut answered = false;
            for server in &servers {
                match timeout(TRY, self.of_one(*server, name, kind)).await {
                    Ok(Some(Reply::Says(answer, keep))) => return Some((answer, keep)),
                    Ok(Some(Reply::Truncated | Reply::Useless)) => answered = true,
                    Ok(None) | Err(_) => {}
                }
            }
            if answered {
                return Some((Answer::Failed, FAILED));
            }
        }
        None
    }

    /// What `server` replies; `None` when it is not there.
    async fn of_one(&self, server: SocketAddr, name: &str, kind: Kind) -> Option<Reply> {
        let id = u16::from_be_bytes(self.random.bytes());
        let question = wire::question(id, name, kind)?;
        let socket = self.outbound.to_name_server(server).await.ok()?;
        socket.send(&question).await.ok()?;
        let mut buffer = vec![0; BUFFER];
        for _ in 0..STRAYS {
            let length = socket.recv(&mut buffer).await.ok()?;
            match wire::reply(&buffer[..length], id, name, kind) {
                Some(Reply::Truncated) => {
                    let whole = self.by_stream(server, &question, id, name, kind).await;
                    return Some(whole.unwrap_or(Reply::Useless));
                }
                Some(reply) => return Some(reply),
                None => {}
            }
        }
        Some(Reply::Useless)
    }

    /// The same over TCP (RFC 7766), for answers that do not fit into a datagram.
    async fn by_stream(
        &self,
        server: SocketAddr,
        question: &[u8],
        id: u16,
        name: &str,
        kind: Kind,
    ) -> Option<Reply> {
        let mut stream = self.outbound.stream_to_name_server(server, TRY).await.ok()?;
        let length = u16::try_from(question.len()).ok()?;
        stream.write_all(&[&length.to_be_bytes(), question].concat()).await.ok()?;
        let length = stream.read_u16().await.ok()?;
        let mut buffer = vec![0; usize::from(length)];
        stream.read_exact(&mut buffer).await.ok()?;
        wire::reply(&buffer, id, name, kind)
    }

    /// Whether servers answer, as far as known; finds out when it is not.
    async fn answering(&self) -> bool {
        match self.known() {
            Some(answers) => answers,
            None => {
                let _one = self.looking.lock().await;
                match self.known() {
                    Some(answers) => answers,
                    None => self.look().await,
                }
            }
        }
    }

    fn known(&self) -> Option<bool> {
        match self.standing().state {
            State::Answers { .. } => Some(true),
            State::Silent { until } => (moment() < until).then_some(false),
            State::Unknown => None,
        }
    }

    /// A question was not answered: is it the name, or are the servers gone?
    async fn doubt(&self) {
        let sure = |state: State| match state {
            State::Answers { seen } => moment() < seen + SURE,
            State::Silent { until } => moment() < until,
            State::Unknown => false,
        };
        if sure(self.standing().state) {
            return;
        }
        let _one = self.looking.lock().await;
        let state = self.standing().state;
        if !sure(state) {
            self.look().await;
        }
    }

    /// Asks all servers for what each of them knows.
    async fn look(&self) -> bool {
        // Again each time: the system's may have changed.
        let servers = name_servers(&self.configured);
        let mut answers = false;
        for server in &servers {
            // Whatever it says: it is there.
            answers = matches!(timeout(PROBE, self.of_one(*server, "", Kind::Text)).await, Ok(Some(_)));
            if answers {
                break;
            }
        }
        let now = moment();
        let mut standing = self.standing();
        let before = std::mem::replace(
            &mut standing.state,
            if answers { State::Answers { seen: now } } else { State::Silent { until: now + SILENCE } },
        );
        standing.servers = servers;
        drop(standing);
        match (before, answers) {
            (State::Unknown | State::Answers { .. }, false) => {
                tracing::warn!("no name server answers; who sent a mail is not checked meanwhile");
            }
            (State::Silent { .. }, true) => tracing::info!("name servers answer again"),
            (State::Silent { .. }, false) | (State::Unknown | State::Answers { .. }, true) => {}
        }
        answers
    }
}

/// Who is asked when the configuration names `configured`: those, or without any those of the system.
#[must_use]
pub fn name_servers(configured: &[SocketAddr]) -> Vec<SocketAddr> {
    if configured.is_empty() {
        std::fs::read_to_string(SYSTEM).map_or_else(|_| Vec::new(), |text| system_servers(&text))
    } else {
        configured.to_vec()
    }
}

const fn outcome(answer: &Answer) -> &'static str {
    match answer {
        Answer::Entries(_) => "found",
        Answer::NoEntries | Answer::NoName => "none",
        Answer::Failed => "failed",
    }
}

/// The servers of a resolv.conf(5). Addresses with the name of an interface are left out.
fn system_servers(text: &str) -> Vec<SocketAddr> {
    text.lines()
        .filter_map(|line| line.trim_start().strip_prefix("nameserver"))
        .filter_map(|rest| rest.split_whitespace().next()?.parse::<IpAddr>().ok())
        .map(|address| SocketAddr::new(address, PORT))
        .take(SERVERS)
        .collect()
}

/// The name under which the names of `address` stand (RFC 1035, section 3.5; RFC 3596, section 2.5).
#[must_use]
pub fn reverse(address: IpAddr) -> String {
    let v4 = |address: Ipv4Addr| {
        let [a, b, c, d] = address.octets();
        format!("{d}.{c}.{b}.{a}.in-addr.arpa")
    };
    let v6 = |address: Ipv6Addr| {
        let nibbles = address.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
        nibbles.map(|nibble| format!("{nibble:x}.")).collect::<String>() + "ip6.arpa"
    };
    match address.to_canonical() {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

/// A name server as the configuration names it: an address, with a port when it is not 53.
///
/// # Errors
/// The text is neither.
pub fn parse_server(text: &str) -> Result<SocketAddr, std::net::AddrParseError> {
    text.parse::<IpAddr>().map(|address| SocketAddr::new(address, PORT)).or_else(|_| text.parse())
}

#[cfg(test)]
mod tests;
