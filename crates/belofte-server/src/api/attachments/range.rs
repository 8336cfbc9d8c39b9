// SPDX-License-Identifier: EUPL-1.2
//! Ranges of bytes (RFC 9110, section 14).

use std::ops::Range;

use http::HeaderMap;
use http::header::{IF_RANGE, RANGE};

/// What of a file was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// These bytes, within its length.
    Bytes(Range<u64>),
    /// Bytes that it does not have.
    Missing,
}

/// What `headers` ask of a file of `size` bytes whose current version is `tag`.
///
/// A range of another version, several ranges and what is no range of bytes are answered with
/// the whole, as RFC 9110, sections 13.1.5 and 14.2, allow.
#[must_use]
pub fn part(headers: &HeaderMap, size: u64, tag: &str) -> Part {
    let mut asked = headers.get_all(RANGE).iter();
    let (Some(range), None) = (asked.next(), asked.next()) else { return Part::Whole };
    if headers.get(IF_RANGE).is_some_and(|version| version != tag) {
        return Part::Whole;
    }
    let Ok(range) = range.to_str() else { return Part::Whole };
    let Some((unit, bounds)) = range.split_once('=') else { return Part::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Part::Whole;
    }
    let Some((first, last)) = bounds.trim().split_once('-') else { return Part::Whole };
    match (number(first), number(last)) {
        (Bound::None, Bound::Number(0)) => Part::Missing,
        (Bound::None, Bound::Number(_)) if size == 0 => Part::Missing,
        (Bound::None, Bound::Number(length)) => Part::Bytes(size.saturating_sub(length)..size),
        (Bound::Number(first), Bound::Number(last)) if first > last => Part::Whole,
        (Bound::Number(first), _) if first >= size && !matches!(number(last), Bound::Odd) => Part::Missing,
        (Bound::Number(first), Bound::None) => Part::Bytes(first..size),
        (Bound::Number(first), Bound::Number(last)) => Part::Bytes(first..last.saturating_add(1).min(size)),
        _ => Part::Whole,
    }
}

enum Bound {
    None,
    Number(u64),
    Odd,
}

fn number(text: &str) -> Bound {
    let text = text.trim();
    if text.is_empty() {
        return Bound::None;
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Bound::Odd;
    }
    // More digits than fit name a place behind the end of any file.
    Bound::Number(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn asked(range: &str) -> Part {
        part(&HeaderMap::from_iter([(RANGE, HeaderValue::from_str(range).expect("text"))]), 100, "\"v\"")
    }

    #[test]
    fn ranges_are_cut_to_the_file() {
        for (range, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-99", 0..100),
            ("bytes=10-", 10..100),
            ("bytes=-30", 70..100),
            ("bytes=-300", 0..100),
            ("bytes=90-4000", 90..100),
            ("BYTES=5-6", 5..7),
            ("bytes=99-99999999999999999999999", 99..100),
        ] {
            assert_eq!(asked(range), Part::Bytes(expected), "{range}");
        }
    }

    #[test]
    fn what_the_file_does_not_have_is_missing() {
        for range in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(asked(range), Part::Missing, "{range}");
        }
        let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=-1"))]);
        assert_eq!(part(&headers, 0, "\"v\""), Part::Missing);
    }

    #[test]
    fn what_cannot_be_read_asks_for_everything() {
        for range in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-3",
            "bytes=a-b",
            "bytes=1-2,5-6",
            "lines=1-2",
            "bytes=1-x",
        ] {
            assert_eq!(asked(range), Part::Whole, "{range}");
        }
        assert_eq!(part(&HeaderMap::new(), 100, "\"v\""), Part::Whole);
    }

    #[test]
    fn a_range_of_another_version_is_not_given() {
        let with = |version| {
            HeaderMap::from_iter([
                (RANGE, HeaderValue::from_static("bytes=1-2")),
                (IF_RANGE, HeaderValue::from_static(version)),
            ])
        };
        assert_eq!(part(&with("\"v\""), 100, "\"v\""), Part::Bytes(1..3));
        for other in ["\"w\"", "W/\"v\"", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            assert_eq!(part(&with(other), 100, "\"v\""), Part::Whole, "{other}");
        }
    }
}
