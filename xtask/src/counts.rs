// SPDX-License-Identifier: EUPL-1.2
//! Reads from what a test runner printed how many tests passed and failed.

use std::fmt;
use std::ops::AddAssign;

/// How many tests ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed, or that a time limit ended.
    pub failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The counts in `lines`, from any of: `cargo nextest` ("Summary [..] 5 tests run: 4 passed,
/// 1 failed"), `cargo test` ("test result: ok. 5 passed; 0 failed"), vitest ("Tests  1 failed
/// | 4 passed (5)") and node's own runner ("# pass 5").
pub fn read(lines: &[String]) -> Counts {
    let mut counts = Counts::default();
    for line in lines {
        let plain = without_colour(line);
        let text = plain.trim();
        let summary = text.starts_with("Summary [") && text.contains(" run:");
        let result = text.starts_with("test result:");
        let vitest = text.starts_with("Tests ") && text.ends_with(')');
        if summary || result || vitest {
            counts.passed += number_before(text, "passed");
            counts.failed += number_before(text, "failed") + number_before(text, "timed out");
        }
        for (mark, count) in [("pass ", &mut counts.passed), ("fail ", &mut counts.failed)] {
            let node = text.strip_prefix("# ").or_else(|| text.strip_prefix("ℹ "));
            if let Some(number) = node.and_then(|text| text.strip_prefix(mark)) {
                *count += number.trim().parse::<u64>().unwrap_or(0);
            }
        }
    }
    counts
}

/// The line with which the runner closed, to be shown once more at the end.
pub fn summary(lines: &[String]) -> Option<String> {
    lines
        .iter()
        .rev()
        .map(|line| without_colour(line))
        .find(|line| line.trim().starts_with("Summary [") || line.starts_with("test result:"))
}

fn number_before(text: &str, word: &str) -> u64 {
    let Some(at) = text.find(word) else { return 0 };
    let before = text[..at].trim_end();
    let start = before
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
    before[start..].parse().unwrap_or(0)
}

fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(text: &str) -> (u64, u64) {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let counts = read(&lines);
        (counts.passed, counts.failed)
    }

    #[test]
    fn every_runner_is_read() {
        assert_eq!(
            counts(
                "     Summary [   1.2s] 12 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 3 skipped"
            ),
            (9, 3)
        );
        assert_eq!(counts("     Summary [   1.2s] 4/7 tests run: 3 passed, 1 failed, 0 skipped"), (3, 1));
        assert_eq!(counts("test result: ok. 5 passed; 0 failed; 1 ignored"), (5, 0));
        assert_eq!(
            counts(
                "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[31m1 failed\u{1b}[39m | \u{1b}[32m41 passed\u{1b}[39m (42)"
            ),
            (41, 1)
        );
        assert_eq!(counts("# tests 5\n# pass 4\n# fail 1"), (4, 1));
        assert_eq!(counts("ℹ pass 7\nℹ fail 0"), (7, 0));
    }

    #[test]
    fn what_only_looks_like_a_summary_counts_nothing() {
        assert_eq!(counts("3 passed the exam\n Tests should say 4 passed"), (0, 0));
    }
}
