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
    assert!(lexicon.suggest("fie", 9).is_empty());
    assert!(lexicon.is_empty());
    lexicon.add_word("FIETSBEL", contact(3));
    assert_eq!(lexicon.suggest("Fíe", 9), ["fietsbel"]);
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
    assert_eq!(lexicon.suggest("fiets", 9), ["fiets", "fietsen", "fietstas"]);
    assert_eq!(lexicon.suggest("f", 2), ["fiets", "fietsen"]);
    assert!(lexicon.suggest("", 9).is_empty());
    assert!(lexicon.suggest("fietsz", 9).is_empty());
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
    assert_eq!(opened.suggest("fie", 9), ["fiets"]);
    opened.add_word("bel", contact(2));
    assert!(opened.suggest("bel", 9).is_empty(), "the same contact does not count twice");
    opened.add_word("bel", contact(3));
    assert_eq!(opened.suggest("bel", 9), ["bel"]);

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
