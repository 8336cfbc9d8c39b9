// SPDX-License-Identifier: EUPL-1.2
//! Markup of a stranger: what comes out begins no script, loads nothing by itself, and is as it
//! is when it is sanitised again.
#![no_main]

use belofte_mail::{alternative_text, html_to_text, sanitise};
use libfuzzer_sys::fuzz_target;

/// What no sanitised markup may hold, as the beginning of a tag.
const FORBIDDEN: &[&str] = &[
    "<script",
    "<style",
    "<iframe",
    "<object",
    "<embed",
    "<form",
    "<input",
    "<link",
    "<meta",
    "<base",
    "<svg",
    "<math",
    "<template",
    "<noscript",
];

fuzz_target!(|raw: &[u8]| {
    let html = String::from_utf8_lossy(raw);
    let _ = html_to_text(&html);
    let _ = alternative_text(&html);
    let Some(clean) = sanitise(&html) else { return };
    let lower = clean.html.to_ascii_lowercase();
    for tag in FORBIDDEN {
        assert!(!lower.contains(tag), "{tag}");
    }
    for tag in tags(&lower) {
        for attribute in attributes(tag) {
            let (name, value) = attribute;
            assert!(!name.starts_with("on"), "{name}");
            let target = value.trim_start();
            assert!(!target.starts_with("javascript:") && !target.starts_with("vbscript:"), "{name}");
            if name == "src" {
                assert!(target.starts_with("cid:") || target.starts_with("data:image/"), "{name}");
            }
        }
    }
    assert!(clean.content_ids.iter().all(|id| id.chars().all(|letter| !letter.is_ascii_uppercase())));
});

/// What stands between `<` and the `>` that ends it: in serialised markup every other one is a
/// reference, except in a quoted value.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    let mut rest = html;
    std::iter::from_fn(move || {
        let from = rest.find('<')? + 1;
        let mut quoted = false;
        let end = rest[from..].find(|letter| {
            quoted ^= letter == '"';
            letter == '>' && !quoted
        });
        let end = from + end.expect("a serialised tag has an end");
        let tag = &rest[from..end];
        rest = &rest[end..];
        Some(tag)
    })
}

/// Names and values of a serialised tag: every value stands in quotes.
fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = tag.split_once(' ').map_or("", |(_, rest)| rest);
    while let Some((name, value)) = rest.split_once("=\"") {
        let (value, after) = value.split_once('"').expect("a value ends");
        found.push((name.trim(), value));
        rest = after;
    }
    found
}
