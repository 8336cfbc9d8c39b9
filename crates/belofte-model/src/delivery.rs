// SPDX-License-Identifier: EUPL-1.2
//! Deliveries: the outbound state of one message for one recipient, apart from "sent".

use serde::{Deserialize, Serialize};

use crate::{Duration, Timestamp};

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its turn or for its next try.
    Queued,
    /// A worker holds it.
    Sending,
    /// The next server took responsibility for it (RFC 5321, section 4.2.5).
    Sent,
    /// Refused for good, or given up.
    Failed,
    /// The line dropped after the data went out: it may have arrived. Never resent alone.
    Unknown,
}

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Sending, Self::Sent, Self::Failed, Self::Unknown];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The state of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether its recipient may have it: whoever says so is believed.
    #[must_use]
    pub const fn is_handed_over(self) -> bool {
        matches!(self, Self::Sent | Self::Unknown)
    }

    /// Whether a person may ask for another try.
    #[must_use]
    pub const fn may_retry(self) -> bool {
        matches!(self, Self::Failed | Self::Unknown)
    }
}

/// What a report says of a recipient (RFC 3464, section 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reported {
    /// The mail was not delivered, and nobody tries any more.
    Failed,
    /// It is not delivered yet, and still tried.
    Delayed,
    /// It was delivered, or handed on to where no report comes from.
    Delivered,
}

/// The code of a delivery that was found among what the mailbox of its account has sent.
pub const FOUND_IN_SENT: &str = "found_in_sent";

/// When the mailbox of an account is looked in for a message whose arrival became unknown at `since`: the next
/// time after `now`, or never any more. A server that has taken it files its copy within seconds, as a rule.
#[must_use]
pub fn next_look(since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    const LOOKS: [Duration; 4] = [
        Duration::from_secs(5),
        Duration::from_secs(60),
        Duration::from_secs(600),
        Duration::from_secs(3_600),
    ];
    LOOKS.into_iter().map(|pause| since + pause).find(|at| *at > now)
}

/// The code of a delivery that its next server still tries.
pub const DELAYED: &str = "delayed";

/// Where a delivery stands after a report: its state, and whether it is delayed. `None` when the
/// report changes nothing: it is old, or repeats what is known, or speaks of what we have not handed
/// over.
#[must_use]
pub const fn on_report(
    state: DeliveryState,
    delayed: bool,
    reported: Reported,
) -> Option<(DeliveryState, bool)> {
    match (state, reported) {
        // A failure that was told is not taken back by a machine; what waits for its turn, after a
        // person's retry, is another hand-over than the one that is spoken of.
        (DeliveryState::Failed | DeliveryState::Queued | DeliveryState::Sending, _) => None,
        (DeliveryState::Sent | DeliveryState::Unknown, Reported::Failed) => {
            Some((DeliveryState::Failed, false))
        }
        (DeliveryState::Sent, Reported::Delayed) if delayed => None,
        // Who reports on it has it.
        (DeliveryState::Sent | DeliveryState::Unknown, Reported::Delayed) => {
            Some((DeliveryState::Sent, true))
        }
        (DeliveryState::Sent, Reported::Delivered) if !delayed => None,
        (DeliveryState::Sent | DeliveryState::Unknown, Reported::Delivered) => {
            Some((DeliveryState::Sent, false))
        }
    }
}

/// When to try again after a temporary failure (RFC 5321, section 4.5.4.1: at least four to five
/// days in all; first tries quicker, since most failures last minutes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySchedule {
    /// The pause after the first failure.
    pub first: Duration,
    /// No pause is longer.
    pub longest: Duration,
    /// After this the delivery has failed.
    pub give_up_after: Duration,
}

impl Default for RetrySchedule {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(60),
            longest: Duration::from_secs(4 * 3_600),
            give_up_after: Duration::from_secs(5 * 86_400),
        }
    }
}

impl RetrySchedule {
    /// The time of the next try after `attempts` failures, the latest at `now`, of a message that
    /// was queued at `queued`; `None` when it is time to give up. `jitter` (0 to 255) spreads
    /// tries over a quarter of the pause, so that a server that comes back is not flooded.
    #[must_use]
    pub fn next(&self, queued: Timestamp, now: Timestamp, attempts: u32, jitter: u8) -> Option<Timestamp> {
        let doubled = self.first.saturating_mul(1_u32 << attempts.saturating_sub(1).min(16));
        let pause = doubled.min(self.longest);
        let spread = pause.mul_f64(0.25 * f64::from(jitter) / 255.0);
        let at = now + pause + spread;
        (at.since(queued) <= self.give_up_after).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end() {
        let schedule = RetrySchedule::default();
        let queued = Timestamp::from_secs(1_000_000);
        let (mut now, mut attempts, mut pauses) = (queued, 1, Vec::new());
        while let Some(next) = schedule.next(queued, now, attempts, 0) {
            pauses.push(next.since(now).as_secs());
            now = next;
            attempts += 1;
        }
        assert_eq!(pauses[..4], [60, 120, 240, 480]);
        assert!(pauses.iter().all(|pause| *pause <= 4 * 3_600));
        let days = now.since(queued).as_secs_f64() / 86_400.0;
        assert!((4.0..=5.0).contains(&days), "gave up after {days} days");
    }

    #[test]
    fn a_report_changes_only_what_was_handed_over() {
        use DeliveryState::{Failed, Queued, Sending, Sent, Unknown};
        use Reported::{Delayed, Delivered};
        for reported in [Reported::Failed, Delayed, Delivered] {
            for state in [Failed, Queued, Sending] {
                assert_eq!(on_report(state, false, reported), None, "{state:?}");
            }
        }
        assert_eq!(on_report(Sent, true, Reported::Failed), Some((Failed, false)));
        assert_eq!(on_report(Unknown, false, Reported::Failed), Some((Failed, false)));
        assert_eq!(on_report(Sent, false, Delayed), Some((Sent, true)));
        assert_eq!(on_report(Sent, true, Delayed), None);
        assert_eq!(on_report(Unknown, false, Delayed), Some((Sent, true)));
        assert_eq!(on_report(Sent, false, Delivered), None);
        assert_eq!(on_report(Sent, true, Delivered), Some((Sent, false)));
        assert_eq!(on_report(Unknown, false, Delivered), Some((Sent, false)));
    }

    #[test]
    fn a_mailbox_is_looked_in_four_times_within_an_hour() {
        let since = Timestamp::from_secs(1_000_000);
        let (mut now, mut looks) = (since, Vec::new());
        while let Some(at) = next_look(since, now) {
            looks.push(at.since(since).as_secs());
            now = at;
        }
        assert_eq!(looks, [5, 60, 600, 3_600]);
        // Who comes late looks at the next time, and not at all of those that were missed.
        assert_eq!(next_look(since, since + Duration::from_secs(61)), Some(since + Duration::from_secs(600)));
    }

    #[test]
    fn only_failed_and_unknown_may_be_retried() {
        for state in DeliveryState::ALL {
            let may = matches!(state, DeliveryState::Failed | DeliveryState::Unknown);
            assert_eq!(state.may_retry(), may);
            assert_eq!(DeliveryState::parse(state.as_str()), Some(state));
        }
    }
}
