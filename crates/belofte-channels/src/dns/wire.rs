// SPDX-License-Identifier: EUPL-1.2
//! Questions and replies in octets (RFC 1035, section 4), and which of a reply's records answer the question.

use std::net::IpAddr;
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::{Answer, DATAGRAM, Entry, Kind};

/// What is known is kept for at least and at most so long, whatever the reply says.
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(3_600);
/// What is not there is kept for at most so long, and for so long when the reply does not say (RFC 2308).
const LONGEST_NONE: Duration = Duration::from_secs(900);
const NONE: Duration = Duration::from_secs(60);
/// So many records are looked at, and so many other names of a name are followed.
const RECORDS: usize = 200;
const ALIASES: usize = 8;

/// What a server replied.
#[derive(Debug, PartialEq)]
pub(super) enum Reply {
    /// This, for so long.
    Says(Answer, Duration),
    /// It does not fit into a datagram.
    Truncated,
    /// It answers, and does not know or makes no sense.
    Useless,
}

const fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::Text => RecordType::TXT,
        Kind::Address4 => RecordType::A,
        Kind::Address6 => RecordType::AAAA,
        Kind::MailServer => RecordType::MX,
        Kind::Pointer => RecordType::PTR,
    }
}

/// `name` as it stands in a message, whatever octets its labels have; empty is the root.
fn labels(name: &str) -> Option<Name> {
    let labels = name.split('.').filter(|label| !label.is_empty()).map(str::as_bytes);
    let mut name = Name::from_labels(labels).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// The octets of a question.
pub(super) fn question(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(labels(name)?, record_type(kind)));
    let mut edns = Edns::new();
    edns.set_max_payload(DATAGRAM);
    message.set_edns(edns);
    message.to_vec().ok()
}

/// What `octets` reply to the question; `None` when they are no reply to it.
pub(super) fn reply(octets: &[u8], id: u16, name: &str, kind: Kind) -> Option<Reply> {
    let head = octets.first_chunk::<12>()?;
    if head[..2] != id.to_be_bytes() || head[2] & 0x80 == 0 {
        return None;
    }
    // Who knows the number was asked: what cannot be read is its reply all the same.
    let Ok(message) = Message::from_vec(octets) else { return Some(Reply::Useless) };
    let name = labels(name)?;
    match message.queries.as_slice() {
        [query] if query.name() == &name && query.query_type() == record_type(kind) => {}
        // A server that cannot read the question need not repeat it.
        [] if message.metadata.response_code == ResponseCode::FormErr => return Some(Reply::Useless),
        _ => return None,
    }
    if message.metadata.truncation {
        return Some(Reply::Truncated);
    }
    Some(match message.metadata.response_code {
        ResponseCode::NoError => found(&message, name, kind),
        ResponseCode::NXDomain => Reply::Says(Answer::NoName, none_for(&message)),
        _ => Reply::Useless,
    })
}

fn found(message: &Message, name: Name, kind: Kind) -> Reply {
    let answers = || message.answers.iter().take(RECORDS);
    let mut names = vec![name];
    let mut shortest = u32::MAX;
    while names.len() <= ALIASES {
        let last = &names[names.len() - 1];
        let alias = answers().find_map(|record| match &record.data {
            RData::CNAME(target) if &record.name == last => Some((target.0.clone(), record.ttl)),
            _ => None,
        });
        match alias {
            Some((target, ttl)) if !names.contains(&target) => {
                shortest = shortest.min(ttl);
                names.push(target);
            }
            _ => break,
        }
    }
    let owned = |record: &&Record| names.contains(&record.name);
    let mut found: Vec<(u16, Entry)> = Vec::new();
    for record in answers().filter(owned) {
        let Some(entry) = entry(&record.data, kind) else { continue };
        shortest = shortest.min(record.ttl);
        found.push(entry);
    }
    if found.is_empty() {
        return Reply::Says(Answer::NoEntries, none_for(message));
    }
    // Stable: of the same preference, in the order of the reply.
    found.sort_by_key(|(preference, _)| *preference);
    let entries = found.into_iter().map(|(_, entry)| entry).collect();
    let keep = Duration::from_secs(shortest.into()).clamp(SHORTEST, LONGEST);
    Reply::Says(Answer::Entries(entries), keep)
}

fn entry(data: &RData, kind: Kind) -> Option<(u16, Entry)> {
    let plain = |name: &Name| {
        let mut text = name.to_ascii().to_ascii_lowercase();
        if text.ends_with('.') {
            text.pop();
        }
        Entry::Name(text)
    };
    match (data, kind) {
        (RData::TXT(text), Kind::Text) => Some((0, Entry::Text(text.txt_data.concat()))),
        (RData::A(address), Kind::Address4) => Some((0, Entry::Address(IpAddr::V4(address.0)))),
        (RData::AAAA(address), Kind::Address6) => Some((0, Entry::Address(IpAddr::V6(address.0)))),
        (RData::MX(server), Kind::MailServer) => Some((server.preference, plain(&server.exchange))),
        (RData::PTR(pointer), Kind::Pointer) => Some((0, plain(&pointer.0))),
        _ => None,
    }
}

/// How long nothing is nothing, as the zone says.
fn none_for(message: &Message) -> Duration {
    let said = message.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(zone) => Some(Duration::from_secs(record.ttl.min(zone.minimum).into())),
        _ => None,
    });
    said.unwrap_or(NONE).clamp(SHORTEST, LONGEST_NONE)
}
