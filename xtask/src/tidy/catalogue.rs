// SPDX-License-Identifier: EUPL-1.2
//! Rules about the words: both languages say the same things, and every code has words.

use super::{Finding, Tree, lexer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const LANGUAGES: [&str; 2] = ["en", "nl"];
/// The closed list of what can go wrong in an answer.
const CODES: &str = "crates/belofte-server/src/http/code.rs";

/// The catalogues of one language together: key → text.
fn words(tree: &Tree, language: &str, findings: &mut Vec<Finding>) -> BTreeMap<String, String> {
    let mut words = BTreeMap::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with("catalogue/")) {
        let name = file.path.trim_start_matches("catalogue/");
        if name != format!("{language}.json") && !name.ends_with(&format!("/{language}.json")) {
            continue;
        }
        match serde_json::from_str::<Value>(&file.text) {
            Ok(value) => flatten("", &value, &mut words),
            Err(error) => {
                findings.push(Finding::new("catalogue", &file.path, error.line(), error.to_string()))
            }
        }
    }
    words
}

fn flatten(prefix: &str, value: &Value, words: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&key, member, words);
            }
        }
        Value::String(text) => {
            words.insert(prefix.to_owned(), text.clone());
        }
        other => {
            words.insert(prefix.to_owned(), other.to_string());
        }
    }
}

/// The names between braces: `{name}`, `{count, plural, …}`.
fn parameters(text: &str) -> BTreeSet<String> {
    text.match_indices('{')
        .map(|(at, _)| {
            text[at + 1..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
        })
        .zip(text.match_indices('{').map(|(at, _)| at))
        // Only what closes or goes on with a comma is a parameter; the branches of a plural are text.
        .filter(|(name, at)| {
            !name.is_empty()
                && text[at + 1 + name.len()..].trim_start().starts_with(['}', ','])
                && !is_branch(text, *at)
        })
        .map(|(name, _)| name)
        .collect()
}

/// Whether the brace at `at` opens a branch such as `one {…}`.
fn is_branch(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end();
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '}' || c == ',').next().unwrap_or_default();
    let plural = ["zero", "one", "two", "few", "many", "other"].contains(&word) || word.starts_with('=');
    plural && before.contains('{')
}

/// Dutch and English have the same keys, the same parameters, and no empty text.
pub fn languages(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let [english, dutch] = LANGUAGES.map(|language| words(tree, language, &mut findings));
    if english.is_empty() && dutch.is_empty() {
        findings.push(Finding::new("catalogue", "catalogue", 1, "there is no catalogue"));
    }
    let pairs = [(&english, &dutch, "catalogue/nl.json"), (&dutch, &english, "catalogue/en.json")];
    for (one, other, path) in pairs {
        for key in one.keys().filter(|key| !other.contains_key(*key)) {
            findings.push(Finding::new("catalogue", path, 1, format!("lacks {key}")));
        }
    }
    for (key, text) in &english {
        let Some(translated) = dutch.get(key) else { continue };
        if parameters(text) != parameters(translated) {
            findings.push(Finding::new(
                "catalogue",
                "catalogue/nl.json",
                1,
                format!("{key} has other parameters than in English"),
            ));
        }
    }
    for (words, path) in [(&english, "catalogue/en.json"), (&dutch, "catalogue/nl.json")] {
        for key in words.iter().filter(|(_, text)| text.trim().is_empty()).map(|(key, _)| key) {
            findings.push(Finding::new("catalogue", path, 1, format!("{key} is empty")));
        }
    }
    findings
}

/// Every code of the server has its words in both languages, and no words are left of a code
/// that is gone.
pub fn error_codes(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(source) = tree.text(CODES) else {
        return vec![Finding::new("error-code", CODES, 1, "the list of codes is not there")];
    };
    let (codes, fields) = codes(source);
    if codes.is_empty() {
        return vec![Finding::new("error-code", CODES, 1, "no codes found in it")];
    }
    let wanted: BTreeSet<String> = codes
        .iter()
        .flat_map(|code| [format!("error.{code}.title"), format!("error.{code}.detail")])
        .chain(fields.iter().map(|code| format!("field_error.{code}")))
        .collect();
    for language in LANGUAGES {
        let path = format!("catalogue/{language}.json");
        let words = words(tree, language, &mut Vec::new());
        for key in wanted.iter().filter(|key| !words.contains_key(*key)) {
            findings.push(Finding::new("error-code", &path, 1, format!("lacks {key}, a code of the server")));
        }
        let ours = |key: &&String| {
            key.starts_with("field_error.")
                || key.starts_with("error.") && (key.ends_with(".title") || key.ends_with(".detail"))
        };
        for key in words.keys().filter(ours).filter(|key| !wanted.contains(*key)) {
            findings.push(Finding::new("error-code", &path, 1, format!("{key} is no code of the server")));
        }
    }
    findings
}

/// The names in the file of codes: those of the first enum, and those of its fields.
fn codes(source: &str) -> (Vec<String>, Vec<String>) {
    let fields_from = source.find("enum FieldCode").unwrap_or(source.len());
    let fields_line = source[..fields_from].lines().count();
    let names = lexer::parts(source).strings;
    let (fields, codes): (Vec<_>, Vec<_>) = names.into_iter().partition(|piece| piece.line > fields_line);
    let text = |pieces: Vec<lexer::Piece>| pieces.into_iter().map(|piece| piece.text).collect();
    (text(codes), text(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "enum Code { A }\nimpl Code { fn s() { match self { A => \"not_found\" } } }\n\
                          enum FieldCode { B }\nimpl FieldCode { fn s() { \"required\" } }";

    fn texts(findings: Vec<Finding>) -> Vec<String> {
        findings.into_iter().map(|f| format!("{} {}", f.path, f.text)).collect()
    }

    #[test]
    fn what_one_language_lacks_is_found() {
        let tree = Tree::of(&[
            (
                "catalogue/en.json",
                r#"{"inbox": {"title": "Inbox", "count": "{count, plural, one {one case} other {# cases}} of {name}"}}"#,
            ),
            (
                "catalogue/nl.json",
                r#"{"inbox": {"count": "{count, plural, one {één zaak} other {# zaken}}", "extra": " "}}"#,
            ),
        ]);
        assert_eq!(
            texts(languages(&tree)),
            [
                "catalogue/nl.json lacks inbox.title",
                "catalogue/en.json lacks inbox.extra",
                "catalogue/nl.json inbox.count has other parameters than in English",
                "catalogue/nl.json inbox.extra is empty",
            ]
        );
    }

    #[test]
    fn the_branches_of_a_plural_are_no_parameters() {
        let both = "{count, plural, =0 {none} one {case} other {{name} and #}}";
        assert_eq!(parameters(both).into_iter().collect::<Vec<_>>(), ["count", "name"]);
    }

    #[test]
    fn a_code_without_words_is_found_in_both_directions() {
        let words = r#"{"error": {"not_found": {"title": "T", "detail": "D"}, "gone": {"title": "T", "detail": "D"}}, "field_error": {"required": "R"}}"#;
        let lacking = r#"{"error.not_found.title": "T", "field_error.required": "R"}"#;
        let tree = Tree::of(&[(CODES, SOURCE), ("catalogue/en.json", words), ("catalogue/nl.json", lacking)]);
        assert_eq!(
            texts(error_codes(&tree)),
            [
                "catalogue/en.json error.gone.detail is no code of the server",
                "catalogue/en.json error.gone.title is no code of the server",
                "catalogue/nl.json lacks error.not_found.detail, a code of the server",
            ]
        );
    }
}
