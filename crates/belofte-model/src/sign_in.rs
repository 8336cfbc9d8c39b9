// SPDX-License-Identifier: EUPL-1.2
//! Signing in: when tries have to wait, and how long a session lives.
//!
//! Tries are counted for the account together with the network that they come from, for the
//! network, and for the account alone with a rule that only guessing from many networks reaches. A
//! browser that somebody signed in with before is counted by itself. So whoever guesses at an
//! account keeps neither others out nor its owner: not from another network, and never from a
//! browser of theirs.

use crate::{Duration, Timestamp};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// A session ends this long after the sign-in, whatever happens.
pub const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * HOUR);
/// A session ends this long after it was last used.
pub const SESSION_IDLE: Duration = Duration::from_secs(12 * HOUR);
/// The use of a session or key is written down at most this often.
pub const SEEN_EVERY: Duration = Duration::from_secs(MINUTE);
/// An operator's session ends this long after the sign-in.
pub const OPERATOR_SESSION_LIFE: Duration = Duration::from_secs(12 * HOUR);
/// An invitation can be accepted this long.
pub const INVITATION_LIFE: Duration = Duration::from_secs(7 * 24 * HOUR);

/// Whether a session that ends at `expires_at` at the latest and was last used at `last_seen_at`
/// still holds.
#[must_use]
pub fn session_holds(expires_at: Timestamp, last_seen_at: Timestamp, now: Timestamp) -> bool {
    now < expires_at && now < last_seen_at + SESSION_IDLE
}

/// Whether the use of a session or key at `now` is to be written down.
#[must_use]
pub fn worth_noting(last_seen_at: Option<Timestamp>, now: Timestamp) -> bool {
    last_seen_at.is_none_or(|seen| now >= seen + SEEN_EVERY)
}

/// The tries of one account or network that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the last of them was.
    pub last_at: Timestamp,
    /// Until when further tries are refused.
    pub locked_until: Option<Timestamp>,
}

/// How many tries are free, and how the pause after them grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockOut {
    /// After this many tries without success the first pause begins.
    pub free: u32,
    /// The first pause; each further try without success doubles it.
    pub first_pause: Duration,
    /// No pause is longer: the owner of the account can always come back.
    pub longest_pause: Duration,
    /// Tries are forgotten this long after the last of them.
    pub memory: Duration,
}

impl LockOut {
    /// For one account from one network, or from one known browser. Few tries, since its owner knows
    /// the password.
    pub const ACCOUNT: Self = Self {
        free: 5,
        first_pause: Duration::from_secs(30),
        longest_pause: Duration::from_secs(15 * MINUTE),
        memory: Duration::from_secs(6 * HOUR),
    };

    /// For one account from all networks together, known browsers apart: it slows down who guesses
    /// from many.
    pub const ACCOUNT_FROM_ANYWHERE: Self = Self { free: 100, ..Self::ACCOUNT };

    /// For one network. More tries, since a whole office may stand behind it.
    pub const NETWORK: Self = Self {
        free: 30,
        first_pause: Duration::from_secs(30),
        longest_pause: Duration::from_secs(15 * MINUTE),
        memory: Duration::from_secs(HOUR),
    };

    fn pause(&self, count: u32) -> Option<Duration> {
        let beyond = count.checked_sub(self.free)?;
        Some(self.first_pause.saturating_mul(1 << beyond.min(16)).min(self.longest_pause))
    }

    /// Takes a try at `now`, *before* the password is looked at, so that tries of the same moment
    /// count as well. A success gives it back ([`LockOut::given_back`]).
    ///
    /// # Errors
    /// How long to wait, when there were too many; a refused try does not count.
    pub fn take(&self, known: Option<Failures>, now: Timestamp) -> Result<Failures, Duration> {
        let known = known.filter(|known| now < known.last_at + self.memory);
        if let Some(until) = known.and_then(|known| known.locked_until)
            && now < until
        {
            return Err(until.since(now));
        }
        let count = known.map_or(0, |known| known.count).saturating_add(1);
        Ok(Failures { count, last_at: now, locked_until: self.pause(count).map(|pause| now + pause) })
    }

    /// What remains when the last try of `known` was no failure: one less, and no pause. Earlier
    /// failures stay, so that somebody with an account of their own cannot wash away what they
    /// tried at others.
    #[must_use]
    pub fn given_back(known: Failures) -> Option<Failures> {
        let count = known.count.saturating_sub(1);
        (count > 0).then_some(Failures { count, locked_until: None, ..known })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000) + Duration::from_secs(seconds)
    }

    #[test]
    fn the_pause_begins_after_the_free_tries_and_doubles_up_to_a_bound() {
        let rule = LockOut::ACCOUNT;
        let (mut known, mut now, mut pauses) = (None, at(0), Vec::new());
        for _ in 0..14 {
            let failures: Failures = rule.take(known, now).expect("not locked now");
            if let Some(until) = failures.locked_until {
                pauses.push(until.since(now).as_secs());
                let almost = until - Duration::from_secs(1);
                assert_eq!(rule.take(Some(failures), almost), Err(Duration::from_secs(1)));
                now = until;
            }
            known = Some(failures);
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 900, 900, 900, 900, 900]);
    }

    #[test]
    fn old_tries_are_forgotten_and_a_long_count_does_not_overflow() {
        let rule = LockOut::ACCOUNT;
        let known = Failures { count: u32::MAX, last_at: at(0), locked_until: Some(at(900)) };
        assert_eq!(rule.take(Some(known), at(901)).expect("open again").count, u32::MAX);
        let later = rule.take(Some(known), at(6 * HOUR)).expect("forgotten");
        assert_eq!((later.count, later.locked_until), (1, None));
    }

    #[test]
    fn a_success_takes_its_own_try_back_and_no_other() {
        let rule = LockOut { free: 2, ..LockOut::NETWORK };
        let one = rule.take(None, at(0)).expect("free");
        assert_eq!(LockOut::given_back(one), None);
        let two = rule.take(Some(one), at(1)).expect("free");
        assert!(two.locked_until.is_some());
        let back = LockOut::given_back(two).expect("the first try stays");
        assert_eq!((back.count, back.locked_until), (1, None));
        assert!(rule.take(Some(back), at(2)).expect("free").locked_until.is_some());
    }

    #[test]
    fn a_session_ends_when_unused_and_in_any_case_after_thirty_days() {
        let ends = at(0) + SESSION_LIFE;
        assert!(session_holds(ends, at(0), at(12 * HOUR - 1)));
        assert!(!session_holds(ends, at(0), at(12 * HOUR)));
        let day = 24 * HOUR;
        assert!(session_holds(ends, at(30 * day - 10), at(30 * day - 1)));
        assert!(!session_holds(ends, at(30 * day - 10), at(30 * day)));
        assert!(worth_noting(None, at(0)) && worth_noting(Some(at(0)), at(60)));
        assert!(!worth_noting(Some(at(0)), at(59)));
    }
}
