// SPDX-License-Identifier: EUPL-1.2
//! Signing in to a mail server by an access token of its provider (OAuth 2.0, RFC 6749) in the place of a
//! password: why there is no token, and when one is renewed.

use serde::{Deserialize, Serialize};

use crate::{Duration, Timestamp};

/// How an account signs in at a mail server. Stored, and spoken in the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInWith {
    /// By its password.
    #[default]
    Password,
    /// By the provider's authorisation (XOAUTH2, RFC 7628).
    Authorisation,
}

impl SignInWith {
    /// Whether it is the one that needs nothing said.
    #[must_use]
    pub fn is_password(&self) -> bool {
        *self == Self::Password
    }
}

/// Why an account has no access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenProblem {
    /// Nobody has signed in at the provider.
    Missing,
    /// The provider has ended the authorisation, or it has expired: somebody has to sign in there again
    /// (`invalid_grant`, RFC 6749, section 5.2).
    Ended,
    /// The provider does not know the client or refuses what it asks for: its identifier, its secret or its
    /// scope is wrong.
    ClientRefused,
    /// The provider lies where this installation does not connect to.
    HostNotAllowed,
    /// The provider was not reached, or answered nothing that could be used. Passes, as a rule.
    ProviderFailed,
}

/// A token is renewed this long before it expires, so that it does not expire on the way.
const MARGIN: Duration = Duration::from_secs(300);
/// What a provider that names no life is taken to give (RFC 6749, section 5.1 asks it to name one).
const LIFE: Duration = Duration::from_secs(3_600);
/// No token is taken to live longer than this, whatever its provider says.
const LONGEST: u64 = 30 * 86_400;

/// Until when an access token that was given at `now` for `seconds` is used.
#[must_use]
pub fn token_used_until(now: Timestamp, seconds: Option<u64>) -> Timestamp {
    let life = seconds.map_or(LIFE, |seconds| Duration::from_secs(seconds.min(LONGEST)));
    // One that lives for less than twice the margin is used for half its life.
    now + life.saturating_sub(MARGIN.min(life / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_it_expires_however_short_it_lives() {
        let now = Timestamp::from_micros(1_000_000);
        let used = |seconds| token_used_until(now, seconds).as_micros() - now.as_micros();
        assert_eq!(used(Some(3_600)), 3_300_000_000);
        assert_eq!(used(None), 3_300_000_000);
        assert_eq!(used(Some(60)), 30_000_000);
        assert_eq!(used(Some(0)), 0);
        assert_eq!(used(Some(u64::MAX)), (30 * 86_400 - 300) * 1_000_000);
    }
}
