// SPDX-License-Identifier: EUPL-1.2
//! Snippets: the words around what was looked for, with what was found marked.

use std::ops::Range;

use belofte_store::Message;
use belofte_vault::{query_words, words};

use super::{MatchedIn, SnippetPart};

/// The length of a snippet in characters, about.
const LENGTH: usize = 180;
/// So many characters stand before the first match, about.
const BEFORE: usize = 50;

/// What was looked for: whole words and the beginning of the last one, folded.
pub struct Wanted {
    whole: Vec<String>,
    last: Option<String>,
}

impl Wanted {
    /// The words of a search for `query`.
    #[must_use]
    pub fn of(query: &str) -> Self {
        let mut whole = query_words(query);
        let last = whole.pop();
        Self { whole, last }
    }

    fn matches(&self, word: &str) -> bool {
        self.whole.iter().any(|wanted| word == wanted)
            || self.last.as_ref().is_some_and(|last| word.starts_with(last.as_str()))
    }

    /// The longest number that is looked for, in digits.
    fn digits(&self) -> usize {
        let all = self.whole.iter().chain(&self.last);
        all.filter(|word| word.bytes().all(|byte| byte.is_ascii_digit())).map(String::len).max().unwrap_or(0)
    }

    /// How many of the words stand in `text`.
    fn count(&self, text: &str) -> usize {
        let mut found = vec![false; self.whole.len()];
        let mut begins = false;
        for word in words(text) {
            begins |= self.last.as_ref().is_some_and(|last| word.starts_with(last.as_str()));
            for (wanted, found) in self.whole.iter().zip(&mut found) {
                *found |= word == wanted.as_str();
            }
        }
        found.into_iter().filter(|found| *found).count() + usize::from(begins)
    }
}

/// Where the words stand in `message`, and the words around them.
#[must_use]
pub fn snippet(message: &Message, wanted: &Wanted) -> (MatchedIn, Vec<SnippetPart>) {
    let content = &message.content;
    let mut people = String::new();
    for person in std::iter::once(&content.from).chain(&content.to).chain(&content.cc) {
        if wanted.count(&person.name) + wanted.count(&person.address) > 0 {
            if !people.is_empty() {
                people.push_str(", ");
            }
            people.push_str(&person.name);
            if !person.name.is_empty() {
                people.push(' ');
            }
            people.push_str(&person.address);
        }
    }
    // The place that holds most of the words; of equals the text, since it tells most.
    let places = [
        (MatchedIn::Message, content.text.as_str()),
        (MatchedIn::Subject, content.subject.as_str()),
        (MatchedIn::Contact, people.as_str()),
    ];
    let mut best = (0, places[0]);
    for place in places {
        let count = wanted.count(place.1);
        if count > best.0 {
            best = (count, place);
        }
    }
    let (matched, text) = best.1;
    (matched, parts(text, wanted))
}

/// A piece of `text` around its first match, cut between words, in one line.
fn parts(text: &str, wanted: &Wanted) -> Vec<SnippetPart> {
    let found = find(text, wanted);
    let first = found.first().map_or(0, |range| range.start);
    let start = back(text, first, BEFORE);
    let end = forth(text, start.max(first), LENGTH - BEFORE.min(text[start..first].chars().count()));
    let mut pieces: Vec<SnippetPart> = Vec::new();
    let mut add = |piece: &str, matched: bool| {
        let mut line = String::with_capacity(piece.len());
        let mut space = false;
        for c in piece.chars() {
            if c.is_whitespace() || c.is_control() {
                space = true;
            } else {
                if space {
                    line.push(' ');
                }
                space = false;
                line.push(c);
            }
        }
        if space {
            line.push(' ');
        }
        if !line.is_empty() {
            pieces.push(SnippetPart { text: line, matched });
        }
    };
    let mut at = start;
    if start > 0 {
        add("…", false);
    }
    for range in found.into_iter().filter(|range| range.start < end) {
        add(&text[at..range.start], false);
        add(&text[range.clone()], true);
        at = range.end;
    }
    if at < end {
        add(&text[at..end], false);
    }
    if end.max(at) < text.trim_end().len() {
        add("…", false);
    }
    merged(pieces)
}

/// Neighbours that are both no match become one.
fn merged(pieces: Vec<SnippetPart>) -> Vec<SnippetPart> {
    let mut out: Vec<SnippetPart> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match out.last_mut() {
            Some(last) if !last.matched && !piece.matched => last.text.push_str(&piece.text),
            _ => out.push(piece),
        }
    }
    out
}

/// The beginning of the word that is `characters` characters before byte `at`.
fn back(text: &str, at: usize, characters: usize) -> usize {
    let from = text[..at].char_indices().rev().nth(characters).map_or(0, |(from, _)| from);
    if from == 0 {
        return 0;
    }
    // The next word after a cut; never behind what was found.
    text[from..at].find(char::is_whitespace).map_or(from, |space| {
        let space = from + space;
        space + text[space..at].chars().take_while(|c| c.is_whitespace()).map(char::len_utf8).sum::<usize>()
    })
}

/// The end of the word that is `characters` characters after byte `at`.
fn forth(text: &str, at: usize, characters: usize) -> usize {
    let to = text[at..].char_indices().nth(characters).map_or(text.len(), |(to, _)| at + to);
    if to == text.len() {
        return to;
    }
    text[at..to].rfind(char::is_whitespace).map_or(to, |space| at + space)
}

/// Where in `text` the words stand, in order, not overlapping. A number in groups is found whole.
fn find(text: &str, wanted: &Wanted) -> Vec<Range<usize>> {
    let runs: Vec<Range<usize>> = runs(text).collect();
    let digits = wanted.digits();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < runs.len() {
        let run = &runs[at];
        let word = &text[run.clone()];
        if words(word).any(|word| wanted.matches(&word)) {
            found.push(run.clone());
            at += 1;
            continue;
        }
        let plain = |range: &Range<usize>| text[range.clone()].bytes().all(|byte| byte.is_ascii_digit());
        let mut taken = 0;
        if digits > word.len() && plain(run) {
            let mut joined = word.to_owned();
            for next in at + 1..runs.len().min(at + 12) {
                let between = runs[next - 1].end..runs[next].start;
                if !plain(&runs[next]) || text[between].chars().count() > 2 {
                    break;
                }
                joined.push_str(&text[runs[next].clone()]);
                if wanted.matches(&joined) {
                    taken = next - at;
                    break;
                }
            }
        }
        if taken > 0 {
            found.push(run.start..runs[at + taken].end);
        }
        at += taken + 1;
    }
    found
}

/// The runs of letters, digits and their marks in `text`.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        // A mark belongs to the letter before it; a run never begins with one.
        let start = at + text.get(at..)?.find(char::is_alphanumeric)?;
        let mark = |c: char| !c.is_ascii() && !c.is_whitespace() && words(&format!("aa{c}")).count() == 1;
        let end = text[start..].find(|c: char| !c.is_alphanumeric() && !mark(c));
        at = end.map_or(text.len(), |length| start + length);
        Some(start..at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, query: &str) -> String {
        let parts = parts(text, &Wanted::of(query));
        parts
            .iter()
            .map(|part| if part.matched { format!("[{}]", part.text) } else { part.text.clone() })
            .collect()
    }

    #[test]
    fn whole_words_and_the_beginning_of_the_last_are_marked() {
        assert_eq!(
            shown("De factuur van mei, facturen en fact.", "mei fac"),
            "De [factuur] van [mei], [facturen] en [fact]."
        );
        assert_eq!(shown("factuurtje", "factuur mei"), "factuurtje");
    }

    #[test]
    fn words_are_found_however_they_are_written() {
        assert_eq!(
            shown("Naar het CAFÉ en het cafe\u{301}.", "cafe"),
            "Naar het [CAFÉ] en het [cafe\u{301}]."
        );
        assert_eq!(shown("Straße 5", "strasse"), "[Straße] 5");
    }

    #[test]
    fn a_number_in_groups_is_marked_whole() {
        assert_eq!(shown("Bel 06-12 34 56 78 na vijven", "0612345678"), "Bel [06-12 34 56 78] na vijven");
        assert_eq!(shown("Bel 06-12 34 56 78", "06 1234 56 78"), "Bel [06-12 34 56 78]");
    }

    #[test]
    fn a_long_text_is_cut_between_words_around_the_match() {
        let text = format!("{}het woord hier {}", "voor af ".repeat(100), "na dien ".repeat(100));
        let shown = shown(&text, "woord");
        assert!(shown.starts_with("…voor af ") || shown.starts_with("…af voor"), "{shown}");
        assert!(shown.contains("het [woord] hier na dien") && shown.ends_with('…'), "{shown}");
        assert!((150..=200).contains(&shown.chars().count()), "{} {shown}", shown.chars().count());
    }

    #[test]
    fn one_line_is_made_of_many() {
        assert_eq!(shown("Dag,\r\n\r\n\tde  factuur\nklopt niet", "factuur"), "Dag, de [factuur] klopt niet");
    }

    #[test]
    fn odd_texts_are_borne() {
        for text in
            ["", " ", "…", "é", "\u{301}\u{301}", "👨‍👩‍👧 factuur 👍", &"x".repeat(5_000), &"é ".repeat(3_000)]
        {
            for query in ["factuur", "x", "e", "👍", "\u{301}", ""] {
                let shown = shown(text, query);
                assert!(shown.chars().count() <= text.chars().count() + 10, "{text} {query}");
            }
        }
    }
}
