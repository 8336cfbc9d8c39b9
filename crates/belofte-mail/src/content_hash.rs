// SPDX-License-Identifier: EUPL-1.2
//! Telling copies of a mail without identifier.

use sha2::{Digest, Sha256};

use crate::{header::split, parse::without_preface};

/// Fields that a mail collects on its way and that differ between copies of the same mail.
const TRACE: [&str; 19] = [
    "received",
    "return-path",
    "delivered-to",
    "envelope-to",
    "delivery-date",
    "apparently-to",
    "authentication-results",
    "received-spf",
    "dkim-signature",
    "domainkey-signature",
    "arc-seal",
    "arc-message-signature",
    "arc-authentication-results",
    "status",
    "lines",
    "content-length",
    "resent-date",
    "resent-from",
    "resent-to",
];

/// A hash (SHA-256) over what stays the same in every copy of a mail: its fields without the
/// traces of its way (`Received`, `Delivered-To`, anything that begins with `X-` …), their
/// folds and the order of their names undone, and its body with line breaks normalised and
/// without empty lines at the end.
#[must_use]
pub fn content_hash(raw: &[u8]) -> [u8; 32] {
    let raw = without_preface(raw);
    let mut hasher = Sha256::new();
    let (mut fields, body_at) = split(raw).map_or_else(|_| (Vec::new(), 0), |(fields, at)| (fields.0, at));
    fields.retain(|field| {
        let name = field.name;
        let extension = name.len() > 2 && name[..2].eq_ignore_ascii_case(b"x-");
        !extension && !TRACE.iter().any(|trace| name.eq_ignore_ascii_case(trace.as_bytes()))
    });
    // Stable: fields of one name keep their order.
    fields.sort_by_cached_key(|field| field.name.to_ascii_lowercase());
    for field in fields {
        hasher.update(field.name.to_ascii_lowercase());
        hasher.update(b":");
        for word in field.value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            hasher.update(b" ");
            hasher.update(word);
        }
        hasher.update(b"\n");
    }
    hasher.update(b"\n");
    let body = raw[body_at..].trim_ascii_end();
    for line in body.split(|octet| *octet == b'\n') {
        hasher.update(line.strip_suffix(b"\r").unwrap_or(line));
        hasher.update(b"\n");
    }
    hasher.finalize().into()
}
