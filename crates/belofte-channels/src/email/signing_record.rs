// SPDX-License-Identifier: EUPL-1.2
//! The record by which a domain publishes the key that signs its mail (RFC 6376, section 3.6): how it is written,
//! and what is wrong with the one that is there.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use belofte_core::Core;
use belofte_model::{RecordProblem, SigningKeyId, SigningState};
use belofte_store::{Access, ClaimedJob, FinishJob, SigningKey, StoreError};
use mail_auth::common::parse::TxtRecordParser as _;
use mail_auth::common::verify::DomainKey;

use crate::dns::{Answer, Dns, Entry, Kind};
use crate::patience::moment;

/// Names are waited for so long; somebody may sit at the desk.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the record of a key says, in one piece.
#[must_use]
pub fn record(public_key: &[u8]) -> String {
    format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(public_key))
}

/// What is wrong with the record of `key`, by the names as they are now; `None` when it is right.
pub async fn look(dns: &Dns, key: &SigningKey) -> Option<RecordProblem> {
    let until = moment() + PATIENCE;
    let name = key.record_name();
    match dns.ask_anew(&name, Kind::Text, until).await {
        Answer::Entries(entries) => judge(&entries, &key.public_key),
        Answer::Failed => Some(RecordProblem::NoAnswer),
        Answer::NoEntries | Answer::NoName => {
            // Where the form of a name server adds the domain itself, it stands there twice.
            let doubled = format!("{name}.{}", key.domain);
            match dns.ask_anew(&doubled, Kind::Text, until).await {
                Answer::Entries(_) => Some(RecordProblem::Doubled),
                Answer::NoEntries | Answer::NoName | Answer::Failed => Some(RecordProblem::Missing),
            }
        }
    }
}

/// What is wrong with `entries` as the record of `public_key`.
fn judge(entries: &[Entry], public_key: &[u8]) -> Option<RecordProblem> {
    let mut texts = entries.iter().filter_map(|entry| match entry {
        Entry::Text(text) => Some(text.as_slice()),
        Entry::Address(_) | Entry::Name(_) => None,
    });
    let Some(text) = texts.next() else { return Some(RecordProblem::Missing) };
    if texts.next().is_some() {
        return Some(RecordProblem::Several);
    }
    read(text, public_key).err()
}

/// Whether `text` is the record of `public_key`, tag by tag (section 3.6.1).
fn read(text: &[u8], public_key: &[u8]) -> Result<(), RecordProblem> {
    let text = std::str::from_utf8(text).map_err(|_| RecordProblem::Malformed)?;
    let mut tags: Vec<(&str, &str)> = Vec::new();
    for part in text.trim().trim_end_matches(';').split(';') {
        let (name, value) = part.split_once('=').ok_or(RecordProblem::Malformed)?;
        let (name, value) = (name.trim(), value.trim());
        if tags.iter().any(|(known, _)| *known == name) {
            return Err(RecordProblem::Malformed);
        }
        tags.push((name, value));
    }
    let tag = |name: &str| tags.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let lists = |value: &str, one: &str| value.split(':').any(|part| part.trim().eq_ignore_ascii_case(one));
    // The version, where it is told, comes first.
    if tag("v").is_some_and(|version| version != "DKIM1" || tags[0].0 != "v") {
        return Err(RecordProblem::Malformed);
    }
    let key: String = tag("p").ok_or(RecordProblem::Malformed)?.split_whitespace().collect();
    if key.is_empty() {
        return Err(RecordProblem::Revoked);
    }
    if tag("k").is_some_and(|kind| !kind.eq_ignore_ascii_case("rsa")) {
        return Err(RecordProblem::OtherKey);
    }
    if key != STANDARD.encode(public_key) {
        let begins = key.len() >= 64 && STANDARD.encode(public_key).starts_with(&key);
        let decodes = STANDARD.decode(&key).is_ok();
        return Err(match (begins, decodes) {
            (true, _) => RecordProblem::CutOff,
            (false, true) => RecordProblem::OtherKey,
            (false, false) => RecordProblem::Malformed,
        });
    }
    let hashes = tag("h").is_none_or(|hashes| lists(hashes, "sha256"));
    let mail = tag("s").is_none_or(|services| lists(services, "*") || lists(services, "email"));
    if !hashes || !mail {
        return Err(RecordProblem::NotForMail);
    }
    // And a verifier reads it, too.
    DomainKey::parse(text.as_bytes()).map(drop).map_err(|_| RecordProblem::Malformed)
}

/// Looks at the record of the key of `job`; a failure of the store puts the job back.
pub async fn check(core: &Core, dns: &Dns, job: &ClaimedJob) {
    if let Err(error) = try_check(core, dns, job).await {
        belofte_core::retry_later(core, job, &error).await;
    }
}

async fn try_check(core: &Core, dns: &Dns, job: &ClaimedJob) -> Result<(), StoreError> {
    let access = Access::job(job, core.clock().clone());
    let key = match core.store.signing_key(&access, SigningKeyId(job.subject)).await {
        Ok(key) if key.state != SigningState::Former => key,
        Ok(_) | Err(StoreError::NotFound) => {
            return core.store.write(&access, FinishJob(job.clone())).await;
        }
        Err(error) => return Err(error),
    };
    let problem = look(dns, &key).await;
    let outcome = problem.map_or("right", RecordProblem::as_str);
    metrics::counter!("belofte_signing_records_total", "outcome" => outcome).increment(1);
    core.store.note_signing_record(&access, &key, problem, Some(job)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(texts: &[&str]) -> Option<RecordProblem> {
        let entries: Vec<Entry> = texts.iter().map(|text| Entry::Text(text.as_bytes().to_vec())).collect();
        judge(&entries, &key())
    }

    fn key() -> Vec<u8> {
        use std::sync::LazyLock;
        static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| belofte_vault::DkimKey::generate().public_key());
        KEY.clone()
    }

    #[test]
    fn what_is_wrong_with_a_record_is_told() {
        let (right, p) = (record(&key()), STANDARD.encode(key()));
        let other = STANDARD.encode(belofte_vault::DkimKey::generate().public_key());
        let spaced = format!("{} {}", &p[..100], &p[100..]);
        for good in [
            right.clone(),
            format!("v=DKIM1;k=rsa;p={p};"),
            format!("k=rsa; p={spaced}"),
            format!("p={p}"),
            format!("v=DKIM1; h=sha1:sha256; s=email; t=s; n=notes; p={p}"),
        ] {
            assert_eq!(judged(&[&good]), None, "{good}");
        }
        for (problem, texts) in [
            (RecordProblem::Missing, vec![]),
            (RecordProblem::Several, vec![right.clone(), "v=spf1 -all".to_owned()]),
            (RecordProblem::OtherKey, vec![format!("v=DKIM1; k=rsa; p={other}")]),
            (RecordProblem::OtherKey, vec![format!("v=DKIM1; k=ed25519; p={}", &p[..44])]),
            (RecordProblem::CutOff, vec![right[..255].to_owned()]),
            (RecordProblem::Revoked, vec!["v=DKIM1; k=rsa; p=".to_owned()]),
            (RecordProblem::NotForMail, vec![format!("v=DKIM1; h=sha1; p={p}")]),
            (RecordProblem::NotForMail, vec![format!("v=DKIM1; s=other; p={p}")]),
            (RecordProblem::Malformed, vec![format!("\"{right}\"")]),
            (RecordProblem::Malformed, vec![format!("k=rsa; v=DKIM1; p={p}")]),
            (RecordProblem::Malformed, vec![format!("v=DKIM2; p={p}")]),
            (RecordProblem::Malformed, vec![p.clone()]),
            (RecordProblem::Malformed, vec![format!("v=DKIM1; p={p}; p={p}")]),
            (RecordProblem::Malformed, vec!["v=DKIM1; p=!!!".to_owned()]),
            (RecordProblem::Malformed, vec!["hallo".to_owned()]),
        ] {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            assert_eq!(judged(&texts), Some(problem), "{texts:?}");
        }
        let odd = [Entry::Text(vec![0xff, 0xfe])];
        assert_eq!(judge(&odd, &key()), Some(RecordProblem::Malformed));
    }
}
