// SPDX-License-Identifier: EUPL-1.2
//! What a user is told of, and by which ways.

use serde::{Deserialize, Serialize};

/// What a notification tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// A colleague named the user in a note.
    Mentioned,
    /// A colleague gave a conversation to the user.
    Assigned,
    /// The customer wrote in a conversation that is the user's.
    CustomerMessage,
    /// What the user sent was refused, or nobody knows whether it arrived.
    DeliveryFailed,
}

impl NotificationKind {
    /// All kinds, in the order in which their preferences are shown.
    pub const ALL: [Self; 4] = [Self::Mentioned, Self::Assigned, Self::CustomerMessage, Self::DeliveryFailed];

    /// The stored and sent name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mentioned => "mentioned",
            Self::Assigned => "assigned",
            Self::CustomerMessage => "customer_message",
            Self::DeliveryFailed => "delivery_failed",
        }
    }

    /// The kind of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether each message has a line of its own; otherwise there is one for its conversation, which counts.
    #[must_use]
    pub const fn of_message(self) -> bool {
        match self {
            Self::Mentioned | Self::DeliveryFailed => true,
            Self::Assigned | Self::CustomerMessage => false,
        }
    }
}

/// By which ways a user wants to be told of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotificationWays {
    /// As a line in the desk.
    pub desk: bool,
    /// On the devices that the user has chosen for it.
    pub push: bool,
}

impl NotificationWays {
    /// What holds for who has chosen nothing.
    pub const ALL: Self = Self { desk: true, push: true };

    /// Whether there is any.
    #[must_use]
    pub const fn any(self) -> bool {
        self.desk || self.push
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_name_of_its_own() {
        for kind in NotificationKind::ALL {
            assert_eq!(NotificationKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(NotificationKind::parse("seen"), None);
    }
}
