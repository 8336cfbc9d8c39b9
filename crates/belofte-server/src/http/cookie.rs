// SPDX-License-Identifier: EUPL-1.2
//! The cookies of sign-in (RFC 6265). The prefix `__Host-` makes browsers insist on `Secure`,
//! `Path=/` and no `Domain`, so that no neighbouring host can set them.

use belofte_model::Duration;
use http::{HeaderMap, HeaderValue, header};

/// How long a browser stays known.
pub const BROWSER_LIFE: Duration = Duration::from_secs(180 * 24 * 3_600);

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Of a user of a tenant.
    User,
    /// Of an operator user.
    Operator,
    /// Of a browser that a user has signed in with before; no session.
    Browser,
    /// Of a browser that an operator user has signed in with before.
    OperatorBrowser,
}

impl Cookie {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "__Host-belofte",
            Self::Operator => "__Host-belofte-operator",
            Self::Browser => "__Host-belofte-browser",
            Self::OperatorBrowser => "__Host-belofte-operator-browser",
        }
    }

    /// Its value in `headers`. `None` also when it is there twice: one of them is not ours.
    #[must_use]
    pub fn read(self, headers: &HeaderMap) -> Option<&str> {
        let mut found = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name())
            .map(|(_, value)| value);
        let value = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// The header that sets it to `token` (base64url) for `lasting`.
    #[must_use]
    pub fn set(self, token: &str, lasting: Duration) -> HeaderValue {
        let text = format!(
            "{}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={}",
            self.name(),
            lasting.as_secs()
        );
        HeaderValue::from_str(&text).expect("a token is of base64url")
    }

    /// The header that removes it.
    #[must_use]
    pub fn clear(self) -> HeaderValue {
        let text = format!("{}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0", self.name());
        HeaderValue::from_str(&text).expect("plain ASCII")
    }
}

/// The key that a program sent as `Authorization: Bearer` (RFC 6750, section 2.1).
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim()).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (header::COOKIE, HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn a_cookie_is_found_among_others_and_only_once() {
        assert_eq!(Cookie::User.read(&headers(&["a=b; __Host-belofte=tok; c=d"])), Some("tok"));
        assert_eq!(Cookie::Operator.read(&headers(&["__Host-belofte=tok"])), None);
        assert_eq!(Cookie::User.read(&headers(&["__Host-belofte=a", "__Host-belofte=b"])), None);
        assert_eq!(Cookie::User.read(&headers(&["x__Host-belofte=a"])), None);
    }

    #[test]
    fn a_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let set = Cookie::User.set("abc", Duration::from_secs(60));
        assert_eq!(set, "__Host-belofte=abc; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60");
        assert!(Cookie::Operator.clear().to_str().expect("text").ends_with("Max-Age=0"));
    }

    #[test]
    fn a_key_is_read_from_its_header() {
        let with = |value| HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
        assert_eq!(bearer(&with("bearer k1")), Some("k1"));
        assert_eq!(bearer(&with("Basic k1")), None);
        assert_eq!(bearer(&with("Bearer ")), None);
    }
}
