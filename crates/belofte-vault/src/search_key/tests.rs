// SPDX-License-Identifier: EUPL-1.2
use belofte_model::KeyId;
use proptest::prelude::*;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::TokenField::{Address, Body, Name, Number, Subject};
use super::*;

fn search(byte: u8) -> SearchKey {
    let key = DataKey::from_secret(KeyId(Uuid::nil()), Zeroizing::new([byte; 32]));
    SearchKey::from_data_key(&key)
}

fn has(tokens: &Tokens, token: Option<u64>) -> bool {
    tokens.as_slice().binary_search(&token.expect("the query has a token")).is_ok()
}

#[test]
fn tokens_stay_what_they_are() {
    // Computed with another implementation; a change here makes every index wrong.
    let key = search(1);
    assert_eq!(key.query_word("Fiets"), Some(0x2c57_bc62_3dff_ddf7));
    assert_eq!(key.query_prefix_token("fie"), Some(0xe8a8_cf69_c787_c190));
    assert_eq!(Tokens::fts5_token(0x2c57_bc62_3dff_ddf7), "frl3yyr5");
    assert_ne!(search(2).query_word("Fiets"), key.query_word("Fiets"));
}

#[test]
fn words_of_bodies_have_no_prefix_tokens() {
    let key = search(1);
    let tokens = key.tokens(&[(Body, "Mijn fiets, mijn FIETS!"), (Subject, "Rekening")]);
    assert_eq!(tokens.as_slice().len(), 3, "each token once");
    assert!(tokens.as_slice().is_sorted());
    for word in ["mijn", "fiets", "rekening", "Rekening"] {
        assert!(has(&tokens, key.query_word(word)));
    }
    assert!(!has(&tokens, key.query_prefix_token("fie")));
    assert!(!has(&tokens, key.query_word("fie")));
}

#[test]
fn a_name_is_found_from_its_third_character() {
    let key = search(1);
    let tokens = key.tokens(&[(Name, "Zoë van der Veldhuizen-Bloemendaalster")]);
    for prefix in
        ["zoe", "Zoë", "ZOE", "vel", "veldh", "veldhuizen", "bloemendaals", "bloemendaalster", "van"]
    {
        assert!(has(&tokens, key.query_prefix_token(prefix)), "{prefix}");
    }
    assert!(has(&tokens, key.query_word("veldhuizen")));
    for other in ["vol", "zoet", "eld"] {
        assert!(!has(&tokens, key.query_prefix_token(other)), "{other}");
    }
    assert_eq!(key.query_prefix_token("zo"), None);
    assert_eq!(key.query_prefix_token("zoe van"), None);
    assert_eq!(key.query_prefix_token(""), None);
}

#[test]
fn an_address_is_found_whole_in_parts_and_while_typing() {
    let key = search(1);
    let tokens = key.tokens(&[(Address, "Sanne.deVries@winkel.voorbeeld.example")]);
    for word in ["sanne.devries@winkel.voorbeeld.example", "sanne", "devries", "winkel", "voorbeeld"] {
        assert!(has(&tokens, key.query_word(word)), "{word}");
    }
    for prefix in ["san", "sanne.d", "sanne.devries@winkel", "dev", "win", "winkel.vo", "voor"] {
        assert!(has(&tokens, key.query_prefix_token(prefix)), "{prefix}");
    }
    assert!(!has(&tokens, key.query_word("sanne@winkel.voorbeeld.example")));
    assert_eq!(key.query_word("two words"), None);
    assert_eq!(key.query_word("x"), None);
    assert!(key.tokens(&[(Address, ""), (Address, "a b"), (Number, "+"), (Name, " ")]).is_empty());
}

#[test]
fn a_number_is_found_however_it_is_dialled() {
    let key = search(1);
    for stored in ["+31612345678", "0031 6 12345678", "06-12 34 56 78"] {
        let tokens = key.tokens(&[(Number, stored)]);
        for asked in ["+31 6 12345678", "0612345678", "612345678", "06-12345678"] {
            assert!(has(&tokens, key.query_number(asked)), "{stored} by {asked}");
        }
        for prefix in ["0612", "06123", "612", "06-123", "06 12 34 56 78"] {
            assert!(has(&tokens, key.query_prefix_token(prefix)), "{stored} by {prefix}");
        }
        for ending in ["678", "5678", "345678"] {
            assert!(has(&tokens, key.query_word(ending)), "{stored} by {ending}");
            assert!(has(&tokens, key.query_number(ending)), "{stored} by {ending}");
        }
        assert!(!has(&tokens, key.query_number("0612345679")));
        assert!(!has(&tokens, key.query_prefix_token("0613")));
    }
    let international = key.tokens(&[(Number, "+31612345678")]);
    assert!(has(&international, key.query_prefix_token("+316")));
    assert_eq!(key.query_number("12"), None);
    assert_eq!(key.query_prefix_token("06"), None);
}

#[test]
fn the_cache_is_bounded_and_changes_nothing() {
    let (key, fresh) = (search(1), search(1));
    let used = |key: &SearchKey| -> usize {
        let places = key.0.cache.places.get().into_iter().flatten();
        places.filter(|place| place.mixed.load(Ordering::Relaxed) != 0).count()
    };
    let all = 3 * PLACES;
    for n in 0..all {
        let _ = key.query_word(&format!("woord{n}"));
    }
    // Three words for each place: most are taken, and none twice.
    assert!((PLACES / 2..=PLACES).contains(&used(&key)), "{}", used(&key));
    // Asked again in the same order, each is the token that it was, at hand or not.
    for n in (0..all).step_by(7).chain(all - 3..all + 3) {
        let word = format!("woord{n}");
        for _ in 0..2 {
            assert_eq!(key.query_word(&word), Some(fresh.make(Kind::Word, &word)), "{word}");
        }
    }
    key.forget_words();
    assert_eq!(used(&key), 0);
    assert_eq!(format!("{key:?}"), "SearchKey(..)");
}

proptest! {
    #[test]
    fn the_text_of_an_index_holds_every_token(text in any::<String>(), field in 0usize..5) {
        let key = search(1);
        let tokens = key.tokens(&[([Body, Subject, Name, Address, Number][field], &text)]);
        let fts5 = tokens.as_fts5();
        let list: Vec<&str> = fts5.split(' ').collect();
        for token in tokens.as_slice() {
            let short = Tokens::fts5_token(*token);
            prop_assert!(list.contains(&short.as_str()));
            prop_assert!(short.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b)));
        }
    }

    #[test]
    fn an_address_has_the_prefixes_of_each_of_its_parts(text in "[aAbé1.@_+-]{0,30}|.*@.*") {
        let key = search(1);
        let mut expected = Vec::new();
        if let Some(address) = address_form(&text) {
            let (local, domain) = address.rsplit_once('@').unwrap_or_default();
            let words: Vec<_> = words(&address).collect();
            for part in [&*address, local, domain].into_iter().chain(words.iter().map(|word| &**word)) {
                if !part.is_empty() {
                    expected.push(key.token(Kind::Word, part));
                    key.prefixes(part, &mut expected);
                }
            }
        }
        expected.sort_unstable();
        expected.dedup();
        prop_assert_eq!(key.tokens(&[(Address, &text)]), Tokens(expected));
    }

    #[test]
    fn any_query_is_answered_without_a_panic(text in any::<String>()) {
        let key = search(1);
        let _ = (key.query_word(&text), key.query_prefix_token(&text), key.query_number(&text));
    }

    #[test]
    fn every_word_of_a_body_is_found(text in "[a-zA-Zàéïöü0-9 .,'-]{0,80}") {
        let key = search(1);
        let tokens = key.tokens(&[(Body, &text)]);
        for word in crate::query_words(&text) {
            prop_assert!(has(&tokens, key.query_word(&word)), "{}", word);
        }
    }
}

#[test]
fn threads_that_share_a_cache_get_the_tokens_of_their_own_words() {
    let (key, fresh) = (search(1), search(1));
    // Words for one place each, which every thread takes from the others again and again.
    let mut words: Vec<String> = Vec::new();
    let place = |word: &str| key.0.cache.hash(Kind::Word, word) as usize % PLACES;
    let wanted = place("woord");
    words.extend((0..).map(|n| format!("woord{n}")).filter(|word| place(word) == wanted).take(4));
    std::thread::scope(|scope| {
        for from in 0..4 {
            let (key, fresh, words) = (&key, &fresh, &words);
            scope.spawn(move || {
                let own: Vec<_> = words.iter().map(|word| fresh.make(Kind::Word, word)).collect();
                for n in 0..50_000 {
                    let at = (n + from) % words.len();
                    assert_eq!(key.token(Kind::Word, &words[at]), own[at]);
                }
            });
        }
    });
}
