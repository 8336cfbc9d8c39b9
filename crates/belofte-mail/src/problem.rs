// SPDX-License-Identifier: EUPL-1.2
//! What was wrong with a mail that could be read all the same.

use std::fmt;

/// One way in which a mail broke the rules and was read nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// A charset that nobody knows: read as UTF-8 or, where it is not, as Windows-1252.
    UnknownCharset,
    /// UTF-7, which hides markup from every filter: its ASCII is shown as it stands.
    RefusedCharset,
    /// Octets that the named charset does not have.
    BrokenCharset,
    /// Base64 or quoted-printable with other octets in it: they were skipped or kept as they are.
    BrokenEncoding,
    /// A multipart that ends without its closing boundary: the end may be missing.
    MissingFinalBoundary,
    /// A multipart whose boundary is not named or never comes: shown as text.
    NoBoundary,
    /// Markup too large or too tangled to be sanitised in reasonable time: only its text is shown.
    HtmlRefused,
    /// A text over the limit: cut; the source holds all of it.
    TextCut,
    /// Raw octets outside ASCII and UTF-8 in the header: read as Windows-1252.
    RawHeader,
}

impl Problem {
    /// All problems.
    pub const ALL: [Self; 9] = [
        Self::UnknownCharset,
        Self::RefusedCharset,
        Self::BrokenCharset,
        Self::BrokenEncoding,
        Self::MissingFinalBoundary,
        Self::NoBoundary,
        Self::HtmlRefused,
        Self::TextCut,
        Self::RawHeader,
    ];

    /// The name by which it is logged and counted.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownCharset => "unknown_charset",
            Self::RefusedCharset => "refused_charset",
            Self::BrokenCharset => "broken_charset",
            Self::BrokenEncoding => "broken_encoding",
            Self::MissingFinalBoundary => "missing_final_boundary",
            Self::NoBoundary => "no_boundary",
            Self::HtmlRefused => "html_refused",
            Self::TextCut => "text_cut",
            Self::RawHeader => "raw_header",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of problems.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Problems(u16);

impl Problems {
    /// Adds `problem`.
    pub fn add(&mut self, problem: Problem) {
        self.0 |= problem.bit();
    }

    /// Whether `problem` was met.
    #[must_use]
    pub const fn contains(self, problem: Problem) -> bool {
        self.0 & problem.bit() != 0
    }

    /// Whether nothing was wrong.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The problems that were met.
    pub fn iter(self) -> impl Iterator<Item = Problem> {
        Problem::ALL.into_iter().filter(move |problem| self.contains(*problem))
    }
}

impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
