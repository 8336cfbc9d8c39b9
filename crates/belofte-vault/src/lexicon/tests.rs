// SPDX-License-Identifier: EUPL-1.2
use belofte_model::{Column, KeyId, TenantId};
use proptest::prelude::*;

use super::*;

fn key() -> DataKey {
    DataKey::generate(KeyId(Uuid::nil()), &Random::seeded(1))
}

fn lexicon() -> Lexicon {
    Lexicon::new(&SearchKey::from_data_key(&key()))
}

fn ctx() -> SealContext {
    SealContext { tenant: TenantId(Uuid::nil()), column: Column(7), row: Uuid::nil() }
}

fn suggest(lexicon: &mut Lexicon, prefix: &str, limit: usize) -> Vec<String> {
    lexicon.suggest(prefix, limit).into_iter().map(|suggested| suggested.word).collect()
}

fn contact(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

#[test]
fn a_word_is_visible_from_the_third_contact_on() {
    let mut lexicon = lexicon();
    for _ in 0..10 {
        lexicon.add_word("Fietsbel", contact(1));
        lexicon.add_word("fietsbel", contact(2));
    }
    assert!(suggest(&mut lexicon, "fie", 9).is_empty());
    assert!(lexicon.is_empty());
    lexicon.add_word("FIETSBEL", contact(3));
    assert_eq!(suggest(&mut lexicon, "Fíe", 9), ["fietsbel"]);
    assert_eq!(lexicon.len(), 1);
}

#[test]
fn what_waits_is_not_held_as_a_word() {
    let mut lexicon = lexicon();
    lexicon.add_word("geheimwoord", contact(1));
    lexicon.add_word("geheimwoord", contact(2));
    let bytes = lexicon.to_bytes();
    assert!(!bytes.windows(6).any(|window| window == b"geheim"));
    assert_eq!(format!("{lexicon:?}"), "Lexicon(0 words)");
}

#[test]
fn numbers_and_short_words_never_enter() {
    let mut lexicon = lexicon();
    for n in 0..9 {
        for word in ["0612345678", "nl91abna", "de", "twee woorden", "", "@"] {
            lexicon.add_word(word, contact(n));
        }
    }
    assert!(lexicon.is_empty());
}

#[test]
fn suggestions_are_ordered_by_use_and_limited() {
    let mut lexicon = lexicon();
    for (word, uses) in [("fietsen", 3), ("fiets", 9), ("fietstas", 3), ("boot", 20)] {
        for n in 0..uses {
            lexicon.add_word(word, contact(n));
        }
    }
    assert_eq!(suggest(&mut lexicon, "fiets", 9), ["fiets", "fietsen", "fietstas"]);
    assert_eq!(suggest(&mut lexicon, "f", 2), ["fiets", "fietsen"]);
    assert!(suggest(&mut lexicon, "", 9).is_empty());
    assert!(suggest(&mut lexicon, "fietsz", 9).is_empty());
}

#[test]
fn a_sealed_lexicon_goes_on_counting() {
    let search = SearchKey::from_data_key(&key());
    let mut lexicon = Lexicon::new(&search);
    for n in 0..3 {
        lexicon.add_word("fiets", contact(n));
    }
    lexicon.add_word("bel", contact(1));
    lexicon.add_word("bel", contact(2));
    assert!(lexicon.take_changed() && !lexicon.take_changed());
    let sealed = lexicon.seal(&key(), &Random::seeded(2), &ctx());
    assert!(!sealed.windows(5).any(|window| window == b"fiets"));

    let mut opened = Lexicon::open(&search, &key(), &ctx(), &sealed).unwrap();
    assert_eq!(suggest(&mut opened, "fie", 9), ["fiets"]);
    opened.add_word("bel", contact(2));
    assert!(suggest(&mut opened, "bel", 9).is_empty(), "the same contact does not count twice");
    opened.add_word("bel", contact(3));
    assert_eq!(suggest(&mut opened, "bel", 9), ["bel"]);

    let elsewhere = SealContext { row: contact(1), ..ctx() };
    assert!(matches!(Lexicon::open(&search, &key(), &elsewhere, &sealed), Err(VaultError::NotAuthentic)));
    let truncated = key().seal(&Random::seeded(2), &ctx(), &lexicon.to_bytes()[..9]);
    assert!(matches!(Lexicon::open(&search, &key(), &ctx(), &truncated), Err(VaultError::Malformed(_))));
}

#[test]
fn what_waits_is_bounded() {
    let mut lexicon = lexicon();
    let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
    for n in 0..2 * MAX_WAITING + 10 {
        let word: String = [n, n / 26, n / 676, n / 17_576].map(letter).iter().collect();
        lexicon.add_word(&word, contact(1));
    }
    assert!(lexicon.waiting.len() <= MAX_WAITING && lexicon.waited.len() <= MAX_WAITING);
}

#[test]
fn the_words_of_a_message_count_once() {
    use crate::TokenField::{Body, Quoted};
    let search = SearchKey::from_data_key(&key());
    let mut lexicon = Lexicon::new(&search);
    let said = |text: &str| search.tokens_and_words(&[(Body, text), (Quoted, "geschiedenis")]);
    for n in 0..8 {
        let (tokens, words) = said(if n % 2 == 0 { "Een FIETS, een fiets 42" } else { "Een boot" });
        assert!(tokens.as_slice().contains(&search.query_word("geschiedenis").expect("a word")));
        lexicon.add_message(&words, contact(n));
    }
    assert_eq!(suggest(&mut lexicon, "fi", 9), ["fiets"]);
    // Of the first three uses, two waited for the third: all three are counted when it is shown.
    let uses = |lexicon: &Lexicon, word: &str| {
        lexicon
            .visible
            .iter()
            .find(|visible| &*visible.word == word)
            .map(|visible| lexicon.uses_of(visible.token))
    };
    assert_eq!((uses(&lexicon, "fiets"), uses(&lexicon, "een")), (Some(4), Some(8)));
    assert_eq!(uses(&lexicon, "geschiedenis"), None, "who quotes has not said it");
    assert_eq!(uses(&lexicon, "42"), None);
    // What comes after a suggestion finds its place among the others.
    for n in 0..3 {
        lexicon.add_message(&said("fietsbel fiasco").1, contact(n));
    }
    assert_eq!(suggest(&mut lexicon, "fi", 9), ["fiets", "fiasco", "fietsbel"]);
    let mut again = Lexicon::from_bytes(&search, &lexicon.to_bytes()).expect("a lexicon");
    assert_eq!(suggest(&mut again, "fi", 9), ["fiets", "fiasco", "fietsbel"]);
    assert_eq!(uses(&again, "fiets"), Some(4));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let search = SearchKey::from_data_key(&key());
        let _ = Lexicon::from_bytes(&search, &bytes);
        let mut versioned = vec![VERSION, 0, 0];
        versioned.extend(bytes);
        let _ = Lexicon::from_bytes(&search, &versioned);
    }

    #[test]
    fn any_words_come_back(words in proptest::collection::vec("[a-zé]{3,9}", 0..40)) {
        let search = SearchKey::from_data_key(&key());
        let mut lexicon = Lexicon::new(&search);
        for (n, word) in words.iter().enumerate() {
            for user in 0..=n % 4 {
                lexicon.add_word(word, contact(user as u128));
            }
        }
        let bytes = lexicon.to_bytes();
        let again = Lexicon::from_bytes(&search, &bytes).unwrap();
        prop_assert_eq!(again.to_bytes(), bytes);
    }
}
