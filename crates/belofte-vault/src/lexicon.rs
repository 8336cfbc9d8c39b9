// SPDX-License-Identifier: EUPL-1.2
//! The words that a tenant's customers use, for prefixes and suggestions.
//!
//! A word becomes visible when three different contacts have used it: what one person alone
//! wrote is never suggested to anybody. Until then the lexicon holds the word's keyed token
//! and short marks of the contacts, never the word. Words with a digit never enter.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

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
const VERSION: u8 = 3;

/// The lexicon of one tenant, in memory.
pub struct Lexicon {
    search: SearchKey,
    visible: Vec<Visible>,
    /// How often each visible word was used, by its token. The number is here and not with the word, so
    /// that a word which is used once more costs one look at memory.
    uses: HashMap<u64, u32, BuildHasherDefault<TokenHasher>>,
    /// The visible words in the order of the alphabet, as far as they were sorted: those that came
    /// since are missing.
    sorted: Vec<u32>,
    waiting: Waiting,
    waited: Waiting,
    changed: bool,
}

/// A word that may be suggested.
struct Visible {
    word: Box<str>,
    token: u64,
}

/// The marks of the first two contacts that used a word.
type Marks = [Option<u64>; CONTACTS - 1];
type Waiting = HashMap<u64, Marks, BuildHasherDefault<TokenHasher>>;

/// A token is the output of a keyed hash: it needs no other.
#[derive(Default)]
struct TokenHasher(u64);

impl Hasher for TokenHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, token: u64) {
        self.0 = token;
    }
}

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

/// The different words of one message that a lexicon may hold, with their tokens. Made while the
/// tokens of the message are: [`SearchKey::tokens_and_words`].
#[derive(Default)]
pub struct MessageWords {
    text: String,
    /// Token, and where the word lies in the text.
    words: Vec<(u64, u32, u32)>,
}

/// So many different words of a message at most.
const DIFFERENT: usize = 5_000;

impl MessageWords {
    /// The words that a lexicon may hold of these, each with its token: folded as [`words`] gives them, each
    /// once, in order of their tokens.
    pub(crate) fn of<'a>(said: impl Iterator<Item = (u64, &'a str)>) -> Self {
        let mut all = Self::default();
        for (token, word) in said.filter(|(_, word)| may_enter(word)).take(DIFFERENT) {
            let from = all.text.len() as u32;
            all.text.push_str(word);
            all.words.push((token, from, all.text.len() as u32));
        }
        all
    }

    /// Whether one of them begins with `prefix`, folded as [`words`] gives it.
    #[must_use]
    pub fn begin_with(&self, prefix: &str) -> bool {
        let word = |(_, from, to): &(u64, u32, u32)| &self.text[*from as usize..*to as usize];
        self.words.iter().any(|at| word(at).starts_with(prefix))
    }
}

impl fmt::Debug for MessageWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageWords({})", self.words.len())
    }
}

/// Whether a lexicon may hold `word`: three letters or more, without digits.
fn may_enter(word: &str) -> bool {
    if word.is_ascii() {
        word.len() >= MIN_CHARS && !word.bytes().any(|byte| byte.is_ascii_digit())
    } else {
        word.chars().count() >= MIN_CHARS && !word.contains(char::is_numeric)
    }
}

impl Lexicon {
    /// An empty lexicon of the tenant with this search key.
    #[must_use]
    pub fn new(search: &SearchKey) -> Self {
        Self {
            search: search.clone(),
            visible: Vec::new(),
            uses: HashMap::default(),
            sorted: Vec::new(),
            waiting: HashMap::default(),
            waited: HashMap::default(),
            changed: false,
        }
    }

    /// Notes that `contact` said `words` in one more message.
    pub fn add_message(&mut self, words: &MessageWords, contact: Uuid) {
        for (token, from, to) in &words.words {
            self.add(*token, &words.text[*from as usize..*to as usize], contact);
        }
        self.changed = true;
    }

    /// Notes that `contact` used `word`, which is folded here; what is not exactly one word of
    /// three letters or more, without digits, is ignored.
    pub fn add_word(&mut self, word: &str, contact: Uuid) {
        let mut found = words(word);
        let (Some(word), None) = (found.next(), found.next()) else { return };
        if may_enter(&word)
            && let Some(token) = self.search.query_word(&word)
        {
            self.add(token, &word, contact);
        }
    }

    fn add(&mut self, token: u64, word: &str, contact: Uuid) {
        if let Some(uses) = self.uses.get_mut(&token) {
            *uses = uses.saturating_add(1);
            self.changed = true;
            return;
        }
        if self.visible.len() >= MAX_VISIBLE {
            return;
        }
        let mark = mark(contact);
        let mut marks =
            self.waiting.remove(&token).or_else(|| self.waited.remove(&token)).unwrap_or_default();
        if !marks.contains(&Some(mark)) {
            self.changed = true;
            match marks.iter_mut().find(|free| free.is_none()) {
                Some(free) => *free = Some(mark),
                None => return self.show(token, word, CONTACTS as u32),
            }
        }
        if self.waiting.len() >= MAX_WAITING {
            self.waited = std::mem::take(&mut self.waiting);
        }
        self.waiting.insert(token, marks);
    }

    fn show(&mut self, token: u64, word: &str, uses: u32) {
        self.uses.insert(token, uses);
        self.visible.push(Visible { word: word.into(), token });
    }

    /// Up to `limit` visible words that begin with `prefix`, the most used first; words used equally
    /// stand in the order of the alphabet.
    #[must_use]
    pub fn suggest(&mut self, prefix: &str, limit: usize) -> Vec<Suggested> {
        let prefix = fold(prefix, |_| false);
        if prefix.is_empty() || prefix.len() > MAX_WORD * 4 {
            return Vec::new();
        }
        self.sort();
        let word = |at: u32| &*self.visible[at as usize].word;
        let from = self.sorted.partition_point(|at| word(*at) < prefix.as_str());
        let mut found: Vec<u32> =
            self.sorted[from..].iter().copied().take_while(|at| word(*at).starts_with(&prefix)).collect();
        found.sort_by_cached_key(|at| (Reverse(self.uses_of(self.visible[*at as usize].token)), word(*at)));
        found.truncate(limit);
        let suggested = |at: u32| {
            let Visible { word, token } = &self.visible[at as usize];
            Suggested { word: word.to_string(), token: *token }
        };
        found.into_iter().map(suggested).collect()
    }

    fn uses_of(&self, token: u64) -> u32 {
        self.uses.get(&token).copied().unwrap_or_default()
    }

    /// Brings the words that came since into the order of the alphabet.
    fn sort(&mut self) {
        let new = self.sorted.len() as u32..self.visible.len() as u32;
        if !new.is_empty() {
            self.sorted.extend(new);
            // Stable: it goes through what is sorted already in one walk.
            self.sorted.sort_by(|a, b| {
                let word = |at: &u32| &self.visible[*at as usize].word;
                word(a).cmp(word(b))
            });
        }
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
        let mut out = Zeroizing::new(Vec::with_capacity(16 + self.visible.len() * 24));
        out.push(VERSION);
        out.extend_from_slice(&(self.visible.len() as u32).to_be_bytes());
        for Visible { word, token } in &self.visible {
            out.extend_from_slice(&(word.len() as u16).to_be_bytes());
            out.extend_from_slice(word.as_bytes());
            out.extend_from_slice(&token.to_be_bytes());
            out.extend_from_slice(&self.uses_of(*token).to_be_bytes());
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
            let token = u64::from_be_bytes(reader.take()?);
            lexicon.show(token, word, u32::from_be_bytes(reader.take()?));
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

/// A word that may be meant.
pub struct Suggested {
    /// The word, folded.
    pub word: String,
    /// Its token.
    pub token: u64,
}

impl fmt::Debug for Suggested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Suggested(..)")
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
