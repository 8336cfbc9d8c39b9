// SPDX-License-Identifier: EUPL-1.2
//! Names as people may see them: of persons, subjects and attachments.

/// The longest display name kept, in characters.
const MAX_NAME: usize = 200;
/// The longest attachment name kept, in characters.
const MAX_FILE_NAME: usize = 120;

/// Whether `c` changes how the characters around it are shown without being seen itself:
/// bidirectional controls (UAX #9), zero-width characters, and controls.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// One line without hidden characters; white space is single; at most `limit` characters.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit * 2));
    let (mut count, mut space) = (0, false);
    for c in text.chars() {
        if c.is_whitespace() {
            space = !out.is_empty();
            continue;
        }
        if is_hidden(c) {
            continue;
        }
        if space {
            if count + 2 > limit {
                break;
            }
            out.push(' ');
            count += 1;
            space = false;
        }
        if count >= limit {
            break;
        }
        out.push(c);
        count += 1;
    }
    out
}

/// A person's name as shown: one line, no hidden or bidirectional control characters, no quotes
/// around it, at most 200 characters; empty when it only repeats `address`.
#[must_use]
pub fn display_name(name: &str, address: &str) -> String {
    let mut name = one_line(name, MAX_NAME);
    loop {
        let inner = [("\"", "\""), ("'", "'"), ("<", ">"), ("“", "”"), ("‘", "’")]
            .iter()
            .find_map(|(open, close)| name.strip_prefix(open)?.strip_suffix(close))
            .map(|inner| inner.trim().to_owned());
        match inner {
            Some(inner) => name = inner,
            None => break,
        }
    }
    if name.eq_ignore_ascii_case(address) { String::new() } else { name }
}

/// The name of an attachment, safe to show and to save: no path, control or bidirectional
/// characters, none that a file system refuses, at most 120 characters with its ending kept,
/// never empty: `fallback` when nothing is left.
#[must_use]
pub fn attachment_name(name: &str, fallback: &str) -> String {
    // A path of the sender's machine is none of our business: its last step is the name.
    let last = name.trim().trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or("");
    let clean: String = one_line(last, 4_096)
        .chars()
        .map(|c| if matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|') { '_' } else { c })
        .collect();
    let clean = clean.trim_matches(|c: char| c == '.' || c.is_whitespace());
    if clean.chars().all(|c| c == '_') {
        return fallback.to_owned();
    }
    let mut clean = shorten(clean);
    let stem = clean.split('.').next().unwrap_or("").to_ascii_lowercase();
    let reserved = matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || (stem.len() == 4
            && (stem.starts_with("com") || stem.starts_with("lpt"))
            && stem.ends_with(|c: char| c.is_ascii_digit()));
    if reserved {
        clean.insert(0, '_');
    }
    clean
}

fn shorten(name: &str) -> String {
    let length = name.chars().count();
    if length <= MAX_FILE_NAME {
        return name.to_owned();
    }
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.chars().count() <= 12 => (stem, ending),
        _ => (name, ""),
    };
    if ending.is_empty() {
        return stem.chars().take(MAX_FILE_NAME).collect();
    }
    let room = MAX_FILE_NAME - 1 - ending.chars().count();
    let mut short: String = stem.chars().take(room).collect();
    short.truncate(short.trim_end().len());
    short.push('.');
    short.push_str(ending);
    short
}
