// SPDX-License-Identifier: EUPL-1.2
//! Whether a mail is signed or encrypted by S/MIME or OpenPGP: told by its form, never opened or checked.

use belofte_model::MailCover;

use crate::structure::Part;

/// So many octets of a file of S/MIME are looked at for what it holds.
const HEAD: usize = 64;
/// 1.2.840.113549.1.7.2, signed data (RFC 5652, section 5.1), as DER.
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

/// The cover of a mail with these parts and, before its quoted history, this text. What hides the words
/// wins over what only vouches for them.
pub(crate) fn cover(parts: &[Part<'_>], own_text: &str) -> Option<MailCover> {
    let mut found = in_text(own_text);
    for part in parts {
        let one = of_part(part);
        if matches!(one, Some(MailCover::SmimeEncrypted | MailCover::PgpEncrypted)) {
            return one;
        }
        found = found.or(one);
    }
    found
}

fn of_part(part: &Part<'_>) -> Option<MailCover> {
    let header = &part.header;
    let protocol = header.protocol.as_deref().unwrap_or("");
    match (header.main.as_str(), header.sub.as_str()) {
        ("multipart", "signed") if protocol.ends_with("pkcs7-signature") => Some(MailCover::SmimeSigned),
        ("multipart", "signed") if protocol == "application/pgp-signature" => Some(MailCover::PgpSigned),
        ("multipart", "encrypted") if protocol == "application/pgp-encrypted" => {
            Some(MailCover::PgpEncrypted)
        }
        ("application", "pkcs7-mime" | "x-pkcs7-mime") => smime(part),
        _ => None,
    }
}

/// What a file of S/MIME says that it is, or else what its first octets say.
fn smime(part: &Part<'_>) -> Option<MailCover> {
    match part.header.smime_type.as_deref() {
        Some("signed-data") => return Some(MailCover::SmimeWrapped),
        Some("enveloped-data" | "authenveloped-data") => {
            return Some(MailCover::SmimeEncrypted);
        }
        // Certificates alone are a file as any other.
        Some("certs-only") => return None,
        _ => {}
    }
    let (decoded, _) = part.header.encoding.decode(&part.body[..part.body.len().min(4 * HEAD)]);
    let head = &decoded[..decoded.len().min(HEAD)];
    let holds = |oid: &[u8]| memchr::memmem::find(head, oid).is_some();
    // What is neither said nor seen hides something, most of the time.
    Some(if holds(SIGNED_DATA) { MailCover::SmimeWrapped } else { MailCover::SmimeEncrypted })
}

/// Armour within the words themselves (RFC 9580, sections 6.2 and 7).
fn in_text(text: &str) -> Option<MailCover> {
    text.lines().find_map(|line| match line.trim_end() {
        "-----BEGIN PGP MESSAGE-----" => Some(MailCover::PgpEncrypted),
        "-----BEGIN PGP SIGNED MESSAGE-----" => Some(MailCover::PgpSigned),
        _ => None,
    })
}
