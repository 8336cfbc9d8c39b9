// SPDX-License-Identifier: EUPL-1.2
//! Conversations: the states of a case and what incoming and outgoing messages do to it.

use serde::{Deserialize, Serialize};

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationStatus {
    /// Somebody of the tenant has to act.
    Open,
    /// The customer has been answered and may act.
    Waiting,
    /// Done. A new message of the customer opens it again.
    Resolved,
}

impl ConversationStatus {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Open, Self::Waiting, Self::Resolved];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Resolved => "resolved",
        }
    }

    /// The state of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// What kind of message came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A person wrote.
    Person,
    /// A machine wrote: out of office, delivery status, list (RFC 3834, RFC 3464).
    Automatic,
}

/// The state after a message came in. A machine's message never opens a resolved case: an
/// out-of-office reply is no question.
#[must_use]
pub const fn on_incoming(status: ConversationStatus, incoming: Incoming) -> ConversationStatus {
    match incoming {
        Incoming::Person => ConversationStatus::Open,
        Incoming::Automatic => status,
    }
}

/// The state after an agent replied: the customer's turn.
#[must_use]
pub const fn on_reply(_status: ConversationStatus) -> ConversationStatus {
    ConversationStatus::Waiting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_reopens_and_a_machine_does_not() {
        use ConversationStatus::{Open, Resolved, Waiting};
        assert_eq!(on_incoming(Resolved, Incoming::Person), Open);
        assert_eq!(on_incoming(Resolved, Incoming::Automatic), Resolved);
        assert_eq!(on_incoming(Waiting, Incoming::Automatic), Waiting);
        assert_eq!(on_reply(Open), Waiting);
    }

    #[test]
    fn names_are_read_back() {
        for status in ConversationStatus::ALL {
            assert_eq!(ConversationStatus::parse(status.as_str()), Some(status));
        }
    }
}
