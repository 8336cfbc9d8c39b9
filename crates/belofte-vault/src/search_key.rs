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
/// stands at one place of a table: what comes later takes that place. So no word is held, and a look-up
/// is one hash and one comparison, where making the token is two of SHA-256. That two texts share a
/// place and all 64 bits of their hash happens to nobody.
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
        let place = &places[hash as usize % PLACES];
        let token = place.token.load(Ordering::Relaxed);
        if place.mixed.load(Ordering::Relaxed) ^ token == hash {
            return token;
        }
        let token = make();
        place.token.store(token, Ordering::Relaxed);
        place.mixed.store(hash ^ token, Ordering::Relaxed);
        token
    }

    fn clear(&self) {
        for place in self.places.get().into_iter().flatten() {
            place.mixed.store(0, Ordering::Relaxed);
            place.token.store(0, Ordering::Relaxed);
        }
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
        self.tokens_of(parts, |_, _| {})
    }

    /// As [`tokens`](Self::tokens), with the words of bodies and subjects for a lexicon.
    #[must_use]
    pub fn tokens_and_words(&self, parts: &[(TokenField, &str)]) -> (Tokens, MessageWords) {
        let mut said = MessageWords::default();
        let tokens = self.tokens_of(parts, |word, token| said.note(word, token));
        said.close();
        (tokens, said)
    }

    fn tokens_of(&self, parts: &[(TokenField, &str)], mut said: impl FnMut(&str, u64)) -> Tokens {
        let mut tokens = Vec::with_capacity(parts.iter().map(|(_, text)| text.len() / 5 + 4).sum());
        for (field, text) in parts {
            match field {
                TokenField::Body | TokenField::Subject => self.words(text, |word, token| {
                    said(word, token);
                    tokens.push(token);
                }),
                TokenField::Quoted => self.words(text, |_, token| tokens.push(token)),
                TokenField::Name => {
                    for word in words(text) {
                        tokens.push(self.token(Kind::Word, &word));
                        self.prefixes(&word, &mut tokens);
                    }
                }
                TokenField::Address => self.address(text, &mut tokens),
                TokenField::Number => self.number(text, &mut tokens),
            }
        }
        tokens.sort_unstable();
        tokens.dedup();
        Tokens(tokens)
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

    /// Tells each word of `text` with its token. The places of many words are looked up one right after the
    /// other, so that the processor waits for their memory at once.
    fn words(&self, text: &str, mut tell: impl FnMut(&str, u64)) {
        let (mut folded, mut ends) = (String::with_capacity(text.len()), Vec::with_capacity(text.len() / 5));
        for word in words(text) {
            folded.push_str(&word);
            ends.push((self.0.cache.hash(Kind::Word, &word), folded.len(), 0));
        }
        let mut from = 0;
        for (hash, end, token) in &mut ends {
            let word = &folded[std::mem::replace(&mut from, *end)..*end];
            *token = self.0.cache.get(*hash, || self.make(Kind::Word, word));
        }
        from = 0;
        for (_, end, token) in ends {
            tell(&folded[std::mem::replace(&mut from, end)..end], token);
        }
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
        let mut whole = |part: &str| {
            if !part.is_empty() {
                tokens.push(self.token(Kind::Word, part));
                self.prefixes(part, tokens);
            }
        };
        whole(&address);
        if let Some((local, domain)) = address.rsplit_once('@') {
            whole(local);
            whole(domain);
        }
        for word in words(&address) {
            whole(&word);
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
                text.extend(fts5_chars(*token));
            }
        }
        text
    }

    /// One token as [`as_fts5`](Self::as_fts5) writes it.
    #[must_use]
    pub fn fts5_token(token: u64) -> String {
        fts5_chars(token).collect()
    }
}

fn fts5_chars(token: u64) -> impl Iterator<Item = char> {
    (0..8).map(move |i| char::from(BASE32[(token >> (59 - 5 * i)) as usize & 31]))
}

#[cfg(test)]
mod tests;
