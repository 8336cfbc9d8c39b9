// SPDX-License-Identifier: EUPL-1.2
//! Intake: everything received is imported or quarantined, and the sum is shown.

use serde::{Deserialize, Serialize};

/// Where a received mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntakeState {
    /// Durable and acknowledged; not filed yet.
    Received,
    /// A message of a conversation.
    Imported,
    /// Seen before on this account: the message is there once.
    Duplicate,
    /// Could not be filed; its sealed source is kept.
    Quarantined,
}

impl IntakeState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Received, Self::Imported, Self::Duplicate, Self::Quarantined];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Imported => "imported",
            Self::Duplicate => "duplicate",
            Self::Quarantined => "quarantined",
        }
    }

    /// The state of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// Why a mail lies in quarantine. Closed, so that the desk can say each in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineReason {
    /// No header and body could be told apart.
    NotAMessage,
    /// More parts or deeper nesting than a person ever sends.
    TooManyParts,
    /// A header larger than any real one.
    HeaderTooLarge,
    /// No sender anywhere, neither in the header nor in the envelope.
    NoSender,
    /// Processing failed again and again; the reason is in the operator's log by number.
    ProcessingFailed,
    /// A scanner found malware in it.
    Malware,
    /// It is larger than the scanner takes, or the scanner does not come to an end with it.
    NotScanned,
}

impl QuarantineReason {
    /// All reasons.
    pub const ALL: [Self; 7] = [
        Self::NotAMessage,
        Self::TooManyParts,
        Self::HeaderTooLarge,
        Self::NoSender,
        Self::ProcessingFailed,
        Self::Malware,
        Self::NotScanned,
    ];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAMessage => "not_a_message",
            Self::TooManyParts => "too_many_parts",
            Self::HeaderTooLarge => "header_too_large",
            Self::NoSender => "no_sender",
            Self::ProcessingFailed => "processing_failed",
            Self::Malware => "malware",
            Self::NotScanned => "not_scanned",
        }
    }

    /// The reason of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}
