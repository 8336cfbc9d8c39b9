// SPDX-License-Identifier: EUPL-1.2
//! A text and a question of anybody: a text is found by each of its own words, whatever it says.
#![no_main]

use std::sync::LazyLock;

use belofte_model::KeyId;
use belofte_vault::{DataKey, Random, SearchKey, TokenField, query_words, words};
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<SearchKey> = LazyLock::new(|| {
    SearchKey::from_data_key(&DataKey::generate(KeyId(uuid::Uuid::nil()), &Random::seeded(1)))
});

fuzz_target!(|raw: &[u8]| {
    let text = String::from_utf8_lossy(raw);
    let tokens = KEY.tokens(&[(TokenField::Body, &text)]);
    for word in words(&text).take(200) {
        let token = KEY.query_word(&word).expect("a word of a text is a word of a question");
        assert!(tokens.as_slice().contains(&token));
    }
    // A question in the words of the text finds it.
    for word in query_words(&text).into_iter().take(200) {
        let token = KEY.query_word(&word).expect("a word of a question is one word");
        assert!(tokens.as_slice().contains(&token));
    }
    for field in [TokenField::Name, TokenField::Address, TokenField::Number] {
        let _ = KEY.tokens(&[(field, &text)]).as_fts5();
    }
    let _ = KEY.query_prefix_token(&text);
    let _ = KEY.query_number(&text);
    let _ = KEY.query_word(&text);
});
