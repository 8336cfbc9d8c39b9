// SPDX-License-Identifier: EUPL-1.2
//! Messages and notes.

use serde::{Deserialize, Serialize};

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the customer.
    In,
    /// To the customer.
    Out,
    /// Stays inside the tenant.
    Internal,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// From the customer.
    Incoming,
    /// An answer to the customer.
    Reply,
    /// Internal; the customer never sees it.
    Note,
    /// From a machine: out of office, delivery status, newsletter.
    Automatic,
}

impl MessageKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Incoming, Self::Reply, Self::Note, Self::Automatic];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Reply => "reply",
            Self::Note => "note",
            Self::Automatic => "automatic",
        }
    }

    /// The kind of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Which way it goes.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::Incoming | Self::Automatic => Direction::In,
            Self::Reply => Direction::Out,
            Self::Note => Direction::Internal,
        }
    }
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorKind {
    /// The customer.
    Contact,
    /// A user of the tenant.
    User,
    /// A program of the tenant.
    ApiKey,
}
