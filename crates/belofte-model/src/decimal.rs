// SPDX-License-Identifier: EUPL-1.2
//! Exact decimal numbers, as people write amounts: no binary fraction ever rounds one.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of at most twelve digits before the point and six behind it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal {
    millionths: i64,
}

/// Digits behind the point.
const FRACTION: usize = 6;
const ONE: i64 = 1_000_000;
/// The largest number there is: twelve nines before the point.
const MOST: i64 = 999_999_999_999 * ONE + (ONE - 1);

/// A text is no decimal number, or one with too many digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecimalError;

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a decimal number of twelve digits before the point and six behind it")
    }
}

impl std::error::Error for DecimalError {}

impl Decimal {
    /// The whole number `whole`, unless it has too many digits.
    #[must_use]
    pub fn whole(whole: i64) -> Option<Self> {
        let millionths = whole.checked_mul(ONE)?;
        (millionths.abs() <= MOST).then_some(Self { millionths })
    }

    /// It as a whole number, when there is nothing behind the point.
    #[must_use]
    pub const fn to_whole(self) -> Option<i64> {
        if self.millionths % ONE == 0 { Some(self.millionths / ONE) } else { None }
    }

    /// Whether it has no more than `digits` digits behind the point.
    #[must_use]
    pub fn fits(self, digits: u32) -> bool {
        let step = 10_i64.pow((FRACTION as u32).saturating_sub(digits));
        self.millionths % step == 0
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads `-12.50`: a point, no other separator, no exponent.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(a, b)| (a, Some(b)));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !plain(whole) || whole.len() > 15 || fraction.is_some_and(|part| !plain(part)) {
            return Err(DecimalError);
        }
        let fraction = fraction.unwrap_or("0").trim_end_matches('0');
        if fraction.len() > FRACTION {
            return Err(DecimalError);
        }
        let behind = format!("{fraction:0<FRACTION$}").parse::<i64>().map_err(|_| DecimalError)?;
        let before = whole.parse::<i64>().map_err(|_| DecimalError)?;
        let millionths = before.checked_mul(ONE).and_then(|it| it.checked_add(behind)).ok_or(DecimalError)?;
        if millionths > MOST {
            return Err(DecimalError);
        }
        Ok(Self { millionths: if negative { -millionths } else { millionths } })
    }
}

impl fmt::Display for Decimal {
    /// Writes it with no more digits than it needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, behind) = (self.millionths.abs() / ONE, self.millionths.abs() % ONE);
        let sign = if self.millionths < 0 { "-" } else { "" };
        if behind == 0 {
            return write!(f, "{sign}{whole}");
        }
        let behind = format!("{behind:06}");
        write!(f, "{sign}{whole}.{}", behind.trim_end_matches('0'))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decimal(..)")
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_written_with_the_digits_that_it_needs() {
        for (given, written) in [("12.50", "12.5"), ("-0.000001", "-0.000001"), ("007", "7"), ("-0", "0")] {
            assert_eq!(given.parse::<Decimal>().expect("a number").to_string(), written);
        }
        for wrong in
            ["", "-", ".", "1.", ".5", "1,5", "1e3", "+1", "1.0000001", "1000000000000", "1 000", "٣"]
        {
            assert!(wrong.parse::<Decimal>().is_err(), "{wrong}");
        }
        assert_eq!(Decimal::whole(999_999_999_999).and_then(Decimal::to_whole), Some(999_999_999_999));
        assert_eq!(Decimal::whole(1_000_000_000_000), None);
        let amount: Decimal = "12.505".parse().expect("a number");
        assert!(amount.fits(3) && !amount.fits(2) && amount.to_whole().is_none());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(millionths in -MOST..=MOST) {
            let number = Decimal { millionths };
            prop_assert_eq!(number.to_string().parse::<Decimal>(), Ok(number));
        }
    }
}
