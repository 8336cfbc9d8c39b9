// SPDX-License-Identifier: EUPL-1.2
//! What a mail brings besides words and files: a cover that hides or vouches for it, an invitation.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How its writer covered a mail. Nothing of it is checked or opened here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailCover {
    /// Signed by S/MIME; the words stand beside the signature (RFC 8551, section 3.5.3).
    SmimeSigned,
    /// Signed by S/MIME; the words lie within the signature, in a file (RFC 8551, section 3.5.2).
    SmimeWrapped,
    /// Encrypted by S/MIME (RFC 8551, sections 3.3 and 3.4).
    SmimeEncrypted,
    /// Signed by OpenPGP, beside the words or around them (RFC 3156, section 5; RFC 9580, section 7).
    PgpSigned,
    /// Encrypted by OpenPGP (RFC 3156, section 4; RFC 9580, section 6.2).
    PgpEncrypted,
}

impl MailCover {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::SmimeSigned, Self::SmimeWrapped, Self::SmimeEncrypted, Self::PgpSigned, Self::PgpEncrypted];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SmimeSigned => "smime_signed",
            Self::SmimeWrapped => "smime_wrapped",
            Self::SmimeEncrypted => "smime_encrypted",
            Self::PgpSigned => "pgp_signed",
            Self::PgpEncrypted => "pgp_encrypted",
        }
    }
}

/// What the calendar of the sender asks or tells (RFC 5546, section 1.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationMethod {
    /// Somebody is asked to come, or is told of a change.
    Request,
    /// It is off.
    Cancel,
    /// Somebody answers an invitation.
    Reply,
    /// Another time is proposed.
    Counter,
    /// It is only made known.
    #[default]
    Publish,
}

impl InvitationMethod {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Request, Self::Cancel, Self::Reply, Self::Counter, Self::Publish];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Cancel => "cancel",
            Self::Reply => "reply",
            Self::Counter => "counter",
            Self::Publish => "publish",
        }
    }
}

/// A moment in a calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalendarTime {
    /// An instant.
    At(Timestamp),
    /// A whole day, `2026-12-01`, wherever one is.
    Day(String),
    /// A time without a zone, or of a zone that nobody knows: `2026-12-01T10:00:00`.
    Local(String),
}

/// An appointment that a mail speaks of (iCalendar, RFC 5545).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// What is asked or told.
    pub method: InvitationMethod,
    /// What it is about; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Where; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// When it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<CalendarTime>,
    /// When it ends. A last day is the last one that belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<CalendarTime>,
    /// Whether it comes again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recurs: bool,
    /// How many more appointments the same file holds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u32,
    /// The name of who organises it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub organiser_name: String,
    /// The address of who organises it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub organiser_address: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Personal: shows only what is asked.
impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation").field("method", &self.method).finish_non_exhaustive()
    }
}
