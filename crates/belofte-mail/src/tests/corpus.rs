// SPDX-License-Identifier: EUPL-1.2
//! Every mail of the corpus against what its manifest expects.

use std::{collections::BTreeSet, fmt::Debug, fs, path::PathBuf};

use serde::Deserialize;

use crate::{EnvelopeSender, ParsedMail, parse_with, thread_candidates};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    mail: Vec<Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    file: String,
    quarantine: Option<String>,
    #[serde(default)]
    null_sender: bool,
    subject: Option<String>,
    from: Option<String>,
    from_name: Option<String>,
    #[serde(default)]
    no_from: bool,
    sender: Option<String>,
    reply_to: Option<usize>,
    to: Option<usize>,
    cc: Option<usize>,
    date: Option<i64>,
    #[serde(default)]
    no_date: bool,
    /// Empty for a mail without one.
    message_id: Option<String>,
    candidates: Option<Vec<String>>,
    candidate_count: Option<usize>,
    first_candidate: Option<String>,
    text: Option<String>,
    #[serde(default)]
    text_contains: Vec<String>,
    #[serde(default)]
    text_excludes: Vec<String>,
    html: Option<bool>,
    #[serde(default)]
    html_contains: Vec<String>,
    #[serde(default)]
    html_excludes: Vec<String>,
    remote: Option<bool>,
    /// How the quoted history begins.
    quoted: Option<String>,
    #[serde(default)]
    not_quoted: bool,
    #[serde(default)]
    attachments: usize,
    attachment_names: Option<Vec<String>>,
    attachment_hex: Option<String>,
    media_types: Option<Vec<String>>,
    inline: Option<usize>,
    #[serde(default)]
    automatic: Option<String>,
    may_answer: Option<bool>,
    /// Each `address action status`.
    bounce: Option<Vec<String>>,
    original: Option<String>,
    #[serde(default)]
    problems: Vec<String>,
}

pub(super) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn manifest() -> Manifest {
    let text = fs::read_to_string(folder().join("manifest.toml")).expect("the manifest can be read");
    toml::from_str(&text).expect("the manifest is valid")
}

/// Every mail of the corpus: its name and its octets.
pub(super) fn mails() -> Vec<(String, Vec<u8>)> {
    manifest()
        .mail
        .into_iter()
        .map(|expected| {
            let raw = fs::read(folder().join(&expected.file)).expect("the mail can be read");
            (expected.file, raw)
        })
        .collect()
}

/// Collects what differs, so that one run shows all of it.
struct Findings<'a> {
    file: &'a str,
    found: Vec<String>,
}

impl Findings<'_> {
    fn same<T: PartialEq + Debug>(&mut self, what: &str, found: T, expected: T) {
        if found != expected {
            self.found.push(format!("{}: {what} is {found:?}, expected {expected:?}", self.file));
        }
    }

    fn text(&mut self, what: &str, text: &str, contains: &[String], excludes: &[String]) {
        for part in contains {
            if !text.contains(part) {
                self.found.push(format!("{}: {what} misses {part:?} in {text:?}", self.file));
            }
        }
        for part in excludes {
            if text.contains(part) {
                self.found.push(format!("{}: {what} must not have {part:?} in {text:?}", self.file));
            }
        }
    }
}

#[test]
fn every_mail_of_the_corpus_is_read_as_expected() {
    let mut found = Vec::new();
    for expected in manifest().mail {
        let raw = fs::read(folder().join(&expected.file)).expect("the mail can be read");
        let mut findings = Findings { file: &expected.file, found: Vec::new() };
        let envelope = if expected.null_sender { EnvelopeSender::Null } else { EnvelopeSender::Unknown };
        match parse_with(&raw, envelope) {
            Err(reason) => {
                findings.same("quarantine", Some(reason.as_str()), expected.quarantine.as_deref());
            }
            Ok(mail) => {
                findings.same("quarantine", None, expected.quarantine.as_deref());
                compare(&mail, &expected, &mut findings);
            }
        }
        found.extend(findings.found);
    }
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

fn compare(mail: &ParsedMail, expected: &Expected, findings: &mut Findings<'_>) {
    let address =
        |mailbox: &Option<crate::Mailbox>| mailbox.as_ref().map(|mailbox| mailbox.address.as_sent());
    if let Some(subject) = &expected.subject {
        findings.same("subject", &mail.subject, subject);
    }
    if expected.from.is_some() || expected.no_from {
        findings.same("from", address(&mail.from), expected.from.clone());
    }
    if let Some(name) = &expected.from_name {
        findings.same("name", mail.from.as_ref().map(|from| &from.name), Some(name));
    }
    if expected.sender.is_some() {
        findings.same("sender", address(&mail.sender), expected.sender.clone());
    }
    for (what, found, count) in [
        ("reply-to", mail.reply_to.len(), expected.reply_to),
        ("to", mail.to.len(), expected.to),
        ("cc", mail.cc.len(), expected.cc),
        ("attachments", mail.attachments.len(), Some(expected.attachments)),
        ("inline", mail.attachments.iter().filter(|file| file.inline).count(), expected.inline),
        ("candidates", thread_candidates(mail).len(), expected.candidate_count),
    ] {
        findings.same(what, found, count.unwrap_or(found));
    }
    if expected.date.is_some() || expected.no_date {
        findings.same("date", mail.date.map(|date| date.as_secs()), expected.date);
    }
    if let Some(id) = &expected.message_id {
        findings.same("message id", mail.message_id.as_deref().unwrap_or(""), id);
    }
    if let Some(candidates) = &expected.candidates {
        let candidates: Vec<&str> = candidates.iter().map(String::as_str).collect();
        findings.same("candidates", thread_candidates(mail), candidates);
    }
    if let Some(first) = &expected.first_candidate {
        findings.same("first candidate", thread_candidates(mail).first().copied(), Some(first.as_str()));
    }
    if let Some(text) = &expected.text {
        findings.same("text", &mail.text, text);
    }
    findings.text("text", &mail.text, &expected.text_contains, &expected.text_excludes);
    if let Some(html) = expected.html {
        findings.same("html", mail.html.is_some(), html);
    }
    let html = mail.html.as_deref().unwrap_or("");
    findings.text("html", html, &expected.html_contains, &expected.html_excludes);
    findings.same("remote", mail.has_remote_images, expected.remote.unwrap_or(mail.has_remote_images));
    if let Some(start) = &expected.quoted {
        let quoted = mail.quoted_from.map(|at| &mail.text[at..]).unwrap_or("");
        if !quoted.starts_with(start.as_str()) {
            findings.found.push(format!("{}: quoted is {quoted:?} of {:?}", findings.file, mail.text));
        }
    }
    if expected.not_quoted {
        findings.same("quoted", mail.quoted_from, None);
    }
    if let Some(names) = &expected.attachment_names {
        let found: Vec<&String> = mail.attachments.iter().map(|file| &file.name).collect();
        findings.same("names", found, names.iter().collect());
    }
    if let Some(types) = &expected.media_types {
        let found: Vec<&String> = mail.attachments.iter().map(|file| &file.media_type).collect();
        findings.same("media types", found, types.iter().collect());
    }
    if let Some(hex) = &expected.attachment_hex {
        let found: String = mail.attachments[0].bytes.iter().map(|octet| format!("{octet:02x}")).collect();
        findings.same("octets", &found, hex);
    }
    findings.same("automatic", mail.automatic.as_str(), expected.automatic.as_deref().unwrap_or("no"));
    if let Some(may_answer) = expected.may_answer {
        findings.same("may answer", mail.may_answer_automatically, may_answer);
    }
    if let Some(recipients) = &expected.bounce {
        let found: Vec<String> = mail.automatic.bounce().map_or_else(Vec::new, |bounce| {
            bounce
                .recipients
                .iter()
                .map(|failed| {
                    let action = format!("{:?}", failed.action).to_lowercase();
                    format!("{} {action} {}", failed.address.as_sent(), failed.status)
                })
                .collect()
        });
        findings.same("recipients", &found, recipients);
    }
    if let Some(original) = &expected.original {
        let found = mail.automatic.bounce().and_then(|bounce| bounce.original_message_id.as_ref());
        findings.same("original", found, Some(original));
    }
    let problems: BTreeSet<&str> = mail.problems.iter().map(crate::Problem::as_str).collect();
    findings.same("problems", problems, expected.problems.iter().map(String::as_str).collect());
}

#[test]
fn the_corpus_is_large_and_its_folder_and_manifest_agree() {
    let listed: BTreeSet<String> = manifest().mail.into_iter().map(|expected| expected.file).collect();
    let mut present = BTreeSet::new();
    let mut folders = vec![folder()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "eml") {
                let name = path.strip_prefix(folder()).expect("inside").to_string_lossy().replace('\\', "/");
                present.insert(name);
            }
        }
    }
    assert_eq!(listed, present);
    assert!(listed.len() >= 150, "{}", listed.len());
    let demo = listed.iter().filter(|file| file.starts_with("demo/")).count();
    assert_eq!(demo, 24);
}

#[test]
fn demo_mails_come_from_persons_and_hold_no_address_outside_the_reserved_names() {
    for (file, raw) in mails() {
        let Ok(mail) = crate::parse(&raw) else { continue };
        if file.starts_with("demo/") {
            assert_eq!(mail.automatic, crate::Automatic::No, "{file}");
            assert!(mail.message_id.is_some() && mail.date.is_some() && mail.problems.is_empty(), "{file}");
        }
        for mailbox in mail.from.iter().chain(&mail.to).chain(&mail.cc).chain(&mail.reply_to) {
            assert!(mailbox.address.domain().ends_with(".example"), "{file}");
        }
    }
}
