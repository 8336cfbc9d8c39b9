// SPDX-License-Identifier: EUPL-1.2
//! Why an access touches data, and what that purpose lets it do (decision 13).

use serde::{Deserialize, Serialize};

/// Why content is touched (GDPR article 5(1)(b)). Stands in every access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Receiving and filing what customers send.
    Intake,
    /// Helping a customer.
    Service,
    /// Sending what an agent wrote.
    Delivery,
    /// Setting up and keeping the tenant's desk.
    Administration,
    /// The tenant's own supervision of views and changes.
    Oversight,
    /// Keys, indexes, checkpoints, clean-up.
    Upkeep,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Intake, Self::Service, Self::Delivery, Self::Administration, Self::Oversight, Self::Upkeep];

    /// The spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Service => "service",
            Self::Delivery => "delivery",
            Self::Administration => "administration",
            Self::Oversight => "oversight",
            Self::Upkeep => "upkeep",
        }
    }

    /// Whether an access of this purpose may do this.
    #[must_use]
    pub const fn may(self, what: Use) -> bool {
        match what {
            Use::Receive => matches!(self, Self::Intake),
            Use::Look | Use::Answer => matches!(self, Self::Service),
            Use::ReadMessage => matches!(self, Self::Intake | Self::Service | Self::Delivery),
            Use::ReadSource => matches!(self, Self::Intake | Self::Service),
            Use::Send => matches!(self, Self::Delivery),
            Use::UseSecret => matches!(self, Self::Delivery | Self::Administration),
            Use::UseToken => matches!(self, Self::Intake | Self::Delivery | Self::Administration),
            Use::Name => matches!(self, Self::Service | Self::Administration | Self::Oversight),
            Use::Account => matches!(self, Self::Service | Self::Administration),
            Use::Configure | Use::Preview => matches!(self, Self::Administration),
            Use::Follow => matches!(self, Self::Service | Self::Administration | Self::Upkeep),
            Use::Oversee => matches!(self, Self::Oversight),
            Use::Maintain => matches!(self, Self::Upkeep),
            Use::Notify => matches!(self, Self::Administration | Self::Upkeep),
        }
    }
}

/// What is done with the data of a tenant. Closed: what the store can be asked names one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Use {
    /// Take in, file and set aside what came.
    Receive,
    /// Look through cases and people: lists, counts, contacts, search, what happened.
    Look,
    /// Open a message with its files.
    ReadMessage,
    /// Open a mail as it came.
    ReadSource,
    /// Write answers and notes, and change cases and what is known of people.
    Answer,
    /// Hand answers over, and record what became of it.
    Send,
    /// Open the password of a submission server.
    UseSecret,
    /// Open the token that a provider gave for signing in at mail servers, and renew it.
    UseToken,
    /// Tell the names of users, queues, programs and channel accounts.
    Name,
    /// Account for mail: sums, quarantine, what failed for good, and trying it again.
    Account,
    /// Change settings and memberships, and see what is for those who do.
    Configure,
    /// Try a change of settings on what stands in the records of people, to tell what it would do.
    Preview,
    /// Follow what happens: numbers and ids.
    Follow,
    /// Read the ledger.
    Oversee,
    /// Index, sweep, rewrap, sign.
    Maintain,
    /// Open where a device of a user is reached, to tell it that something is new.
    Notify,
}

impl Use {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Receive,
        Self::Look,
        Self::ReadMessage,
        Self::ReadSource,
        Self::Answer,
        Self::Send,
        Self::UseSecret,
        Self::UseToken,
        Self::Name,
        Self::Account,
        Self::Configure,
        Self::Preview,
        Self::Follow,
        Self::Oversee,
        Self::Maintain,
        Self::Notify,
    ];

    /// The spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Look => "look",
            Self::ReadMessage => "read_message",
            Self::ReadSource => "read_source",
            Self::Answer => "answer",
            Self::Send => "send",
            Self::UseSecret => "use_secret",
            Self::UseToken => "use_token",
            Self::Name => "name",
            Self::Account => "account",
            Self::Configure => "configure",
            Self::Preview => "preview",
            Self::Follow => "follow",
            Self::Oversee => "oversee",
            Self::Maintain => "maintain",
            Self::Notify => "notify",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decision 13: each purpose with all that it may do.
    const TABLE: [(Purpose, &[&str]); 6] = [
        (Purpose::Intake, &["receive", "read_message", "read_source", "use_token"]),
        (Purpose::Service, &["look", "read_message", "read_source", "answer", "name", "account", "follow"]),
        (Purpose::Delivery, &["read_message", "send", "use_secret", "use_token"]),
        (
            Purpose::Administration,
            &["use_secret", "use_token", "name", "account", "configure", "preview", "follow", "notify"],
        ),
        (Purpose::Oversight, &["name", "oversee"]),
        (Purpose::Upkeep, &["follow", "maintain", "notify"]),
    ];

    #[test]
    fn each_purpose_may_do_what_the_decision_says_and_nothing_else() {
        assert_eq!(TABLE.map(|(purpose, _)| purpose), Purpose::ALL);
        for (purpose, expected) in TABLE {
            let may = Use::ALL.into_iter().filter(|what| purpose.may(*what)).map(Use::as_str);
            assert_eq!(may.collect::<Vec<_>>(), expected, "{}", purpose.as_str());
        }
    }

    #[test]
    fn content_is_read_for_three_purposes_alone() {
        let reads = |purpose: &Purpose| {
            [Use::Look, Use::ReadMessage, Use::ReadSource].into_iter().any(|what| purpose.may(what))
        };
        let who: Vec<_> = Purpose::ALL.into_iter().filter(reads).collect();
        assert_eq!(who, [Purpose::Intake, Purpose::Service, Purpose::Delivery]);
    }
}
