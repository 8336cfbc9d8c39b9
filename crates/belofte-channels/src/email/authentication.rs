// SPDX-License-Identifier: EUPL-1.2
//! Whether a mail comes from the domain that it names as its author's: by the server that brought it (SPF), by its
//! signatures (DKIM, RFC 6376), and by what that domain says of both (DMARC, RFC 9989).
//!
//! It is found out before the mail is stored, so that it is stored with it, and it never keeps a mail out: we
//! show, we do not judge. `mail-auth` reads signatures and records, canonicalises and verifies; what is asked, how
//! much of it, and what follows is decided here. A mail has two parts that its sender chooses freely, and neither
//! may make the rest unknown: each mechanism has its own time, and a domain that cannot be looked up counts only
//! where it could stand for the author's.

use std::fmt;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use belofte_model::{
    DkimCheck, DkimResult, DmarcCheck, DmarcPolicy, DmarcResult, EmailAddress, MailAuthentication, SpfCheck,
    SpfResult, is_within,
};
use belofte_store::Clock;
use futures_util::FutureExt as _;
use futures_util::future::{join_all, join3};
use mail_auth::AuthenticatedMessage;
use mail_auth::common::crypto::{Algorithm, HashAlgorithm};
use mail_auth::common::parse::TxtRecordParser as _;
use mail_auth::common::to_a_label;
use mail_auth::common::verify::DomainKey;
use mail_auth::dmarc::{Alignment, Dmarc, Policy, Psd};
use memchr::memmem;
use tokio::time::Instant;

use super::spf;
use crate::dns::{Answer, Dns, Entry, Kind};
use crate::patience::moment;

/// Names are waited for so long: for what the mail itself names, and then for what follows from it.
const PATIENCE: Duration = Duration::from_secs(3);
const MORE_PATIENCE: Duration = Duration::from_secs(1);
/// So many signatures are looked at, the first ones.
const SIGNATURES: usize = 8;
/// A mail with a longer head, more fields in it, or more of them named by a signature, is not looked at: comparing
/// them would take time beyond proportion.
const HEAD: usize = 256 * 1024;
const FIELDS: usize = 1_000;
const NAMED_FIELDS: usize = 200;
/// So many names above a domain are asked for its policy (RFC 9989, section 4.10).
const WALK: usize = 8;

/// How a mail came to us.
pub(super) struct Hop<'a> {
    /// The server that connected.
    pub(super) client: IpAddr,
    /// What it called itself.
    pub(super) helo: &'a str,
    /// The reverse path; `None` for bounces.
    pub(super) mail_from: Option<&'a EmailAddress>,
}

/// Finds out about mails. Cheap to clone; clones share what they know of names.
#[derive(Clone)]
pub struct Authenticator {
    dns: Dns,
    clock: Clock,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator(..)")
    }
}

impl Authenticator {
    /// Asks `dns`; whether a signature has expired goes by `clock`.
    #[must_use]
    pub const fn new(dns: Dns, clock: Clock) -> Self {
        Self { dns, clock }
    }

    /// What can be found out about `raw`, in four seconds at most. Without a `hop` nobody knows which server sent it:
    /// it was fetched, or comes over a server of the operator's own.
    pub(super) async fn check(&self, hop: Option<Hop<'_>>, raw: &[u8]) -> MailAuthentication {
        let checked = AssertUnwindSafe(self.try_check(hop, raw)).catch_unwind().await;
        let all = checked.unwrap_or_else(|_| {
            tracing::error!("who sent a mail could not be checked: the program broke on it");
            MailAuthentication::unknown(SpfResult::NotChecked, DmarcResult::PermanentError)
        });
        metrics::counter!("belofte_mail_authentication_total", "verdict" => all.verdict.as_str())
            .increment(1);
        all
    }

    async fn try_check(&self, hop: Option<Hop<'_>>, raw: &[u8]) -> MailAuthentication {
        let until = moment() + PATIENCE;
        let now = u64::try_from(self.clock.now().as_secs()).unwrap_or(0);
        let mail = Mail::read(raw, now).unwrap_or_default();
        let (spf, dkim, walk) =
            join3(self.spf(hop, until), self.dkim(mail.signatures, until), self.walk(&mail.author, until))
                .await;
        let dmarc = self.dmarc(&mail.author, &spf, &dkim, walk, moment() + MORE_PATIENCE).await;
        MailAuthentication::new(mail.author, spf, dkim, dmarc)
    }

    async fn spf(&self, hop: Option<Hop<'_>>, until: Instant) -> SpfCheck {
        let Some(Hop { client, helo, mail_from }) = hop else {
            return SpfCheck { result: SpfResult::NotChecked, domain: String::new() };
        };
        let helo = helo.trim_end_matches('.');
        // A bounce is sent by the server itself (RFC 7208, section 2.4).
        let (address, domain) = match mail_from {
            Some(address) => (address.as_sent(), address.domain()),
            None => (format!("postmaster@{helo}"), helo),
        };
        let domain = to_a_label(domain).into_owned();
        let sender = spf::Sender { client, helo, address: &address, domain: &domain };
        let result = spf::check(&self.dns, &sender, until).await;
        SpfCheck { result, domain }
    }

    async fn dkim(&self, signatures: Vec<Signature>, until: Instant) -> Vec<DkimCheck> {
        join_all(signatures.into_iter().map(|Signature { domain, selector, signed }| async move {
            let result = match signed {
                Ok(signed) => {
                    let name = format!("{selector}._domainkey.{domain}");
                    match self.dns.ask(&name, Kind::Text, until).await {
                        Answer::Entries(texts) => signed.verify(&texts),
                        Answer::NoEntries | Answer::NoName => DkimResult::NoKey,
                        Answer::Failed => DkimResult::TemporaryError,
                    }
                }
                Err(result) => result,
            };
            DkimCheck { result, domain, selector }
        }))
        .await
    }

    /// The records that say how `domain` wants its mails to be judged, its own first, then those above it; `None`
    /// when it cannot be known now.
    async fn walk(&self, domain: &str, until: Instant) -> Option<Vec<(String, Dmarc)>> {
        let names = above(domain);
        let asked =
            names.iter().map(async |name| self.dns.ask(&format!("_dmarc.{name}"), Kind::Text, until).await);
        let answers = join_all(asked).await;
        let mut found: Vec<(String, Dmarc)> = Vec::new();
        for (name, answer) in names.into_iter().zip(answers) {
            match answer {
                Answer::Entries(texts) => {
                    let Some(record) = only_record(&texts) else { continue };
                    let ends = matches!(record.psd, Psd::Yes | Psd::No);
                    found.push((name.to_owned(), record));
                    if ends {
                        break;
                    }
                }
                Answer::NoEntries | Answer::NoName => {}
                Answer::Failed if found.is_empty() => return None,
                Answer::Failed => break,
            }
        }
        Some(found)
    }

    async fn dmarc(
        &self,
        author: &str,
        spf: &SpfCheck,
        dkim: &[DkimCheck],
        walk: Option<Vec<(String, Dmarc)>>,
        until: Instant,
    ) -> DmarcCheck {
        let without_policy = |result| DmarcCheck { result, policy: None };
        let Some(walk) = walk else { return without_policy(DmarcResult::TemporaryError) };
        let organisation = organisation(&walk, author).to_owned();
        let own = walk.iter().find(|(name, _)| name == author);
        let above = || walk.iter().find(|(name, _)| *name == organisation).or(walk.last());
        let Some((name, record)) = own.or_else(above) else { return without_policy(DmarcResult::None) };
        let asked = if name == author {
            record.p
        } else if record.np != record.sp
            && self.dns.ask(author, Kind::Address4, until).await == Answer::NoName
        {
            record.np
        } else {
            record.sp
        };
        // A record under test is meant one step less (section 4.7).
        let policy = match (asked, record.t) {
            (Policy::Reject, false) => DmarcPolicy::Reject,
            (Policy::Reject, true) | (Policy::Quarantine, false) => DmarcPolicy::Quarantine,
            (Policy::Quarantine, true) | (Policy::None, _) => DmarcPolicy::None,
            // A record that asks for nothing but reports watches; one that asks for nothing at all is none.
            (Policy::Unspecified, _) if !record.rua.is_empty() => DmarcPolicy::None,
            (Policy::Unspecified, _) => return without_policy(DmarcResult::None),
        };
        let strict = |alignment: &Alignment| *alignment == Alignment::Strict;
        let checks = dkim.iter().map(|check| {
            let (pass, later) =
                (check.result == DkimResult::Pass, check.result == DkimResult::TemporaryError);
            (check.domain.as_str(), strict(&record.adkim), pass, later)
        });
        let (pass, later) = (spf.result == SpfResult::Pass, spf.result == SpfResult::TemporaryError);
        let by_server = (spf.domain.as_str(), strict(&record.aspf), pass, later);
        let mut later_perhaps = false;
        for (domain, strict, pass, later) in checks.chain([by_server]) {
            let could = domain == author || (!strict && is_within(domain, &organisation));
            if could && pass && (domain == author || self.belongs(domain, &organisation, until).await) {
                return DmarcCheck { result: DmarcResult::Pass, policy: Some(policy) };
            }
            later_perhaps |= could && later;
        }
        let result = if later_perhaps {
            DmarcResult::TemporaryError
        } else if spf.result == SpfResult::NotChecked {
            DmarcResult::NotChecked
        } else {
            DmarcResult::Fail
        };
        DmarcCheck { result, policy: Some(policy) }
    }

    /// Whether `domain`, which lies within `organisation`, is of that organisation: one below may be its own.
    async fn belongs(&self, domain: &str, found: &str, until: Instant) -> bool {
        domain == found
            || self.walk(domain, until).await.is_some_and(|walk| organisation(&walk, domain) == found)
    }
}

/// The names to ask for the policy of `domain`: itself, and those above it. Of a very long name those between are
/// left out.
fn above(domain: &str) -> Vec<&str> {
    let labels = domain.split('.').count();
    if labels < 2 {
        return Vec::new();
    }
    let suffix = |count: usize| domain.splitn(labels - count + 1, '.').last().unwrap_or(domain);
    let counts = std::iter::once(labels).chain((1..labels.min(WALK)).rev());
    counts.map(suffix).collect()
}

/// The one DMARC record among `texts`. Of several none holds.
fn only_record(texts: &[Entry]) -> Option<Dmarc> {
    let mut records = texts.iter().filter_map(|entry| match entry {
        Entry::Text(text) => Dmarc::parse(text).ok(),
        Entry::Address(_) | Entry::Name(_) => None,
    });
    let first = records.next()?;
    records.next().is_none().then_some(first)
}

/// The domain of the organisation that `domain` is part of, by the records from it upwards (section 4.10.2).
fn organisation<'a>(walk: &'a [(String, Dmarc)], domain: &'a str) -> &'a str {
    for (name, record) in walk {
        match record.psd {
            Psd::No => return name,
            // It speaks for a registry: the organisation is one label below.
            Psd::Yes if name != domain => {
                let below = domain.strip_suffix(name.as_str()).and_then(|rest| rest.strip_suffix('.'));
                let label = below.and_then(|below| below.rsplit('.').next()).unwrap_or_default();
                return &domain[domain.len() - name.len() - 1 - label.len()..];
            }
            Psd::Yes | Psd::Default => {}
        }
    }
    walk.last().map_or(domain, |(name, _)| name)
}

/// What a mail says of itself.
#[derive(Default)]
struct Mail {
    /// The one domain of its authors; empty when there is none, or more than one (RFC 9989, section 5.3.1).
    author: String,
    signatures: Vec<Signature>,
}

struct Signature {
    domain: String,
    selector: String,
    /// What remains to be verified, or why it cannot hold.
    signed: Result<Signed, DkimResult>,
}

/// What a key has to have signed.
struct Signed {
    fields: Vec<u8>,
    signature: Vec<u8>,
    algorithm: Algorithm,
    /// Whether it speaks for a domain below the one that signs.
    below: bool,
}

impl Mail {
    /// Reads `raw`; `None` when it is no mail, or its head is too large. `now` is in seconds since 1970.
    fn read(raw: &[u8], now: u64) -> Option<Self> {
        let head = memmem::find(raw, b"\n\r\n").or_else(|| memmem::find(raw, b"\n\n")).unwrap_or(raw.len());
        if head > HEAD {
            return None;
        }
        let mut message = AuthenticatedMessage::parse(raw)?;
        if message.headers.len() > FIELDS {
            return None;
        }
        let mut authors: Vec<String> = Vec::new();
        for address in &message.from {
            let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).trim_end_matches('.');
            let domain = to_a_label(domain);
            if authors.iter().all(|known| *known != domain) {
                authors.push(domain.into_owned());
            }
        }
        let author = if authors.len() == 1 { authors.swap_remove(0) } else { String::new() };
        let malformed = message.errors.iter().filter(|field| is_signature(field.name));
        let malformed = malformed.map(|_| Signature::unusable());
        let malformed: Vec<_> = malformed.take(SIGNATURES).collect();
        let mut signatures = Vec::new();
        for field in std::mem::take(&mut message.dkim_headers).into_iter().take(SIGNATURES) {
            // Read alone: what it has signed depends on the other signatures as fields only.
            message.dkim_headers = vec![field];
            signatures.extend(prepare(&message, now));
        }
        signatures.extend(malformed);
        signatures.truncate(SIGNATURES);
        Some(Self { author, signatures })
    }
}

fn is_signature(field: &[u8]) -> bool {
    field.trim_ascii().eq_ignore_ascii_case(b"dkim-signature")
}

/// What the one signature that `message` has now speaks of.
fn prepare(message: &AuthenticatedMessage<'_>, now: u64) -> Option<Signature> {
    let signature = &message.dkim_headers.first()?.header;
    let (domain, selector) = (to_a_label(&signature.d).into_owned(), to_a_label(&signature.s).into_owned());
    let agent = signature.i.rsplit_once('@').map_or(signature.i.as_str(), |(_, domain)| domain);
    let agent = agent.trim_end_matches('.');
    let covers_author = signature.h.iter().any(|field| field.eq_ignore_ascii_case("from"));
    let hash = HashAlgorithm::from(signature.a);
    let body = message
        .body_hashes
        .iter()
        .find(|(way, by, length, _)| (way, by, length) == (&signature.cb, &hash, &signature.l));
    let signed = if !covers_author
        || signature.h.len() > NAMED_FIELDS
        // RFC 8301, section 3.1.
        || signature.a == Algorithm::RsaSha1
        || !(agent.is_empty() || is_within(agent, &signature.d))
        || (signature.x != 0 && signature.x <= signature.t)
    {
        Err(DkimResult::Unusable)
    } else if signature.x != 0 && signature.x <= now {
        Err(DkimResult::Expired)
    } else if body.is_none_or(|(.., hash)| *hash != signature.bh) {
        Err(DkimResult::BodyChanged)
    } else {
        // It waits for nothing: the name of the function promises more than it does.
        match message.get_canonicalized_header().now_or_never() {
            Some(Ok(fields)) => Ok(Signed {
                fields,
                signature: signature.b.clone(),
                algorithm: signature.a,
                below: !agent.is_empty() && agent != signature.d,
            }),
            Some(Err(_)) | None => Err(DkimResult::Unusable),
        }
    };
    Some(Signature { domain, selector, signed })
}

impl Signature {
    const fn unusable() -> Self {
        Self { domain: String::new(), selector: String::new(), signed: Err(DkimResult::Unusable) }
    }
}

impl Signed {
    /// Whether one of the keys in `texts` signed it.
    fn verify(&self, texts: &[Entry]) -> DkimResult {
        let mut result = DkimResult::NoKey;
        for text in texts {
            let Entry::Text(text) = text else { continue };
            let Ok(key) = DomainKey::parse(text) else { continue };
            // The key is for its own domain alone (RFC 6376, section 3.6.1, flag `s`).
            if self.below && has_flag(text, "s") {
                result = DkimResult::Unusable;
                continue;
            }
            if key.p.verify_bytes(&self.fields, &self.signature, self.algorithm).is_ok() {
                return DkimResult::Pass;
            }
            result = DkimResult::Wrong;
        }
        result
    }
}

/// Whether the record of a key has this flag.
fn has_flag(record: &[u8], flag: &str) -> bool {
    let record = String::from_utf8_lossy(record);
    let tag = |part: &str| {
        let (name, value) = part.split_once('=')?;
        (name.trim() == "t").then(|| value.split(':').any(|one| one.trim().eq_ignore_ascii_case(flag)))
    };
    record.split(';').find_map(tag).unwrap_or(false)
}

#[cfg(test)]
#[path = "authentication_tests.rs"]
mod tests;
