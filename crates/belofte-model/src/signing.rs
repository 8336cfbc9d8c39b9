// SPDX-License-Identifier: EUPL-1.2
//! Keys that sign mail in the name of a domain (DKIM, RFC 6376): where one stands, what keeps it from being used,
//! and when its record is looked at again.

use serde::{Deserialize, Serialize};

use crate::{Duration, Timestamp};

/// Where a key stands. Stored, and spoken in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SigningState {
    /// Its record was never seen right: it signs nothing.
    Waiting,
    /// It signs.
    Signing,
    /// It signs no more, and is destroyed. Its record stays for the mail that is under way.
    Former,
}

impl SigningState {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Signing => "signing",
            Self::Former => "former",
        }
    }

    /// The state of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Signing, Self::Former].into_iter().find(|state| state.as_str() == name)
    }
}

/// What is wrong with the record of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordProblem {
    /// There is none.
    Missing,
    /// It stands under its name with the domain a second time behind it: the form of the name server adds it.
    Doubled,
    /// There are several under the same name, of which verifiers take any (RFC 6376, section 3.6.2.2).
    Several,
    /// It holds another key.
    OtherKey,
    /// It holds the beginning of the key: it was cut off at 255 characters, as a rule.
    CutOff,
    /// It cannot be read.
    Malformed,
    /// It says that the key is revoked (an empty `p=`).
    Revoked,
    /// It says that the key is not for signatures like ours, or not for mail (`h=`, `s=`).
    NotForMail,
    /// No name server answers for the domain. Passes, as a rule.
    NoAnswer,
}

impl RecordProblem {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Missing,
        Self::Doubled,
        Self::Several,
        Self::OtherKey,
        Self::CutOff,
        Self::Malformed,
        Self::Revoked,
        Self::NotForMail,
        Self::NoAnswer,
    ];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Doubled => "doubled",
            Self::Several => "several",
            Self::OtherKey => "other_key",
            Self::CutOff => "cut_off",
            Self::Malformed => "malformed",
            Self::Revoked => "revoked",
            Self::NotForMail => "not_for_mail",
            Self::NoAnswer => "no_answer",
        }
    }

    /// The problem of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.as_str() == name)
    }
}

/// When the record of a key is looked at again that was made at `made_at` and stands at `state` now: often while
/// somebody may be busy with it, then less and less. `None` for one whose record nobody needs any more.
#[must_use]
pub fn next_look_at_record(
    state: SigningState,
    problem: Option<RecordProblem>,
    made_at: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = match (state, problem) {
        (SigningState::Former, _) => return None,
        (SigningState::Signing, None) => DAY / 2,
        (SigningState::Signing, Some(_)) => HOUR,
        (SigningState::Waiting, _) => {
            let age = (now.as_micros() - made_at.as_micros()).max(0).unsigned_abs() / 1_000_000;
            match age {
                0..HOUR => MINUTE,
                HOUR..DAY => 10 * MINUTE,
                _ if age < 30 * DAY => HOUR,
                _ => DAY,
            }
        }
    };
    Some(now + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for state in [SigningState::Waiting, SigningState::Signing, SigningState::Former] {
            assert_eq!(SigningState::parse(state.as_str()), Some(state));
        }
        for problem in RecordProblem::ALL {
            assert_eq!(RecordProblem::parse(problem.as_str()), Some(problem));
        }
        assert_eq!(SigningState::parse("x"), None);
    }

    #[test]
    fn a_record_is_looked_at_less_and_less() {
        use SigningState::{Former, Signing, Waiting};
        let made = Timestamp::from_micros(0);
        let wait = |state, problem, age: u64| {
            let now = made + Duration::from_secs(age);
            next_look_at_record(state, problem, made, now)
                .map(|at| (at.as_micros() - now.as_micros()) / 1_000_000)
        };
        let missing = Some(RecordProblem::Missing);
        assert_eq!(wait(Waiting, missing, 0), Some(60));
        assert_eq!(wait(Waiting, missing, 3_600), Some(600));
        assert_eq!(wait(Waiting, missing, 86_400), Some(3_600));
        assert_eq!(wait(Waiting, missing, 31 * 86_400), Some(86_400));
        assert_eq!(wait(Signing, None, 5), Some(43_200));
        assert_eq!(wait(Signing, missing, 5), Some(3_600));
        assert_eq!(wait(Former, None, 5), None);
    }
}
