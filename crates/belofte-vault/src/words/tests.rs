// SPDX-License-Identifier: EUPL-1.2
use proptest::prelude::*;

use super::*;

fn all(text: &str) -> Vec<String> {
    words(text).map(Cow::into_owned).collect()
}

#[test]
fn case_and_diacritics_do_not_matter() {
    assert_eq!(all("Café CAFÉ cafe\u{301} cafe"), ["cafe"; 4]);
    assert_eq!(
        all("Groß Ærø ĳs Łódź ﬁets İstanbul ΟΔΟΣ"),
        ["gross", "aero", "ijs", "lodz", "fiets", "istanbul", "οδοσ"]
    );
    assert_eq!(all("Привет, МИР!"), ["привет", "мир"]);
    // Arabic points go, Indic vowel signs stay: without them these two would be one word.
    assert_eq!(all("سَلَام"), all("سلام"));
    assert_ne!(all("किला"), all("काला"));
}

#[test]
fn words_have_two_to_sixty_four_characters() {
    assert_eq!(all("a bb 'n auto's x"), ["bb", "auto"]);
    let (longest, longer) = ("é".repeat(64), "é".repeat(65));
    assert_eq!(all(&format!("{longest} {longer} eind")), ["e".repeat(64), "eind".to_owned()]);
    assert_eq!(all(""), [""; 0]);
    assert_eq!(all(" .,;\u{301} "), [""; 0]);
}

#[test]
fn numbers_in_groups_are_also_joined() {
    assert_eq!(all("bel 06-12 34 56 78 nu"), ["bel", "06", "12", "34", "56", "78", "0612345678", "nu"]);
    assert_eq!(all("06 1 2 3"), ["06", "06123"]);
    assert_eq!(all("+31 (0)20-123"), ["31", "20", "123", "31020123"]);
    assert_eq!(all("21.11.2026"), ["21", "11", "2026", "21112026"]);
    assert_eq!(all("0612345678"), ["0612345678"]);
    // A new line or a comma ends a number; a run of more than twenty digits is a table.
    assert_eq!(all("12 34\n56 78"), ["12", "34", "1234", "56", "78", "5678"]);
    assert_eq!(all("12, 34"), ["12", "34"]);
    assert_eq!(all("11111111 22222222 33333333"), ["11111111", "22222222", "33333333"]);
    assert_eq!(all("a1 2b"), ["a1", "2b"]);
}

#[test]
fn a_query_asks_for_the_joined_number() {
    assert_eq!(query_words("bel 06-12 34 56 78"), ["bel", "0612345678"]);
    assert_eq!(query_words("06 1 2 345"), ["0612345"]);
    assert_eq!(query_words("12 34"), ["12", "34", "1234"]);
    assert_eq!(query_words("Fiets fiets 2026"), ["fiets", "2026"]);
    assert_eq!(query_words("order 123456"), ["order", "123456"]);
}

#[test]
fn a_finder_finds_whole_words_and_beginnings_however_they_are_written() {
    let text = "De ketel lekt. KETEL! Één kétel-huis; ketels, ketelaar en 06-12 34 56.";
    let whole = |word: &str| WordFinder::whole(word).is_in_any(&["", text]);
    assert!(whole("ketel") && whole("een") && whole("ketels") && whole("06123456") && whole("12"));
    assert!(!whole("kete") && !whole("etel") && !whole("ketela") && !whole("lek") && !whole("huis ketels"));
    let begins = |word: &str| WordFinder::beginning(word).is_in_any(&[text, ""]);
    assert!(begins("kete") && begins("ketela") && begins("ee") && begins("0612") && begins("ketel"));
    assert!(!begins("etel") && !begins("aar") && !begins("ekt"));
    // A run that is too long is no word, whatever it begins with; a mark in front belongs to it.
    assert!(!WordFinder::beginning("aa").is_in_any(&["a".repeat(65).as_str()]));
    assert!(WordFinder::whole("aa").is_in_any(&["\u{301}aa"]));
}

proptest! {
    #[test]
    fn a_finder_agrees_with_the_words(text in "[aAbé\u{301}1 2.\\-]{0,24}", sought in "[aAbé1 2]{1,4}") {
        for word in query_words(&sought) {
            let all = all(&text);
            let (whole, begins) = (all.contains(&word), all.iter().any(|other| other.starts_with(&word)));
            prop_assert_eq!(WordFinder::whole(&word).is_in_any(&[&text]), whole);
            prop_assert_eq!(WordFinder::beginning(&word).is_in_any(&[&text]), begins);
        }
    }

    #[test]
    fn runs_are_what_stands_between_other_characters(text in "[aZ09é\u{301}\u{93f}Б—’ .\u{1f600}-]{0,24}|.*") {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(Run { start, end, letters }) = next_run(&text, at) {
            let run = &text[start..end];
            prop_assert_eq!(letters == DIGIT, run.bytes().all(|byte| byte.is_ascii_digit()));
            prop_assert_eq!(letters & WIDE == 0, run.is_ascii());
            prop_assert_eq!(letters & UPPER == 0, !run.contains(|c: char| c.is_ascii_uppercase()));
            found.push(run);
            at = end;
        }
        let split: Vec<&str> = text.split(|c| !is_word(c)).filter(|run| !run.is_empty()).collect();
        prop_assert_eq!(found, split);
    }

    #[test]
    fn ascii_folds_as_all_letters_do(text in "[ -~\\t\\n]{0,40}") {
        // A mark at the end is dropped, and takes the way of all letters.
        let marked = format!("{text}\u{301}");
        prop_assert_eq!(fold(&text, |_| false), fold(&marked, |_| false));
        prop_assert_eq!(fold(&text, |c| c.is_ascii_graphic()), fold(&marked, |c| c.is_ascii_graphic()));
    }

    #[test]
    fn any_text_gives_words_that_fold_to_themselves(text in any::<String>()) {
        for word in words(&text) {
            let chars = word.chars().count();
            prop_assert!((MIN_WORD..=MAX_WORD).contains(&chars), "{:?}", word);
            prop_assert_eq!(fold(&word, |_| false), word.as_ref());
        }
        let _ = query_words(&text);
    }

    #[test]
    fn what_is_asked_is_among_what_was_indexed(text in "[a-zé0-9 .,-]{0,60}") {
        let indexed = all(&text);
        for word in query_words(&text) {
            prop_assert!(indexed.contains(&word));
        }
    }
}
