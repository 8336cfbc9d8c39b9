// SPDX-License-Identifier: EUPL-1.2
//! The second factor of signing in: what is asked of whom, what was given, and how often it may be wrong.
//!
//! A code has six digits, and whoever knows the password may guess. What is wrong is counted for the account alone,
//! whatever network or browser it comes from and however often the password was given, and is forgotten by nothing
//! but a sign-in that succeeds. A recovery code has 80 random bits, so that guessing is hopeless: its own pause is
//! short, and nobody who guesses at codes can take it away from its owner.

use serde::Serialize;

use crate::{Duration, LockOut, Role, Timestamp};

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// A step of a sign-in that waits for a code ends this long after the password.
pub const CODE_STEP_LIFE: Duration = Duration::from_secs(5 * MINUTE);
/// So much time somebody has to set a second factor up: an app may have to be found first.
pub const ENROLMENT_LIFE: Duration = Duration::from_secs(15 * MINUTE);
/// So many recovery codes are made at once.
pub const RECOVERY_CODES: usize = 10;
/// So many steps of one user wait for a code from one network or browser; the newest ones.
pub const STEPS_OF_ORIGIN: i64 = 5;
/// So many steps of one user wait from networks that are not known for them; the newest ones.
pub const STEPS_OF_USER: i64 = 100;
/// A code holds for so many seconds (RFC 6238, section 5.2).
const PERIOD: i64 = 30;

impl LockOut {
    /// For the codes of one account. After sixteen wrong ones a day passes between two: who guesses for a whole
    /// year has fewer than four hundred tries, and finds one in about one of a thousand years.
    pub const CODE: Self = Self {
        free: 5,
        first_pause: Duration::from_secs(30),
        longest_pause: Duration::from_secs(DAY),
        memory: Duration::from_secs(365 * DAY),
    };

    /// For the recovery codes of one account.
    pub const RECOVERY_CODE: Self = Self {
        free: 10,
        first_pause: Duration::from_secs(30),
        longest_pause: Duration::from_secs(MINUTE),
        memory: Duration::from_secs(DAY),
    };
}

/// The number of the period that `now` is in (RFC 6238, section 4.2).
#[must_use]
pub fn code_period(now: Timestamp) -> i64 {
    now.as_secs().div_euclid(PERIOD)
}

/// Of which roles a tenant asks a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecondFactorRule {
    /// Of admins.
    pub admin: bool,
    /// Of supervisors.
    pub supervisor: bool,
    /// Of agents.
    pub agent: bool,
}

impl SecondFactorRule {
    /// Whether it is asked of `role`.
    #[must_use]
    pub const fn asks(self, role: Role) -> bool {
        match role {
            Role::Admin => self.admin,
            Role::Supervisor => self.supervisor,
            Role::Agent => self.agent,
        }
    }
}

/// What a step of a sign-in waits for, after the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInStepKind {
    /// A code, or a recovery code.
    Code,
    /// That a second factor is set up: the tenant asks for one.
    Enrolment,
}

impl SignInStepKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Code, Self::Enrolment];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Enrolment => "enrolment",
        }
    }

    /// The kind of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// How long a step of this kind waits.
    #[must_use]
    pub const fn life(self) -> Duration {
        match self {
            Self::Code => CODE_STEP_LIFE,
            Self::Enrolment => ENROLMENT_LIFE,
        }
    }
}

/// With what somebody shows their second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FactorMethod {
    /// A code of their app.
    Code,
    /// One of their recovery codes.
    RecoveryCode,
}

impl FactorMethod {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Code, Self::RecoveryCode];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::RecoveryCode => "recovery_code",
        }
    }

    /// How often it may be wrong.
    #[must_use]
    pub const fn rule(self) -> LockOut {
        match self {
            Self::Code => LockOut::CODE,
            Self::RecoveryCode => LockOut::RECOVERY_CODE,
        }
    }
}

/// What somebody gave as their second factor. It shows nothing of itself.
#[derive(Clone, PartialEq, Eq)]
pub enum GivenCode {
    /// Six digits.
    Code(u32),
    /// A recovery code as it is compared: sixteen letters and digits of Base32, without what stood between them.
    RecoveryCode(String),
}

impl std::fmt::Debug for GivenCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.method().as_str())
    }
}

impl GivenCode {
    /// What `text` is by its form: six digits are a code, sixteen letters and digits a recovery code; spaces and
    /// hyphens between them do not count. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if plain.len() == 6 && plain.bytes().all(|byte| byte.is_ascii_digit()) {
            return plain.parse().ok().map(Self::Code);
        }
        let base32 = plain.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
        (plain.len() == 16 && base32).then_some(Self::RecoveryCode(plain))
    }

    /// Which of the two it is.
    #[must_use]
    pub const fn method(&self) -> FactorMethod {
        match self {
            Self::Code(_) => FactorMethod::Code,
            Self::RecoveryCode(_) => FactorMethod::RecoveryCode,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_known_by_its_form() {
        assert_eq!(GivenCode::parse(" 012 345 "), Some(GivenCode::Code(12_345)));
        let recovery = Some(GivenCode::RecoveryCode("ABCDEFGH234567IJ".to_owned()));
        assert_eq!(GivenCode::parse("abcd-efgh-2345-67ij"), recovery);
        assert_eq!(GivenCode::parse("ABCD EFGH 2345 67IJ"), recovery);
        for other in
            ["", "12345", "1234567", "١٢٣٤٥٦", "abcd-efgh-2345-67i1", "abcd-efgh-2345-67ijk", "+12345"]
        {
            assert_eq!(GivenCode::parse(other), None, "{other}");
        }
        assert_eq!(format!("{:?}", GivenCode::Code(123_456)), "code");
    }

    #[test]
    fn a_rule_asks_whom_it_names() {
        let rule = SecondFactorRule { supervisor: true, ..SecondFactorRule::default() };
        assert_eq!(Role::ALL.map(|role| rule.asks(role)), [false, true, false]);
    }

    #[test]
    fn who_guesses_at_codes_for_a_year_has_fewer_than_four_hundred_tries() {
        let (mut known, mut now, mut tries) = (None, Timestamp::from_secs(1_800_000_000), 0_u32);
        let end = now + Duration::from_secs(365 * DAY);
        // As fast as is let through.
        while now < end {
            match LockOut::CODE.take(known, now) {
                Ok(failures) => {
                    known = Some(failures);
                    tries += 1;
                }
                Err(wait) => now = now + wait,
            }
        }
        // Three codes of a million hold at a time.
        assert!((300..400).contains(&tries), "{tries}");
        assert!(f64::from(tries) * 3.0 / 1e6 < 1.0 / 800.0);
    }

    #[test]
    fn nobody_takes_recovery_codes_away_for_longer_than_a_minute() {
        let (mut known, mut now) = (None, Timestamp::from_secs(1_800_000_000));
        for _ in 0..1_000 {
            match LockOut::RECOVERY_CODE.take(known, now) {
                Ok(failures) => known = Some(failures),
                Err(wait) => {
                    assert!(wait <= Duration::from_secs(MINUTE));
                    now = now + wait;
                }
            }
        }
    }

    #[test]
    fn periods_are_of_thirty_seconds() {
        // RFC 6238, appendix B.
        assert_eq!(code_period(Timestamp::from_secs(59)), 1);
        assert_eq!(code_period(Timestamp::from_secs(1_111_111_109)), 0x0235_23EC);
        assert_eq!(code_period(Timestamp::from_secs(20_000_000_000)), 0x27BC_86AA);
    }
}
