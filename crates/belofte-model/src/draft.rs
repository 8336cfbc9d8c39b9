// SPDX-License-Identifier: EUPL-1.2
//! What somebody is writing and has not sent.

use serde::{Deserialize, Serialize};

/// What a draft becomes when it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DraftKind {
    /// A reply, or a message that is passed on.
    Reply,
    /// A note.
    Note,
    /// A mail that begins a conversation.
    Mail,
}

impl DraftKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Reply, Self::Note, Self::Mail];

    /// The stored and sent name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Note => "note",
            Self::Mail => "mail",
        }
    }

    /// The kind of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
