// SPDX-License-Identifier: EUPL-1.2
//! Words of free text, in the one form in which they are hashed, suggested and compared.
//!
//! A word is a run of letters, digits and their marks; it is decomposed (NFKD, Unicode Standard
//! Annex 15), lower-cased and stripped of diacritics, so that `Café`, `cafe` and `CAFÉ` are one.
//! A number written in groups (`06-12 34 56 78`) gives its groups and, joined, its digits.

use std::borrow::Cow;

use memchr::memmem;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

/// The shortest word, in characters.
pub const MIN_WORD: usize = 2;
/// The longest word, in characters; longer runs are no words and are left out.
pub const MAX_WORD: usize = 64;
/// The most digits that groups are joined to.
const MAX_DIGITS: usize = 20;
/// From this many digits on a number in a query is looked for joined, and not by its groups.
const MIN_JOINED_QUERY: usize = 6;

/// The words of `text` in order, folded; repeated words are repeated.
pub fn words(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    Words { text, at: 0, number: Number::default(), ready: None }
}

/// The words that a search for `text` asks for: as [`words`], but a number of six digits or
/// more in groups is asked for as one, because texts group it in many ways. Each word once.
#[must_use]
pub fn query_words(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut groups_since = 0;
    for word in words(text) {
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            groups_since = found.len();
        } else if word.len() >= MIN_JOINED_QUERY {
            // The joined form follows its groups and is made of them.
            let start = (groups_since..found.len()).find(|&from| {
                let groups = &found[from..];
                !groups.is_empty() && is_joined(&word, groups)
            });
            if let Some(start) = start {
                found.truncate(start);
            }
        }
        found.push(word.into_owned());
    }
    let mut unique = Vec::with_capacity(found.len());
    for word in found {
        if !unique.contains(&word) {
            unique.push(word);
        }
    }
    unique
}

/// Whether `joined` holds the groups in their order (groups of one digit are no words and are
/// missing among them).
fn is_joined(joined: &str, groups: &[String]) -> bool {
    let mut rest = joined;
    for group in groups {
        let Some(at) = rest.find(group.as_str()) else { return false };
        rest = &rest[at + group.len()..];
    }
    groups.iter().map(String::len).sum::<usize>() + groups.len() + 2 > joined.len()
}

/// Folds one piece of text: decomposed, lower-case, without diacritics; other characters than
/// letters and digits are kept when `keep` says so.
///
/// A diacritic is a mark that combines (class other than 0): accents, Arabic and Hebrew points.
/// The vowel signs of Indic scripts are class 0 and stay; without them words would coincide.
pub(crate) fn fold(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    if text.is_ascii() {
        // Nothing to decompose, and no marks.
        let lower = text.bytes().map(|byte| char::from(byte.to_ascii_lowercase()));
        out.extend(lower.filter(|c| c.is_ascii_alphanumeric() || keep(*c)));
        return out;
    }
    for decomposed in text.nfkd() {
        for c in decomposed.to_lowercase() {
            match c {
                'ß' => out.push_str("ss"),
                'æ' => out.push_str("ae"),
                'œ' => out.push_str("oe"),
                'þ' => out.push_str("th"),
                'ø' => out.push('o'),
                'đ' | 'ð' => out.push('d'),
                'ł' => out.push('l'),
                'ħ' => out.push('h'),
                'ı' => out.push('i'),
                'ς' => out.push('σ'),
                c if canonical_combining_class(c) != 0 => {}
                c if c.is_alphanumeric() || keep(c) => out.push(c),
                _ => {}
            }
        }
    }
    out
}

/// Text as it is compared and put in order: decomposed, in lower case and without diacritics, with everything else that
/// stands in it.
#[must_use]
pub fn fold_text(text: &str) -> String {
    fold(text, |_| true)
}

/// Looks for one word in texts. It finds what [`words`] would give, and splits a text into its words
/// only where the word does not stand as it is sought: in lower case, without diacritics.
#[derive(Debug)]
pub struct WordFinder {
    word: String,
    begins: bool,
    finder: memmem::Finder<'static>,
}

impl WordFinder {
    /// Looks for `word`, folded as [`query_words`] gives it.
    #[must_use]
    pub fn whole(word: &str) -> Self {
        Self { word: word.to_owned(), begins: false, finder: memmem::Finder::new(word).into_owned() }
    }

    /// Looks for words that begin with `word`, folded as [`query_words`] gives it.
    #[must_use]
    pub fn beginning(word: &str) -> Self {
        Self { begins: true, ..Self::whole(word) }
    }

    /// Whether one of `texts` holds it.
    #[must_use]
    pub fn is_in_any(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.stands_in(text))
            || texts.iter().any(|text| words(text).any(|word| self.fits(&word)))
    }

    fn fits(&self, word: &str) -> bool {
        if self.begins { word.starts_with(&self.word) } else { word == self.word }
    }

    /// Whether a run of `text` has it in its own letters. That a run folds to the word without
    /// having its letters is left to the caller.
    fn stands_in(&self, text: &str) -> bool {
        self.finder.find_iter(text.as_bytes()).any(|at| {
            let inside = text[..at].chars().next_back().is_some_and(is_word);
            !inside
                && next_run(text, at).is_some_and(|Run { start, end, letters }| {
                    start == at && word_of(&text[at..end], letters).is_some_and(|word| self.fits(&word))
                })
        })
    }
}

struct Words<'a> {
    text: &'a str,
    at: usize,
    number: Number,
    /// A word found after a number that had to be given out first.
    ready: Option<Cow<'a, str>>,
}

/// Groups of digits that may be one number.
#[derive(Default)]
struct Number {
    digits: String,
    groups: usize,
    end: usize,
}

impl Number {
    /// The joined digits, when there were several groups; begins anew.
    fn take(&mut self) -> Option<String> {
        let groups = std::mem::take(&mut self.groups);
        let digits = std::mem::take(&mut self.digits);
        (groups > 1 && (MIN_WORD..=MAX_DIGITS).contains(&digits.len())).then_some(digits)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(word) = self.ready.take() {
            return Some(word);
        }
        while let Some(Run { start, end, letters }) = next_run(self.text, self.at) {
            self.at = end;
            let run = &self.text[start..end];
            let mut joined = None;
            if letters == DIGIT {
                if !joins(&self.text[self.number.end..start]) {
                    joined = self.number.take();
                }
                if self.number.digits.len() <= MAX_DIGITS {
                    self.number.digits.push_str(run);
                }
                self.number.groups += 1;
                self.number.end = end;
            } else {
                joined = self.number.take();
            }
            let word = word_of(run, letters);
            match (joined, word) {
                (Some(joined), word) => {
                    self.ready = word;
                    return Some(Cow::Owned(joined));
                }
                (None, Some(word)) => return Some(word),
                (None, None) => {}
            }
        }
        self.number.take().map(Cow::Owned)
    }
}

/// Whether two groups of digits with this between them can be one number.
fn joins(between: &str) -> bool {
    let mut count = 0;
    between.chars().all(|c| {
        count += 1;
        count <= 2
            && matches!(
                c,
                ' ' | '\u{a0}'
                    | '\u{202f}'
                    | '-'
                    | '\u{2010}'
                    | '\u{2011}'
                    | '\u{2013}'
                    | '.'
                    | '/'
                    | '('
                    | ')'
            )
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_ascii() && is_combining_mark(c))
}

/// A run of word characters: where it lies, and which kinds of letters it has.
struct Run {
    start: usize,
    end: usize,
    letters: u8,
}

const LOWER: u8 = 1;
const DIGIT: u8 = 2;
const UPPER: u8 = 4;
/// A letter or a mark outside ASCII, or the beginning of one that is none.
const WIDE: u8 = 8;

/// What each byte of a text in UTF-8 is; 0 for what stands between words.
const BYTES: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'a'..=b'z' => LOWER,
            b'0'..=b'9' => DIGIT,
            b'A'..=b'Z' => UPPER,
            0x80.. => WIDE,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

/// The kind of the character at byte `at`, 0 when it is of no word, and its length in bytes.
fn kind_at(text: &str, at: usize) -> (u8, usize) {
    match BYTES[text.as_bytes()[at] as usize] {
        WIDE => {
            let c = text[at..].chars().next().unwrap_or_default();
            (if is_word(c) { WIDE } else { 0 }, c.len_utf8())
        }
        kind => (kind, 1),
    }
}

/// The next run of word characters from byte `from` on.
fn next_run(text: &str, from: usize) -> Option<Run> {
    let (mut start, mut letters) = (from, 0);
    while start < text.len() {
        let (kind, len) = kind_at(text, start);
        if kind != 0 {
            letters = kind;
            break;
        }
        start += len;
    }
    let mut end = start;
    while end < text.len() {
        let (kind, len) = kind_at(text, end);
        if kind == 0 {
            break;
        }
        letters |= kind;
        end += len;
    }
    (letters != 0).then_some(Run { start, end, letters })
}

/// The folded word of a run with these kinds of letters; `None` when it is too short or too long.
fn word_of(run: &str, letters: u8) -> Option<Cow<'_, str>> {
    // A letter folds to several at most in compatibility forms; four bytes each is the limit
    // of what can still be a word.
    if run.len() > MAX_WORD * 8 {
        return None;
    }
    let word = if letters & (UPPER | WIDE) == 0 {
        Cow::Borrowed(run)
    } else if letters & WIDE == 0 {
        Cow::Owned(run.to_ascii_lowercase())
    } else {
        Cow::Owned(fold(run, |_| false))
    };
    let len = if letters & WIDE == 0 { word.len() } else { word.chars().count() };
    (MIN_WORD..=MAX_WORD).contains(&len).then_some(word)
}

#[cfg(test)]
mod tests;
