// SPDX-License-Identifier: EUPL-1.2
//! Time as the whole house counts it: microseconds since 1970 in UTC.

use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// A span of time. The standard library's type; named here so that callers need one import.
pub type Duration = std::time::Duration;

/// An instant: microseconds since 1970-01-01T00:00:00Z, as stored in every table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The instant `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000)
    }

    /// The instant `secs` seconds after the epoch.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1_000_000)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The time from `earlier` to `self`; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The UTC day, as days since 1970-01-01: the key of statistics rows.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.0.div_euclid(86_400_000_000)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// The two languages of the product; both are first-class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Dutch.
    #[default]
    Nl,
    /// British English.
    En,
}

impl Language {
    /// Both languages.
    pub const ALL: [Self; 2] = [Self::Nl, Self::En];

    /// The language tag (RFC 5646).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Nl => "nl",
            Self::En => "en",
        }
    }

    /// The language of a tag or of an `Accept-Language` header (RFC 9110, section 12.5.4):
    /// the first of ours in order of quality, Dutch when none is named.
    #[must_use]
    pub fn negotiate(header: &str) -> Self {
        let mut best = (0.0_f32, Self::Nl);
        for part in header.split(',') {
            let mut pieces = part.trim().split(';');
            let tag = pieces.next().unwrap_or("").trim();
            let quality = pieces
                .find_map(|piece| piece.trim().strip_prefix("q="))
                .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            let primary = tag.split('-').next().unwrap_or("");
            let language = Self::ALL.into_iter().find(|known| primary.eq_ignore_ascii_case(known.tag()));
            if let Some(language) = language
                && quality > best.0
            {
                best = (quality, language);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_highest_quality_wins() {
        assert_eq!(Language::negotiate("en-GB,en;q=0.9,nl;q=0.8"), Language::En);
        assert_eq!(Language::negotiate("fr, en;q=0.3, nl-BE;q=0.7"), Language::Nl);
        assert_eq!(Language::negotiate("de"), Language::Nl);
        assert_eq!(Language::negotiate(""), Language::Nl);
    }

    #[test]
    fn spans_never_go_below_zero() {
        let (early, late) = (Timestamp::from_secs(10), Timestamp::from_secs(84 * 86_400));
        assert_eq!(late.since(early).as_secs(), 84 * 86_400 - 10);
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(Timestamp::from_micros(-1).day(), -1);
    }
}
