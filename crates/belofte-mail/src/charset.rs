// SPDX-License-Identifier: EUPL-1.2
//! Octets to text, in the charsets of the last fifty years.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;

use crate::problem::{Problem, Problems};

/// What stands in a `charset` parameter when its writer did not know either.
const UNTOLD: [&str; 12] = [
    "us-ascii",
    "ascii",
    "ansi_x3.4-1968",
    "iso646-us",
    "7bit",
    "8bit",
    "binary",
    "default",
    "default_charset",
    "unknown-8bit",
    "x-unknown",
    "_autodetect",
];

/// Charsets whose decoder only gives replacement characters (WHATWG Encoding, section 4.3).
const UNREADABLE: [&str; 6] =
    ["iso-2022-kr", "iso-2022-cn", "iso-2022-cn-ext", "hz-gb-2312", "replacement", "csiso2022kr"];

/// Names met in mail that the decoder's table does not have.
const ALIASES: [(&str, &str); 7] = [
    ("cp932", "shift_jis"),
    ("cp949", "euc-kr"),
    ("cp950", "big5"),
    ("cp-850", "cp850"),
    ("win-1252", "windows-1252"),
    ("windows1252", "windows-1252"),
    ("iso-8859-1-windows-3.1-latin-1", "windows-1252"),
];

/// Decodes `bytes` in the charset named by `label`; what is wrong with them is added to `problems`.
///
/// Never fails: octets that fit nothing become U+FFFD. A byte order mark at the start goes.
pub(crate) fn decode<'a>(label: Option<&str>, bytes: &'a [u8], problems: &mut Problems) -> Cow<'a, str> {
    let text = decode_marked(label, bytes, problems);
    if !text.starts_with('\u{feff}') {
        return text;
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}')),
        Cow::Owned(text) => Cow::Owned(text.trim_start_matches('\u{feff}').to_owned()),
    }
}

fn decode_marked<'a>(label: Option<&str>, bytes: &'a [u8], problems: &mut Problems) -> Cow<'a, str> {
    // RFC 2231, section 5: a language may follow the charset of an encoded word.
    let label = label.map(|label| label.split('*').next().unwrap_or("").trim().to_ascii_lowercase());
    let label = label.as_deref().filter(|label| !label.is_empty());
    let Some(label) = label else { return guess(bytes) };
    if label.len() > 40 {
        problems.add(Problem::UnknownCharset);
        return guess(bytes);
    }
    if UNTOLD.contains(&label) {
        return guess(bytes);
    }
    let plain = label.replace('_', "-");
    if plain == "utf-8" || plain == "utf8" || plain == "unicode-1-1-utf-8" || plain == "utf-8-sig" {
        return match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                problems.add(Problem::BrokenCharset);
                broken_utf8(bytes)
            }
        };
    }
    if is_utf7(&plain) {
        problems.add(Problem::RefusedCharset);
        return String::from_utf8_lossy(bytes);
    }
    let alias = ALIASES.iter().find(|(name, _)| *name == plain).map_or(label, |(_, known)| known);
    match charset_decoder(alias.as_bytes()) {
        Some(decoder) if !UNREADABLE.contains(&plain.as_str()) => {
            // The common case of a label that says more than the text needs. ISO-2022 shifts
            // with ASCII octets and UTF-16 spends two on each, so those go to their decoders.
            if bytes.is_ascii() && !plain.starts_with("iso-2022") && !wide(&plain) {
                return String::from_utf8_lossy(bytes);
            }
            let text = decoder(bytes);
            if text.contains('\u{fffd}') {
                problems.add(Problem::BrokenCharset);
            }
            Cow::Owned(text)
        }
        _ => {
            problems.add(Problem::UnknownCharset);
            guess(bytes)
        }
    }
}

fn wide(label: &str) -> bool {
    label.starts_with("utf-16")
        || label.contains("ucs-2")
        || label.contains("unicode")
        || label == "csutf16le"
}

/// Whether a charset label means UTF-7 in one of its names.
pub(crate) fn is_utf7(label: &str) -> bool {
    let label = label.trim().to_ascii_lowercase().replace('_', "-");
    matches!(label.as_str(), "utf-7" | "utf7" | "unicode-1-1-utf-7" | "x-unicode-2-0-utf-7" | "csutf7")
        || label.contains("utf-7")
}

/// UTF-8 where it is, else Windows-1252, of which Latin-1 is a part and which has every octet
/// that Dutch and English writers use.
pub(crate) fn guess(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(windows_1252(bytes)),
    }
}

/// Text that calls itself UTF-8 and is not: lossy where some of it is, else Windows-1252.
fn broken_utf8(bytes: &[u8]) -> Cow<'_, str> {
    let some = bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii());
    if some { String::from_utf8_lossy(bytes) } else { Cow::Owned(windows_1252(bytes)) }
}

fn windows_1252(bytes: &[u8]) -> String {
    charset_decoder(b"windows-1252")
        .map_or_else(|| String::from_utf8_lossy(bytes).into_owned(), |decoder| decoder(bytes))
}
