// SPDX-License-Identifier: EUPL-1.2
//! Whether a server may send for a domain (RFC 7208). Records are read by `mail-auth`; what they say is weighed here,
//! within the bounds of section 4.6.4 and with names asked for by the one who asks them for all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use belofte_model::SpfResult;
use futures_util::future::BoxFuture;
use mail_auth::common::parse::TxtRecordParser as _;
use mail_auth::spf::{Directive, Macro, Mechanism, Qualifier, Spf, Variables};
use tokio::time::Instant;

use crate::dns::{Answer, Dns, Entry, Kind, reverse};

/// So many terms of a record and of those that it names may ask for names.
const TERMS: u32 = 10;
/// So many of the names that they ask for may have nothing.
const VOID: u32 = 2;
/// So many mail servers of a name, and names of an address, are looked at.
const HOSTS: usize = 10;

/// Who sends, and for whom.
pub(super) struct Sender<'a> {
    /// The server that connected.
    pub(super) client: IpAddr,
    /// What it calls itself.
    pub(super) helo: &'a str,
    /// The address that it sends for: the reverse path, or `postmaster@` its own name.
    pub(super) address: &'a str,
    /// The domain of that address.
    pub(super) domain: &'a str,
}

/// Why a record gives no answer.
enum Broken {
    Temporary,
    Permanent,
}

/// What the domain of `sender` says of its server; names are waited for until `until`.
pub(super) async fn check(dns: &Dns, sender: &Sender<'_>, until: Instant) -> SpfResult {
    // A name of one label, or an address in brackets, has no record (section 4.3).
    if !sender.domain.contains('.') || sender.domain.starts_with('[') {
        return SpfResult::None;
    }
    let mut weighing = Weighing { dns, sender, until, terms: 0, void: 0 };
    match weighing.host(sender.domain.to_owned()).await {
        Ok(result) => result,
        Err(Broken::Temporary) => SpfResult::TemporaryError,
        Err(Broken::Permanent) => SpfResult::PermanentError,
    }
}

struct Weighing<'a> {
    dns: &'a Dns,
    sender: &'a Sender<'a>,
    until: Instant,
    terms: u32,
    void: u32,
}

impl Weighing<'_> {
    /// The function `check_host()` of section 4. Boxed, as it calls itself.
    fn host(&mut self, domain: String) -> BoxFuture<'_, Result<SpfResult, Broken>> {
        Box::pin(async move {
            let Some(record) = self.record(&domain).await? else { return Ok(SpfResult::None) };
            for directive in &record.directives {
                if self.matches(directive, &domain).await? {
                    return Ok(match directive.qualifier {
                        Qualifier::Pass => SpfResult::Pass,
                        Qualifier::Fail => SpfResult::Fail,
                        Qualifier::SoftFail => SpfResult::SoftFail,
                        Qualifier::Neutral => SpfResult::Neutral,
                    });
                }
            }
            let Some(other) = &record.redirect else { return Ok(SpfResult::Neutral) };
            self.term()?;
            let other = self.name(other, &domain);
            match self.host(other).await? {
                SpfResult::None => Err(Broken::Permanent),
                result => Ok(result),
            }
        })
    }

    /// The record of `domain`; `None` when it has none. More than one is none that holds (section 4.5).
    async fn record(&self, domain: &str) -> Result<Option<Spf>, Broken> {
        let texts = match self.dns.ask(domain, Kind::Text, self.until).await {
            Answer::Entries(texts) => texts,
            Answer::NoEntries | Answer::NoName => return Ok(None),
            Answer::Failed => return Err(Broken::Temporary),
        };
        let is_record = |text: &[u8]| {
            text.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"v=spf1"))
                && text.get(6).is_none_or(|next| *next == b' ')
        };
        let mut records = texts.iter().filter_map(|entry| match entry {
            Entry::Text(text) if is_record(text) => Some(text),
            Entry::Text(_) | Entry::Address(_) | Entry::Name(_) => None,
        });
        let Some(record) = records.next() else { return Ok(None) };
        if records.next().is_some() || !is_understood(record) {
            return Err(Broken::Permanent);
        }
        Spf::parse(record).map(Some).map_err(|_| Broken::Permanent)
    }

    async fn matches(&mut self, directive: &Directive, domain: &str) -> Result<bool, Broken> {
        let client = self.sender.client;
        match &directive.mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4 { addr, mask } => Ok(within(client, (*addr).into(), *mask, u128::MAX)),
            Mechanism::Ip6 { addr, mask } => Ok(within(client, (*addr).into(), u32::MAX, *mask)),
            Mechanism::A { macro_string, ip4_mask, ip6_mask } => {
                self.term()?;
                let name = self.name(macro_string, domain);
                let found = self.own(&name, self.addresses()).await?;
                Ok(holds(&found, client, *ip4_mask, *ip6_mask))
            }
            Mechanism::Mx { macro_string, ip4_mask, ip6_mask } => {
                self.term()?;
                let name = self.name(macro_string, domain);
                let servers = self.own(&name, Kind::MailServer).await?;
                if servers.len() > HOSTS {
                    return Err(Broken::Permanent);
                }
                for server in names(&servers) {
                    match self.dns.ask(server, self.addresses(), self.until).await {
                        Answer::Entries(found) if holds(&found, client, *ip4_mask, *ip6_mask) => {
                            return Ok(true);
                        }
                        Answer::Entries(_) | Answer::NoEntries | Answer::NoName => {}
                        Answer::Failed => return Err(Broken::Temporary),
                    }
                }
                Ok(false)
            }
            Mechanism::Ptr { macro_string } => {
                self.term()?;
                let wanted = self.name(macro_string, domain).to_ascii_lowercase();
                self.is_named(wanted.trim_end_matches('.')).await
            }
            Mechanism::Include { macro_string } => {
                self.term()?;
                let other = self.name(macro_string, domain);
                match self.host(other).await? {
                    SpfResult::Pass => Ok(true),
                    SpfResult::Fail | SpfResult::SoftFail | SpfResult::Neutral => Ok(false),
                    SpfResult::None
                    | SpfResult::TemporaryError
                    | SpfResult::PermanentError
                    | SpfResult::NotChecked => Err(Broken::Permanent),
                }
            }
            // Of IPv4 whatever the client has (section 5.7).
            Mechanism::Exists { macro_string } => {
                self.term()?;
                let name = self.name(macro_string, domain);
                Ok(!self.own(&name, Kind::Address4).await?.is_empty())
            }
        }
    }

    /// Whether the client has a name at or below `wanted` that leads back to it (section 5.5). What cannot be looked
    /// up does not count.
    async fn is_named(&mut self, wanted: &str) -> Result<bool, Broken> {
        let client = self.sender.client;
        let Answer::Entries(found) = self.dns.ask(&reverse(client), Kind::Pointer, self.until).await else {
            return Ok(false);
        };
        for name in names(&found).take(HOSTS).filter(|name| belofte_model::is_within(name, wanted)) {
            if let Answer::Entries(back) = self.dns.ask(name, self.addresses(), self.until).await
                && holds(&back, client, u32::MAX, u128::MAX)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Counts a term that asks for names.
    const fn term(&mut self) -> Result<(), Broken> {
        self.terms += 1;
        if self.terms > TERMS { Err(Broken::Permanent) } else { Ok(()) }
    }

    /// What the name that a term speaks of has; counts those that have nothing.
    async fn own(&mut self, name: &str, kind: Kind) -> Result<Arc<[Entry]>, Broken> {
        match self.dns.ask(name, kind, self.until).await {
            Answer::Entries(found) => Ok(found),
            Answer::Failed => Err(Broken::Temporary),
            Answer::NoEntries | Answer::NoName => {
                self.void += 1;
                if self.void > VOID { Err(Broken::Permanent) } else { Ok(Arc::from([])) }
            }
        }
    }

    const fn addresses(&self) -> Kind {
        if self.sender.client.is_ipv4() { Kind::Address4 } else { Kind::Address6 }
    }

    /// The name that a term speaks of, `domain` itself when it names none.
    fn name(&self, text: &Macro, domain: &str) -> String {
        let mut variables = Variables::new();
        variables.set_ip(&self.sender.client);
        variables.set_sender(self.sender.address.as_bytes());
        variables.set_helo_domain(self.sender.helo.as_bytes());
        variables.set_domain(domain.as_bytes());
        // Nobody should publish the macro that asks for it, and this is what it stands for when nothing is known
        // (section 7.3).
        variables.set_validated_domain(b"unknown".as_slice());
        text.eval(&variables, domain, false).into_owned()
    }
}

/// Whether all mechanisms of a record are known; the reader passes over others, and what is not understood does not
/// hold (section 4.6). Modifiers may be unknown.
fn is_understood(record: &[u8]) -> bool {
    const KNOWN: [&[u8]; 8] = [b"all", b"include", b"a", b"mx", b"ptr", b"ip4", b"ip6", b"exists"];
    record.split(|octet| *octet == b' ').skip(1).filter(|term| !term.is_empty()).all(|term| {
        let end = term.iter().position(|octet| b":/=".contains(octet)).unwrap_or(term.len());
        let bare = match &term[..end] {
            [b'+' | b'-' | b'~' | b'?', bare @ ..] | bare => bare,
        };
        term.get(end) == Some(&b'=') || KNOWN.iter().any(|known| bare.eq_ignore_ascii_case(known))
    })
}

fn names(entries: &[Entry]) -> impl Iterator<Item = &str> {
    entries.iter().filter_map(|entry| match entry {
        Entry::Name(name) => Some(name.as_str()),
        Entry::Text(_) | Entry::Address(_) => None,
    })
}

fn holds(entries: &[Entry], client: IpAddr, mask4: u32, mask6: u128) -> bool {
    entries.iter().any(|entry| match entry {
        Entry::Address(address) => within(client, *address, mask4, mask6),
        Entry::Text(_) | Entry::Name(_) => false,
    })
}

/// Whether two addresses of the same kind agree in the bits of their mask.
fn within(client: IpAddr, address: IpAddr, mask4: u32, mask6: u128) -> bool {
    let v4 = |address: Ipv4Addr| address.to_bits() & mask4;
    let v6 = |address: Ipv6Addr| address.to_bits() & mask6;
    match (client, address) {
        (IpAddr::V4(client), IpAddr::V4(address)) => v4(client) == v4(address),
        (IpAddr::V6(client), IpAddr::V6(address)) => v6(client) == v6(address),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
#[path = "spf_tests.rs"]
mod tests;
