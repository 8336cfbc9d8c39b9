// SPDX-License-Identifier: EUPL-1.2
//! Internet mail without sockets: bytes in, message out, and the other way round.
//!
//! What this crate does *not* know: sockets, SQL, keys, the time and chance, tenants and
//! contacts. It decides nothing about conversations either: it says what a mail is, to which
//! mails it points and whether a machine wrote it; filing it is the core's.
//!
//! Everything here holds for any input: no function panics, and each takes time in proportion
//! to the size of its input. The structure of a mail is therefore read by one walk over its
//! lines with bounds on parts and depth (`structure`), while the fields of its headers, their
//! encodings and the charsets are read by `mail-parser` in bounded pieces.

mod address;
mod automatic;
mod charset;
mod complaint;
mod compose;
mod content_hash;
mod cover;
mod encoding;
mod header;
mod html;
mod invitation;
mod markup;
mod media_type;
mod names;
mod parse;
mod problem;
mod remote;
mod reply_address;
mod signature;
mod structure;
mod text;
mod thread;
mod trace;

#[cfg(test)]
mod tests;

pub use address::Mailbox;
pub use automatic::{Automatic, Bounce, BounceAction, EnvelopeSender, FailedRecipient};
pub use complaint::Complaint;
pub use compose::{OutgoingAttachment, OutgoingKind, OutgoingMail, compose, message_id};
pub use content_hash::content_hash;
pub use html::{Sanitised, sanitise};
pub use media_type::{HEAD as MEDIA_TYPE_HEAD, by_content as media_type_by_content};
pub use names::{attachment_name, display_name};
pub use parse::{ParsedAttachment, ParsedMail, parse, parse_with};
pub use problem::{Problem, Problems};
pub use remote::remote_images;
pub use reply_address::{ReplyAddress, ReplyAddressError};
pub use signature::signature_from;
pub use text::{alternative_text, html_to_text, quoted_from, snippet, utf16_offset};
pub use thread::{normalise_message_id, thread_candidates};
pub use trace::{Trace, imap_day, internal_date, trace};

/// The largest header of a mail or of one of its parts, in octets; beyond it a mail goes to
/// quarantine as `HeaderTooLarge`.
pub const MAX_HEADER: usize = 1024 * 1024;
/// The most parts a mail may have; beyond it a mail goes to quarantine as `TooManyParts`.
pub const MAX_PARTS: usize = 1_000;
/// How deeply parts may be nested; beyond it a mail goes to quarantine as `TooManyParts`.
pub const MAX_DEPTH: usize = 50;
