// SPDX-License-Identifier: EUPL-1.2
//! When a device is told that something is new, and until when it is worth telling.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// So long after its cause it is worth telling somebody that something is new; later they have looked, or have
/// gone home.
pub const PUSH_WORTH: Duration = Duration::from_secs(3_600);
/// The shortest wait before a push service is asked again.
const SOONEST: Duration = Duration::from_secs(15);
/// The longest.
const LATEST: Duration = Duration::from_secs(900);

/// Why a device was not told the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushProblem {
    /// Its push service was not reached, or had no time for us, for as long as it was worth telling.
    Unreachable,
    /// Its push service takes nothing of ours for this device.
    Refused,
    /// The operator's configuration does not list its push service any more.
    NotListed,
}

impl PushProblem {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Unreachable, Self::Refused, Self::NotListed];

    /// The stored and sent name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::NotListed => "not_listed",
        }
    }

    /// The problem of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.as_str() == name)
    }
}

/// When a push service that had no time for us at `now` is asked again about what happened at `cause`: when it
/// said (`wait`), else after as long again as it took until now. `None` when that is too late to be of use.
#[must_use]
pub fn next_push(cause: Timestamp, now: Timestamp, wait: Option<Duration>) -> Option<Timestamp> {
    let pause = wait.map_or_else(
        || now.since(cause).clamp(SOONEST, LATEST),
        // Who says nought means soon, and not at once for ever.
        |wait| wait.max(SOONEST),
    );
    // A wait of centuries must not overflow on its way to being too late.
    let next = now + pause.min(PUSH_WORTH);
    (pause < PUSH_WORTH && next < cause + PUSH_WORTH).then_some(next)
}

/// How long a push service may keep what happened at `cause` for a device that is away at `now`, in seconds (RFC
/// 8030, section 5.2): as long as it is worth telling.
#[must_use]
pub fn push_ttl(cause: Timestamp, now: Timestamp) -> u64 {
    PUSH_WORTH.saturating_sub(now.since(cause)).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn a_service_is_asked_again_less_and_less_often_and_not_after_an_hour() {
        let (cause, mut now, mut asked) = (at(0), at(2), Vec::new());
        while let Some(next) = next_push(cause, now, None) {
            assert!(next >= now + SOONEST && next < cause + PUSH_WORTH);
            asked.push(next.as_secs());
            now = next;
        }
        assert_eq!(asked, [17, 34, 68, 136, 272, 544, 1_088, 1_988, 2_888]);
    }

    #[test]
    fn what_the_service_says_counts_while_it_is_of_use() {
        let wait = |secs| Some(Duration::from_secs(secs));
        assert_eq!(next_push(at(0), at(10), wait(120)), Some(at(130)));
        assert_eq!(next_push(at(0), at(10), wait(0)), Some(at(25)), "not at once for ever");
        assert_eq!(next_push(at(0), at(10), wait(3_590)), None, "too late to be of use");
        assert_eq!(next_push(at(0), at(10), wait(u64::MAX)), None);
        // A clock that went back makes nothing last longer than from now on.
        assert_eq!(next_push(at(100), at(10), None), Some(at(25)));
    }

    #[test]
    fn it_is_kept_for_a_device_as_long_as_it_is_worth_telling() {
        assert_eq!(push_ttl(at(0), at(2)), 3_598);
        assert_eq!(push_ttl(at(0), at(3_600)), 0);
        assert_eq!(push_ttl(at(0), at(9_000)), 0);
        assert_eq!(push_ttl(at(50), at(0)), 3_600);
    }

    #[test]
    fn names_of_problems_are_read_back() {
        for problem in PushProblem::ALL {
            assert_eq!(PushProblem::parse(problem.as_str()), Some(problem));
        }
    }
}
