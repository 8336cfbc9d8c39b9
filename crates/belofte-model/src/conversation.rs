// SPDX-License-Identifier: EUPL-1.2
//! Conversations: the states of a case and what incoming and outgoing messages do to it.

use serde::{Deserialize, Serialize};

use crate::{Duration, Timestamp};

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationStatus {
    /// Somebody of the tenant has to act.
    Open,
    /// The customer has been answered and may act.
    Waiting,
    /// Put off: somebody of the tenant has to act, and not before a moment that they chose.
    Snoozed,
    /// Done. A new message of the customer opens it again.
    Resolved,
}

impl ConversationStatus {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::Waiting, Self::Snoozed, Self::Resolved];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Snoozed => "snoozed",
            Self::Resolved => "resolved",
        }
    }

    /// The state of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// A case is put off at most this long: what is to happen in more than a year is no work of a desk.
pub const SNOOZE_MOST: Duration = Duration::from_secs(366 * 24 * 3_600);

/// Whether at `now` a case may be put off until `until`.
#[must_use]
pub fn may_snooze(until: Timestamp, now: Timestamp) -> bool {
    now < until && until <= now + SNOOZE_MOST
}

/// Where a case stands, with what belongs to that: a case that is put off has a moment at which it
/// comes back, and no other case has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// See [`ConversationStatus::Open`].
    Open,
    /// See [`ConversationStatus::Waiting`].
    Waiting,
    /// Until then; see [`ConversationStatus::Snoozed`].
    Snoozed(Timestamp),
    /// See [`ConversationStatus::Resolved`].
    Resolved,
}

impl Standing {
    /// The standing of a status and a moment; `None` where one lacks the other.
    #[must_use]
    pub const fn of(status: ConversationStatus, until: Option<Timestamp>) -> Option<Self> {
        match (status, until) {
            (ConversationStatus::Open, None) => Some(Self::Open),
            (ConversationStatus::Waiting, None) => Some(Self::Waiting),
            (ConversationStatus::Resolved, None) => Some(Self::Resolved),
            (ConversationStatus::Snoozed, Some(until)) => Some(Self::Snoozed(until)),
            (ConversationStatus::Snoozed, None)
            | (
                ConversationStatus::Open | ConversationStatus::Waiting | ConversationStatus::Resolved,
                Some(_),
            ) => None,
        }
    }

    /// Its status.
    #[must_use]
    pub const fn status(self) -> ConversationStatus {
        match self {
            Self::Open => ConversationStatus::Open,
            Self::Waiting => ConversationStatus::Waiting,
            Self::Snoozed(_) => ConversationStatus::Snoozed,
            Self::Resolved => ConversationStatus::Resolved,
        }
    }

    /// When the case comes back by itself.
    #[must_use]
    pub const fn until(self) -> Option<Timestamp> {
        match self {
            Self::Snoozed(until) => Some(until),
            Self::Open | Self::Waiting | Self::Resolved => None,
        }
    }

    /// Where the case stands when its moment may have come: open, whatever it was before it was put
    /// off, since somebody wanted to see it again. `None` when there is nothing to wake: it was woken
    /// before, or put off further.
    #[must_use]
    pub fn on_wake(self, now: Timestamp) -> Option<Self> {
        self.until().filter(|until| *until <= now).map(|_| Self::Open)
    }
}

/// What kind of message came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A person wrote.
    Person,
    /// A machine wrote, or the tenant itself: out of office, delivery status, newsletter (RFC 3834, RFC 3464),
    /// an answer of ours that another address of ours got along with the customer.
    Automatic,
}

/// The state after a message came in. The customer's wakes a case that is put off. A machine's message
/// neither does that nor opens a resolved case: an out-of-office reply is no question.
#[must_use]
pub const fn on_incoming(status: ConversationStatus, incoming: Incoming) -> ConversationStatus {
    match incoming {
        Incoming::Person => ConversationStatus::Open,
        Incoming::Automatic => status,
    }
}

/// The state after an agent replied: the customer's turn, also where the case was put off. Who wants to
/// see it again all the same puts it off after the reply.
#[must_use]
pub const fn on_reply(_status: ConversationStatus) -> ConversationStatus {
    ConversationStatus::Waiting
}

/// Where two cases stand that become one: as the one of which more is asked. What somebody has to act
/// on now comes before what was put off, of two that were put off the earlier moment counts, and
/// nothing is done while a part of it is not.
#[must_use]
pub fn on_merge(one: Standing, other: Standing) -> Standing {
    match (one, other) {
        (Standing::Open, _) | (_, Standing::Open) => Standing::Open,
        (Standing::Snoozed(first), Standing::Snoozed(second)) => Standing::Snoozed(first.min(second)),
        (Standing::Snoozed(until), _) | (_, Standing::Snoozed(until)) => Standing::Snoozed(until),
        (Standing::Waiting, _) | (_, Standing::Waiting) => Standing::Waiting,
        (Standing::Resolved, Standing::Resolved) => Standing::Resolved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_cases_that_become_one_the_more_urgent_stands() {
        use Standing::{Open, Resolved, Snoozed, Waiting};
        let (early, late) = (Snoozed(Timestamp::from_secs(1)), Snoozed(Timestamp::from_secs(2)));
        let in_order = [Open, early, late, Waiting, Resolved];
        for (place, one) in in_order.into_iter().enumerate() {
            for other in &in_order[place..] {
                assert_eq!((on_merge(one, *other), on_merge(*other, one)), (one, one));
            }
        }
    }

    #[test]
    fn a_person_reopens_and_a_machine_does_not() {
        use ConversationStatus::{Open, Resolved, Snoozed, Waiting};
        assert_eq!(on_incoming(Snoozed, Incoming::Person), Open);
        assert_eq!(on_incoming(Snoozed, Incoming::Automatic), Snoozed);
        assert_eq!(on_reply(Snoozed), Waiting);
        assert_eq!(on_incoming(Resolved, Incoming::Person), Open);
        assert_eq!(on_incoming(Resolved, Incoming::Automatic), Resolved);
        assert_eq!(on_incoming(Waiting, Incoming::Automatic), Waiting);
        assert_eq!(on_reply(Open), Waiting);
    }

    #[test]
    fn a_case_wakes_at_its_moment_and_not_before() {
        let (now, later) = (Timestamp::from_secs(1_000), Timestamp::from_secs(2_000));
        assert_eq!(Standing::Snoozed(later).on_wake(now), None);
        assert_eq!(Standing::Snoozed(later).on_wake(later), Some(Standing::Open));
        for standing in [Standing::Open, Standing::Waiting, Standing::Resolved] {
            assert_eq!(standing.on_wake(later), None, "{standing:?}");
        }
    }

    #[test]
    fn only_a_case_that_is_put_off_has_a_moment() {
        let until = Timestamp::from_secs(1_000);
        for status in ConversationStatus::ALL {
            let snoozed = status == ConversationStatus::Snoozed;
            for moment in [None, Some(until)] {
                let standing = Standing::of(status, moment);
                assert_eq!(standing.is_some(), snoozed == moment.is_some(), "{status:?} {moment:?}");
                if let Some(standing) = standing {
                    assert_eq!((standing.status(), standing.until()), (status, moment));
                }
            }
        }
    }

    #[test]
    fn a_case_is_put_off_into_the_future_and_no_further_than_a_year() {
        let now = Timestamp::from_secs(1_000_000);
        assert!(!may_snooze(now, now) && may_snooze(now + Duration::from_secs(1), now));
        assert!(may_snooze(now + SNOOZE_MOST, now));
        assert!(!may_snooze(now + SNOOZE_MOST + Duration::from_secs(1), now));
    }

    #[test]
    fn names_are_read_back() {
        for status in ConversationStatus::ALL {
            assert_eq!(ConversationStatus::parse(status.as_str()), Some(status));
        }
    }
}
