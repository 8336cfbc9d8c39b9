// SPDX-License-Identifier: EUPL-1.2
//! To which earlier mails a mail points (RFC 5322, section 3.6.4).

use crate::{header::clean_id, parse::ParsedMail};

/// The longest identifier kept, in octets: the longest line of a mail.
pub(crate) const MAX_ID: usize = 998;
/// The most identifiers kept of one field.
pub(crate) const MAX_IDS: usize = 100;
/// The most candidates given.
const MAX_CANDIDATES: usize = 50;

/// The mails that `mail` may answer, nearest first: In-Reply-To, then References from its end
/// (the parent) to its beginning (the root). Without angle brackets, without repetition, at
/// most 50. Never by subject: two customers may write the same one.
#[must_use]
pub fn thread_candidates(mail: &ParsedMail) -> Vec<&str> {
    let own = mail.message_id.as_deref();
    let mut found: Vec<&str> = Vec::new();
    for id in mail.in_reply_to.iter().chain(mail.references.iter().rev()) {
        let id = id.as_str();
        if Some(id) != own && !found.contains(&id) {
            found.push(id);
            if found.len() == MAX_CANDIDATES {
                break;
            }
        }
    }
    found
}

/// An identifier as it is compared and stored: without angle brackets, white space and control
/// characters. None when nothing is left or it is longer than a line may be. Case is kept: the
/// left part may be anything (RFC 5322, section 3.6.4).
#[must_use]
pub fn normalise_message_id(id: &str) -> Option<String> {
    let id = id.trim();
    let id = id.strip_prefix('<').unwrap_or(id);
    clean_id(id.strip_suffix('>').unwrap_or(id).as_bytes())
}
