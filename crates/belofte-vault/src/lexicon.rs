// SPDX-License-Identifier: EUPL-1.2
//! The words that a tenant's customers use, for prefixes and suggestions.
//!
//! A word becomes visible when three different contacts have used it: what one person alone
//! wrote is never suggested to anybody. Until then the lexicon holds the word's keyed token
//! and short marks of the contacts, never the word. Words with a digit never enter.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::words::{MAX_WORD, fold, words};
use crate::{DataKey, Random, SealContext, SearchKey, VaultError};

/// How many contacts must have used a word before it is visible.
pub const CONTACTS: usize = 3;
const MIN_CHARS: usize = 3;
/// Visible words are kept up to here, some 12 MB; nobody's language has more.
const MAX_VISIBLE: usize = 150_000;
/// Words that wait are kept up to here in each of two generations.
const MAX_WAITING: usize = 60_000;
const VERSION: u8 = 1;

/// The lexicon of one tenant, in memory.
pub struct Lexicon {
    search: SearchKey,
    visible: BTreeMap<Box<str>, u32>,
    waiting: HashMap<u64, Marks>,
    waited: HashMap<u64, Marks>,
    changed: bool,
}

/// The marks of the first two contacts that used a word.
type Marks = [Option<u64>; CONTACTS - 1];

impl fmt::Debug for Lexicon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lexicon({} words)", self.visible.len())
    }
}

/// A short mark that tells contacts apart.
fn mark(contact: Uuid) -> u64 {
    let (high, low) = contact.as_u64_pair();
    high.rotate_left(32) ^ low
}

impl Lexicon {
    /// An empty lexicon of the tenant with this search key.
    #[must_use]
    pub fn new(search: &SearchKey) -> Self {
        let (visible, waiting, waited) = (BTreeMap::new(), HashMap::new(), HashMap::new());
        Self { search: search.clone(), visible, waiting, waited, changed: false }
    }

    /// Notes that `contact` used `word`, which is folded here; what is not exactly one word of
    /// three letters or more, without digits, is ignored.
    pub fn add_word(&mut self, word: &str, contact: Uuid) {
        let mut found = words(word);
        let (Some(word), None) = (found.next(), found.next()) else { return };
        if word.chars().count() < MIN_CHARS || word.contains(char::is_numeric) {
            return;
        }
        if let Some(uses) = self.visible.get_mut(word.as_ref()) {
            *uses = uses.saturating_add(1);
            self.changed = true;
            return;
        }
        if self.visible.len() >= MAX_VISIBLE {
            return;
        }
        let Some(token) = self.search.query_word(&word) else { return };
        let mark = mark(contact);
        let mut marks =
            self.waiting.remove(&token).or_else(|| self.waited.remove(&token)).unwrap_or_default();
        if !marks.contains(&Some(mark)) {
            self.changed = true;
            match marks.iter_mut().find(|free| free.is_none()) {
                Some(free) => *free = Some(mark),
                None => {
                    self.visible.insert(word.as_ref().into(), CONTACTS as u32);
                    return;
                }
            }
        }
        if self.waiting.len() >= MAX_WAITING {
            self.waited = std::mem::take(&mut self.waiting);
        }
        self.waiting.insert(token, marks);
    }

    /// Up to `limit` visible words that begin with `prefix`, the most used first; words used
    /// equally stand in the order of the alphabet.
    #[must_use]
    pub fn suggest(&self, prefix: &str, limit: usize) -> Vec<String> {
        let prefix = fold(prefix, |_| false);
        if prefix.is_empty() || prefix.len() > MAX_WORD * 4 {
            return Vec::new();
        }
        let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        let mut found: Vec<(u32, &str)> = self
            .visible
            .range::<str, _>(from)
            .take_while(|(word, _)| word.starts_with(&prefix))
            .map(|(word, uses)| (*uses, word.as_ref()))
            .collect();
        found.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        found.into_iter().take(limit).map(|(_, word)| word.to_owned()).collect()
    }

    /// How many words are visible.
    #[must_use]
    pub fn len(&self) -> usize {
        self.visible.len()
    }

    /// Whether no word is visible.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.visible.is_empty()
    }

    /// Whether anything changed since it was made, opened or asked last: whether sealing it
    /// again is worth the write.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// The lexicon sealed for the place `ctx`.
    #[must_use]
    pub fn seal(&self, key: &DataKey, random: &Random, ctx: &SealContext) -> Vec<u8> {
        key.seal(random, ctx, &self.to_bytes())
    }

    /// Opens what [`seal`](Self::seal) made for the same place with the same search key.
    ///
    /// # Errors
    /// As [`DataKey::open`], and [`VaultError::Malformed`].
    pub fn open(
        search: &SearchKey,
        key: &DataKey,
        ctx: &SealContext,
        sealed: &[u8],
    ) -> Result<Self, VaultError> {
        let bytes = Zeroizing::new(key.open(ctx, sealed)?);
        Self::from_bytes(search, &bytes).ok_or(VaultError::Malformed("it is no lexicon"))
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(16 + self.visible.len() * 16));
        out.push(VERSION);
        out.extend_from_slice(&(self.visible.len() as u32).to_be_bytes());
        for (word, uses) in &self.visible {
            out.extend_from_slice(&(word.len() as u16).to_be_bytes());
            out.extend_from_slice(word.as_bytes());
            out.extend_from_slice(&uses.to_be_bytes());
        }
        for generation in [&self.waiting, &self.waited] {
            let mut waiting: Vec<_> = generation.iter().collect();
            waiting.sort_unstable_by_key(|(token, _)| **token);
            out.extend_from_slice(&(waiting.len() as u32).to_be_bytes());
            for (token, marks) in waiting {
                out.extend_from_slice(&token.to_be_bytes());
                let marks: Vec<u64> = marks.iter().flatten().copied().collect();
                out.push(marks.len() as u8);
                out.extend(marks.iter().flat_map(|mark| mark.to_be_bytes()));
            }
        }
        out
    }

    fn from_bytes(search: &SearchKey, bytes: &[u8]) -> Option<Self> {
        let mut lexicon = Self::new(search);
        let mut reader = Reader(bytes);
        if reader.take::<1>()? != [VERSION] {
            return None;
        }
        for _ in 0..u32::from_be_bytes(reader.take()?) {
            let len = u16::from_be_bytes(reader.take()?);
            let word = std::str::from_utf8(reader.slice(len.into())?).ok()?;
            lexicon.visible.insert(word.into(), u32::from_be_bytes(reader.take()?));
        }
        for generation in [&mut lexicon.waiting, &mut lexicon.waited] {
            for _ in 0..u32::from_be_bytes(reader.take()?) {
                let token = u64::from_be_bytes(reader.take()?);
                let mut marks = Marks::default();
                let [count] = reader.take()?;
                for free in marks.get_mut(..count.into())? {
                    *free = Some(u64::from_be_bytes(reader.take()?));
                }
                generation.insert(token, marks);
            }
        }
        reader.0.is_empty().then_some(lexicon)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn slice(&mut self, len: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(first)
    }
}

#[cfg(test)]
mod tests;
