// SPDX-License-Identifier: EUPL-1.2
//! Keyed tokens: what the engines' full-text indexes hold instead of words.
//!
//! A token is the first 64 bits of HMAC-SHA-256 over its kind and folded text. Word tokens
//! stand for whole words; prefix tokens for the first 3 to 12 characters of names, addresses
//! and numbers, so that somebody seen once is found while typing. Words of bodies have no
//! prefix tokens: their prefixes are looked up in the [`Lexicon`](crate::Lexicon).

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use aws_lc_rs::hmac;

use crate::DataKey;
use crate::derive::{Use, hmac_sha256};
use crate::lexicon::MessageWords;
use crate::words::{MAX_WORD, MIN_WORD, fold, words};

/// Which tokens a text gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenField {
    /// The text of a message: its words.
    Body,
    /// The history that a message quotes: its words, which were said before.
    Quoted,
    /// A subject: its words.
    Subject,
    /// The name of a person or organisation: its words and their prefixes.
    Name,
    /// A mail address or handle: the whole, its local part, its domain, the words of both, and
    /// the prefixes of all these.
    Address,
    /// A telephone number or another number: its digits, its endings of three digits or more,
    /// and the prefixes of its international and national form.
    Number,
}

impl TokenField {
    const fn is_text(self) -> bool {
        matches!(self, Self::Body | Self::Quoted | Self::Subject)
    }
}

/// The shortest prefix that has a token, in characters.
pub const MIN_PREFIX: usize = 3;
/// The longest prefix that has a token of its own; longer ones are looked for by their first
/// 12 characters, and what is found is verified after unsealing anyway.
pub const MAX_PREFIX: usize = 12;
/// The digits of a national number without its leading zero, as in Dutch and most European
/// numbering: two numbers that end in the same nine digits are taken for one.
const NATIONAL: usize = 9;
/// The longest whole address that has a token (RFC 5321, section 4.5.3.1.3), in characters.
const MAX_ADDRESS: usize = 254;
/// The most digits of a number (E.164 has fifteen).
const MAX_NUMBER: usize = 20;

#[derive(Clone, Copy)]
enum Kind {
    Word = 1,
    Prefix = 2,
}

/// The search key of one tenant. Clones share their cache.
#[derive(Clone)]
pub struct SearchKey(Arc<Inner>);

struct Inner {
    key: hmac::Key,
    cache: Cache,
}

/// Tokens that were made lately. A text is known by its hash under a key of this process (SipHash), and
/// stands at one of two places of a table: what comes later takes the first and moves what was there to the
/// second. So no word is held, and a look-up is one hash and two comparisons, where making the token is
/// two of SHA-256. That two texts share a place and all 64 bits of their hash happens to nobody.
struct Cache {
    /// Of words, and of prefixes.
    hashers: [RandomState; 2],
    places: OnceLock<Box<[Place]>>,
}

/// A token, and the hash of its text with the token over it: two halves that were written by different
/// threads do not fit together, so that reading needs no lock.
#[derive(Default)]
struct Place {
    token: AtomicU64,
    mixed: AtomicU64,
}

impl Place {
    fn get(&self, hash: u64) -> Option<u64> {
        let token = self.token.load(Ordering::Relaxed);
        (self.mixed.load(Ordering::Relaxed) ^ token == hash).then_some(token)
    }

    fn put(&self, hash: u64, token: u64) {
        self.token.store(token, Ordering::Relaxed);
        self.mixed.store(hash ^ token, Ordering::Relaxed);
    }

    fn copy(&self, other: &Self) {
        self.token.store(other.token.load(Ordering::Relaxed), Ordering::Relaxed);
        self.mixed.store(other.mixed.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Places for 65,536 texts: a megabyte for a tenant, taken as it is used.
const PLACES: usize = 1 << 16;

impl Cache {
    fn new() -> Self {
        Self { hashers: [RandomState::new(), RandomState::new()], places: OnceLock::new() }
    }

    /// What `text` as a `kind` is known by; 0 stands for an empty place.
    fn hash(&self, kind: Kind, text: &str) -> u64 {
        // The bytes alone, in one go: a kind has a key of its own.
        let mut hasher = self.hashers[kind as usize - 1].build_hasher();
        hasher.write(text.as_bytes());
        hasher.finish().max(1)
    }

    /// The token of the text with this hash: the one at hand, or what `make` gives.
    fn get(&self, hash: u64, make: impl FnOnce() -> u64) -> u64 {
        let places = self.places.get_or_init(|| (0..PLACES).map(|_| Place::default()).collect());
        let at = hash as usize % (PLACES / 2) * 2;
        let (first, second) = (&places[at], &places[at + 1]);
        if let Some(token) = first.get(hash).or_else(|| second.get(hash)) {
            return token;
        }
        let token = make();
        second.copy(first);
        first.put(hash, token);
        token
    }

    fn clear(&self) {
        for place in self.places.get().into_iter().flatten() {
            place.mixed.store(0, Ordering::Relaxed);
            place.token.store(0, Ordering::Relaxed);
        }
    }
}

/// What was found in the parts of a row, on the way to their tokens.
struct Gathered {
    /// The words of its texts, folded, one right after the other.
    folded: String,
    /// Where each of them lies; in the end each once, by token.
    found: Vec<Found>,
    /// Tokens of everything else.
    others: Vec<u64>,
}

/// A word of a text: its token (before that is known, its hash), and where it lies among the folded ones.
#[derive(Clone, Copy)]
struct Found {
    token: u64,
    from: u32,
    to: u32,
}

impl Found {
    /// Set in `from` of a word that stands in quoted history.
    const QUOTED: u32 = 1 << 31;

    /// The order in which they stand: by token, and what was said before what was quoted. One number, so
    /// that sorting them compares without a branch.
    const fn place(&self) -> u128 {
        (self.token as u128) << 64 | self.from as u128
    }

    const fn quoted(&self) -> bool {
        self.from & Self::QUOTED != 0
    }

    fn word<'a>(&self, folded: &'a str) -> &'a str {
        &folded[(self.from & !Self::QUOTED) as usize..self.to as usize]
    }
}

impl Gathered {
    /// Finds the words of `text`. What lies beyond two gigabytes of words is left out.
    fn split(&mut self, cache: &Cache, text: &str, mark: u32) {
        for word in words(text) {
            let from = self.folded.len();
            let to = from + word.len();
            if to >= Found::QUOTED as usize {
                return;
            }
            self.folded.push_str(&word);
            let token = cache.hash(Kind::Word, &word);
            self.found.push(Found { token, from: from as u32 | mark, to: to as u32 });
        }
    }

    fn tokens(mut self) -> Tokens {
        self.others.sort_unstable();
        let mut tokens = Vec::with_capacity(self.found.len() + self.others.len());
        tokens.extend(self.found.iter().map(|one| one.token));
        tokens.append(&mut self.others);
        // Stable: it finds the two runs that are in order already, and merges them.
        tokens.sort();
        tokens.dedup();
        Tokens(tokens)
    }
}

impl fmt::Debug for SearchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchKey(..)")
    }
}

impl SearchKey {
    /// The search key that belongs to a key of class *search*.
    #[must_use]
    pub fn from_data_key(key: &DataKey) -> Self {
        let key = hmac_sha256(key.secret(), Use::Search);
        Self(Arc::new(Inner { key, cache: Cache::new() }))
    }

    /// The tokens of all parts of a row together.
    #[must_use]
    pub fn tokens(&self, parts: &[(TokenField, &str)]) -> Tokens {
        self.gather(parts).tokens()
    }

    /// As [`tokens`](Self::tokens), with the words of bodies and subjects for a lexicon.
    #[must_use]
    pub fn tokens_and_words(&self, parts: &[(TokenField, &str)]) -> (Tokens, MessageWords) {
        let gathered = self.gather(parts);
        let Gathered { folded, found, .. } = &gathered;
        let said = found.iter().filter(|one| !one.quoted()).map(|one| (one.token, one.word(folded)));
        let said = MessageWords::of(said);
        (gathered.tokens(), said)
    }

    fn gather(&self, parts: &[(TokenField, &str)]) -> Gathered {
        let texts = parts.iter().filter(|(field, _)| field.is_text());
        let octets: usize = texts.map(|(_, text)| text.len()).sum();
        let mut gathered = Gathered {
            folded: String::with_capacity(octets),
            found: Vec::with_capacity(octets / 5 + 4),
            others: Vec::new(),
        };
        for (field, text) in parts {
            match field {
                TokenField::Body | TokenField::Subject => gathered.split(&self.0.cache, text, 0),
                TokenField::Quoted => gathered.split(&self.0.cache, text, Found::QUOTED),
                TokenField::Name => {
                    for word in words(text) {
                        gathered.others.push(self.token(Kind::Word, &word));
                        self.prefixes(&word, &mut gathered.others);
                    }
                }
                TokenField::Address => self.address(text, &mut gathered.others),
                TokenField::Number => self.number(text, &mut gathered.others),
            }
        }
        // The places of all words are looked up one right after the other, so that the processor waits for
        // their memory at once.
        let Gathered { folded, found, .. } = &mut gathered;
        for one in &mut *found {
            let hash = one.token;
            one.token = self.0.cache.get(hash, || self.make(Kind::Word, one.word(folded)));
        }
        found.sort_unstable_by_key(Found::place);
        found.dedup_by_key(|one| one.token);
        gathered
    }

    /// The token of one whole word, or of a whole address when it has an `@`; `None` for what
    /// is not exactly one word. Split a query with [`query_words`](crate::query_words) first.
    #[must_use]
    pub fn query_word(&self, word: &str) -> Option<u64> {
        if word.contains('@') {
            return address_form(word).map(|address| self.token(Kind::Word, &address));
        }
        let mut found = words(word);
        let (first, more) = (found.next()?, found.next());
        more.is_none().then(|| self.token(Kind::Word, &first))
    }

    /// The token of what begins a name, an address or a number; `None` for less than three
    /// characters or for several words. Leading zeros of a number are left out, so that
    /// `0612` finds `+31612…`.
    #[must_use]
    pub fn query_prefix_token(&self, prefix: &str) -> Option<u64> {
        let text = if is_number_form(prefix) { significant(prefix) } else { address_form(prefix)? };
        let prefix = prefix_ends(&text).take(MAX_PREFIX - MIN_PREFIX + 1).last()?;
        Some(self.token(Kind::Prefix, &text[..prefix]))
    }

    /// The token of a number as a contact has it, found by its last nine digits, or by its end
    /// when there are fewer; `None` for less than three digits.
    #[must_use]
    pub fn query_number(&self, number: &str) -> Option<u64> {
        let digits = significant(number);
        let ending = digits.get(digits.len().saturating_sub(NATIONAL)..)?;
        (ending.len() >= MIN_PREFIX).then(|| self.token(Kind::Word, ending))
    }

    /// Forgets the tokens kept at hand: for after an erasure.
    pub fn forget_words(&self) {
        self.0.cache.clear();
    }

    /// The token of a text, at hand or made.
    fn token(&self, kind: Kind, text: &str) -> u64 {
        let hash = self.0.cache.hash(kind, text);
        self.0.cache.get(hash, || self.make(kind, text))
    }

    fn make(&self, kind: Kind, text: &str) -> u64 {
        let mut context = hmac::Context::with_key(&self.0.key);
        context.update(&[kind as u8]);
        context.update(text.as_bytes());
        let signed = context.sign();
        u64::from_be_bytes(*signed.as_ref().first_chunk().expect("HMAC-SHA-256 has 32 bytes"))
    }

    fn prefixes(&self, text: &str, tokens: &mut Vec<u64>) {
        let ends = prefix_ends(text).take(MAX_PREFIX - MIN_PREFIX + 1);
        tokens.extend(ends.map(|end| self.token(Kind::Prefix, &text[..end])));
    }

    fn address(&self, text: &str, tokens: &mut Vec<u64>) {
        let Some(address) = address_form(text) else { return };
        tokens.push(self.token(Kind::Word, &address));
        self.prefixes(&address, tokens);
        let Some((local, domain)) = address.rsplit_once('@') else {
            return self.address_words(&address, [&address, ""], tokens);
        };
        // The local part begins the address: so do its prefixes.
        if !local.is_empty() {
            tokens.push(self.token(Kind::Word, local));
        }
        if !domain.is_empty() {
            tokens.push(self.token(Kind::Word, domain));
            self.prefixes(domain, tokens);
        }
        self.address_words(&address, [&address, domain], tokens);
    }

    /// The words of an address, of which the prefixes of some beginnings are there already.
    fn address_words(&self, address: &str, begun: [&str; 2], tokens: &mut Vec<u64>) {
        for word in words(address) {
            tokens.push(self.token(Kind::Word, &word));
            if !begun.iter().any(|begun| begun.starts_with(&*word)) {
                self.prefixes(&word, tokens);
            }
        }
    }

    fn number(&self, text: &str, tokens: &mut Vec<u64>) {
        let all: String = text.chars().filter(char::is_ascii_digit).take(MAX_NUMBER).collect();
        if all.len() >= MIN_WORD {
            tokens.push(self.token(Kind::Word, &all));
        }
        let digits = significant(text);
        let longest = digits.len().saturating_sub(MIN_PREFIX - 1);
        tokens.extend((0..longest).map(|from| self.token(Kind::Word, &digits[from..])));
        self.prefixes(&digits, tokens);
        self.prefixes(&digits[digits.len().saturating_sub(NATIONAL)..], tokens);
    }
}

/// The byte offsets at which prefixes of 3, 4, … characters of `text` end.
fn prefix_ends(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().map(|(at, c)| at + c.len_utf8()).skip(MIN_PREFIX - 1)
}

/// A folded address, handle or beginning of one: its own punctuation stays. `None` when it is
/// empty, too long or holds white space.
fn address_form(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > MAX_ADDRESS * 4 || text.contains(char::is_whitespace) {
        return None;
    }
    let folded = fold(text, |c| c.is_ascii_graphic());
    (!folded.is_empty() && folded.chars().count() <= MAX_ADDRESS).then_some(folded)
}

/// Whether `text` is written like a number.
fn is_number_form(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, ' ' | '\u{a0}' | '+' | '-' | '.' | '/' | '(' | ')'))
}

/// The digits of a number without the zeros in front, which say how to dial and not whom.
fn significant(text: &str) -> String {
    let digits = text.chars().filter(char::is_ascii_digit);
    digits.skip_while(|digit| *digit == '0').take(MAX_NUMBER).collect()
}

const _: () = assert!(MAX_WORD >= MAX_PREFIX && MIN_PREFIX > MIN_WORD);

/// Sorted tokens, each once.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tokens(Vec<u64>);

const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl Tokens {
    /// The tokens themselves.
    #[must_use]
    pub fn as_slice(&self) -> &[u64] {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text that SQLite's FTS5 indexes: the first 40 bits of each token as eight
    /// characters of base32 (`a-z2-7`), separated by spaces, each once.
    #[must_use]
    pub fn as_fts5(&self) -> String {
        let mut text = String::with_capacity(self.0.len() * 9);
        let mut last = None;
        for token in &self.0 {
            if last != Some(token >> 24) {
                last = Some(token >> 24);
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(fts5_chars(&mut [0; 8], *token));
            }
        }
        text
    }

    /// One token as [`as_fts5`](Self::as_fts5) writes it.
    #[must_use]
    pub fn fts5_token(token: u64) -> String {
        fts5_chars(&mut [0; 8], token).to_owned()
    }
}

fn fts5_chars(chars: &mut [u8; 8], token: u64) -> &str {
    for (i, char) in chars.iter_mut().enumerate() {
        *char = BASE32[(token >> (59 - 5 * i)) as usize & 31];
    }
    std::str::from_utf8(chars).expect("base32 is ASCII")
}

#[cfg(test)]
mod tests;
