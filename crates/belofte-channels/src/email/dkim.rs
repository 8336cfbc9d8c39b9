// SPDX-License-Identifier: EUPL-1.2
//! Signs what goes out in the name of its author's domain (DKIM, RFC 6376): the octets that are handed in, and no
//! others.
//!
//! `mail-auth` canonicalises and writes the field. The key stays in the vault, and the time is that of the message:
//! trying again sends the same octets.

use std::borrow::Cow;

use belofte_model::Timestamp;
use belofte_store::MailSigner;
use belofte_vault::sha256;
use mail_auth::common::crypto::Algorithm;
use mail_auth::common::headers::{HeaderStream, Writable as _};
use mail_auth::dkim::{Canonicalization, Signature};

/// What is signed (section 5.4.1), each once more than it is there: nobody adds another one on the way and keeps the
/// signature. What servers on the way add or exchange themselves (trace fields, Sender, list fields) is left out.
const FIELDS: [&str; 13] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
];

/// `mail` with the signature of its domain before it, made at `at`. Its lines end as they are sent.
#[must_use]
pub fn signed(signer: &MailSigner, mail: &[u8], at: Timestamp) -> Vec<u8> {
    let mail = with_line_ends(mail);
    let parts = Parts::of(&mail);
    let named = FIELDS.iter().flat_map(|name| {
        let there = parts.fields().filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes())).count();
        std::iter::repeat_n((*name).to_owned(), there.min(1) + 1)
    });
    let template = Signature { h: named.collect(), ..Signature::default() };
    let (_, fields, names, body) = template.canonicalize(parts.stream());
    let mut canonical = Vec::new();
    body.write(&mut canonical);
    let mut signature = Signature {
        v: 1,
        a: Algorithm::RsaSha256,
        d: signer.domain.clone(),
        s: signer.selector.clone(),
        bh: sha256(&canonical).to_vec(),
        h: names,
        t: u64::try_from(at.as_secs()).unwrap_or(0),
        ch: Canonicalization::Relaxed,
        cb: Canonicalization::Relaxed,
        ..Signature::default()
    };
    canonical.clear();
    fields.write(&mut canonical);
    signature.write(&mut canonical, false);
    signature.b = signer.key.sign(&canonical);
    let mut out = Vec::with_capacity(mail.len() + 1024);
    signature.write(&mut out, true);
    out.extend_from_slice(&mail);
    out
}

/// The same octets with CRLF at the end of each line, as [`stuffed`](super::submission_dialogue::stuffed) sends them.
fn with_line_ends(mail: &[u8]) -> Cow<'_, [u8]> {
    let odd = |at: usize| match mail[at] {
        b'\n' => at == 0 || mail[at - 1] != b'\r',
        _ => mail.get(at + 1) != Some(&b'\n'),
    };
    if mail.ends_with(b"\r\n") && !memchr::memchr2_iter(b'\r', b'\n', mail).any(odd) {
        return Cow::Borrowed(mail);
    }
    let mut out = Vec::with_capacity(mail.len() + mail.len() / 40 + 2);
    let mut rest = mail;
    while !rest.is_empty() {
        let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..end]);
        out.extend_from_slice(b"\r\n");
        rest = match &rest[end..] {
            [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
            [] => &[],
        };
    }
    Cow::Owned(out)
}

/// A mail in its two parts.
struct Parts<'a> {
    fields: Vec<(&'a [u8], &'a [u8])>,
    body: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Of a mail whose lines end in CRLF.
    fn of(mail: &'a [u8]) -> Self {
        let mut fields = Vec::new();
        let mut rest = mail;
        loop {
            if let Some(body) = rest.strip_prefix(b"\r\n") {
                return Self { fields, body };
            }
            let mut end = 0;
            loop {
                let Some(line) = memchr::memchr(b'\n', &rest[end..]) else {
                    return Self { fields, body: &[] };
                };
                end += line + 1;
                if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                    break;
                }
            }
            if let Some(colon) = memchr::memchr(b':', &rest[..end]) {
                fields.push((&rest[..colon], &rest[colon + 1..end]));
            }
            rest = &rest[end..];
        }
    }

    fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.fields.iter().copied()
    }

    fn stream(&self) -> Stream<'a, '_> {
        Stream { fields: self.fields.iter(), body: self.body }
    }
}

struct Stream<'a, 'b> {
    fields: std::slice::Iter<'b, (&'a [u8], &'a [u8])>,
    body: &'a [u8],
}

impl<'a> HeaderStream<'a> for Stream<'a, '_> {
    fn next_header(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        self.fields.next().copied()
    }

    fn body(&mut self) -> &'a [u8] {
        self.body
    }
}

#[cfg(test)]
#[path = "dkim_tests.rs"]
mod tests;
