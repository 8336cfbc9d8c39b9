// SPDX-License-Identifier: EUPL-1.2
//! Parts Rust source into code, strings and comments, as far as the rules need it.

/// A piece of source that begins on `line` (from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins.
    pub line: usize,
    /// Its text, without quotes or comment marks.
    pub text: String,
}

/// Source in its three parts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The source with strings and comments blanked; lines keep their numbers.
    pub code: String,
    /// Every string literal, raw and byte strings too, as written.
    pub strings: Vec<Piece>,
    /// Every comment.
    pub comments: Vec<Piece>,
}

/// Parts `source`.
pub fn parts(source: &str) -> Parts {
    let bytes = source.as_bytes();
    let mut parts = Parts::default();
    let mut code: Vec<u8> = Vec::with_capacity(bytes.len());
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let found = if rest.starts_with(b"//") {
            let end = source[at..].find('\n').map_or(bytes.len(), |i| at + i);
            Some((end, at + 2..end, true))
        } else if rest.starts_with(b"/*") {
            let end = block_comment_end(bytes, at);
            Some((end, at + 2..end.saturating_sub(2).max(at + 2), true))
        } else if let Some((end, inner)) = string_at(bytes, at) {
            Some((end, inner, false))
        } else if rest[0] == b'\'' {
            // A character such as '"' must not open a string; a lifetime has no closing quote.
            character_end(bytes, at).map(|end| (end, at..at, false))
        } else {
            None
        };
        let Some((end, inner, comment)) = found else {
            code.push(rest[0]);
            line += usize::from(rest[0] == b'\n');
            at += 1;
            continue;
        };
        if comment || !inner.is_empty() {
            let piece = Piece { line, text: String::from_utf8_lossy(&bytes[inner]).into_owned() };
            if comment { parts.comments.push(piece) } else { parts.strings.push(piece) }
        }
        for byte in &bytes[at..end] {
            code.push(if *byte == b'\n' { b'\n' } else { b' ' });
            line += usize::from(*byte == b'\n');
        }
        at = end;
    }
    parts.code = String::from_utf8_lossy(&code).into_owned();
    parts
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start + 2, 1);
    while at < bytes.len() && depth > 0 {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

/// The end of a string literal that begins at `at`, and the range of its content.
fn string_at(bytes: &[u8], at: usize) -> Option<(usize, std::ops::Range<usize>)> {
    let after_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    let mut open = at;
    if !after_name && matches!(bytes[open], b'b' | b'c') {
        open += 1;
    }
    let raw = !after_name && bytes.get(open) == Some(&b'r');
    if raw {
        open += 1;
        let hashes = bytes[open..].iter().take_while(|byte| **byte == b'#').count();
        let start = open + hashes + 1;
        if bytes.get(open + hashes) != Some(&b'"') {
            return None;
        }
        let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
        let length =
            bytes[start..].windows(close.len()).position(|w| w == close).unwrap_or(bytes.len() - start);
        return Some(((start + length + close.len()).min(bytes.len()), start..start + length));
    }
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let mut end = open + 1;
    while end < bytes.len() && bytes[end] != b'"' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    let inner_end = end.min(bytes.len());
    Some(((end + 1).min(bytes.len()), open + 1..inner_end))
}

fn character_end(bytes: &[u8], at: usize) -> Option<usize> {
    let first = *bytes.get(at + 1)?;
    if first == b'\\' {
        let close = bytes[at + 3..].iter().position(|byte| *byte == b'\'')?;
        return Some(at + 3 + close + 1);
    }
    let length = match first {
        0..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    (bytes.get(at + 1 + length) == Some(&b'\'')).then_some(at + 2 + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(source: &str) -> Vec<(usize, String)> {
        parts(source).strings.into_iter().map(|piece| (piece.line, piece.text)).collect()
    }

    #[test]
    fn strings_of_every_kind_are_found_with_their_lines() {
        let source = "let a = \"one \\\" two\";\nlet b = r#\"raw \" in\nside\"#; let c = b\"bytes\";\nlet d = br\"x\";";
        assert_eq!(
            strings(source),
            [(1, "one \\\" two".into()), (2, "raw \" in\nside".into()), (3, "bytes".into()), (4, "x".into())]
        );
    }

    #[test]
    fn comments_and_characters_open_no_string() {
        let source = "// it's \"not\" code\n/* \"nor /* this */ \" */ let q = '\"'; let n = '\\''; fn f<'a>(x: &'a str) {} let s = \"s\"; let e = 'é';";
        assert_eq!(strings(source), [(2, "s".into())]);
        let parts = parts(source);
        assert_eq!(parts.comments.len(), 2);
        assert!(parts.code.contains("fn f<'a>(x: &'a str) {}"));
        assert!(!parts.code.contains("not") && !parts.code.contains("nor"));
    }

    #[test]
    fn lines_keep_their_numbers() {
        let source = "let a = \"\n\n\";\ntokio::x();";
        let code = parts(source).code;
        assert_eq!(code.lines().position(|line| line.contains("tokio")), Some(3));
    }
}
