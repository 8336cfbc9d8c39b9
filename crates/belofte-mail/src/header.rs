// SPDX-License-Identifier: EUPL-1.2
//! Headers: split into fields in one pass, read field by field in bounded pieces.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use belofte_model::{QuarantineReason, Timestamp};
use mail_parser::{HeaderValue, parsers::MessageStream};

use crate::{
    MAX_HEADER,
    address::{Mailbox, mailboxes},
    charset,
    encoding::{base64, unescape},
    names::one_line,
    problem::{Problem, Problems},
    thread::{MAX_ID, MAX_IDS},
};

/// How much of a field that lists addresses is read, in octets.
const MAX_ADDRESSES: usize = 256 * 1024;
/// How much of any other field is read, in octets.
const MAX_FIELD: usize = 32 * 1024;
/// The longest encoded word that is read, in octets (RFC 2047, section 2 allows 75).
const MAX_WORD: usize = 4 * 1024;
/// The longest subject kept, in characters (RFC 5322, section 2.1.1 allows lines of 998).
const MAX_SUBJECT: usize = 998;

/// One field: its name without the colon and its value with its folds and last line break.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
}

/// The value of a field of MIME: `value/sub; parameter=…`.
pub(crate) struct Structured {
    pub(crate) value: String,
    pub(crate) sub: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Structured {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, value)| known.eq_ignore_ascii_case(name) && !value.trim().is_empty())
            .map(|(_, value)| value.as_str())
    }
}

/// The fields of one header in their order.
#[derive(Default)]
pub(crate) struct Fields<'a>(pub(crate) Vec<Field<'a>>);

/// Splits the header at the start of `raw` from what follows; returns the fields and where the
/// body begins. A line that cannot belong to a header begins the body even without an empty
/// line before it, as every mail system in use does.
pub(crate) fn split(raw: &[u8]) -> Result<(Fields<'_>, usize), QuarantineReason> {
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        let end = line_end(raw, at);
        let line = &raw[at..end];
        if matches!(line, b"\n" | b"\r\n" | b"\r") {
            at = end;
            break;
        }
        let Some(name) = field_name(line) else { break };
        // The lines that begin with white space and are not empty continue the field.
        let mut value_end = end;
        while matches!(raw.get(value_end), Some(b' ' | b'\t')) {
            let next = line_end(raw, value_end);
            // An empty line with trailing blanks ends a header (met from old mailers).
            if raw[value_end..next].iter().all(u8::is_ascii_whitespace) && fields.len() > 1 {
                break;
            }
            value_end = next;
            if value_end > MAX_HEADER {
                return Err(QuarantineReason::HeaderTooLarge);
            }
        }
        let colon = memchr::memchr(b':', line).map_or(line.len(), |colon| colon + 1);
        fields.push(Field { name, value: &raw[at + colon..value_end] });
        at = value_end;
        if at > MAX_HEADER {
            return Err(QuarantineReason::HeaderTooLarge);
        }
        if matches!(raw.get(at), Some(b' ' | b'\t')) {
            at = line_end(raw, at);
            break;
        }
        if at >= raw.len() {
            break;
        }
    }
    Ok((Fields(fields), at))
}

fn line_end(raw: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &raw[at.min(raw.len())..]).map_or(raw.len(), |found| at + found + 1)
}

/// The name of a field line (RFC 5322, section 2.2; blanks before the colon are obsolete syntax).
fn field_name(line: &[u8]) -> Option<&[u8]> {
    // No field of use begins so, and a boundary may hold a colon.
    if line.starts_with(b"--") {
        return None;
    }
    let colon = memchr::memchr(b':', &line[..line.len().min(256)])?;
    let name = line[..colon].trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(name)
}

impl<'a> Fields<'a> {
    /// The value of the first field of that name.
    pub(crate) fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The values of all fields of that name.
    pub(crate) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes())).map(|f| f.value)
    }

    /// A field as one line of text; encoded words (RFC 2047) decoded, hidden characters removed.
    pub(crate) fn line(&self, name: &str, problems: &mut Problems) -> Option<String> {
        Some(one_line(&unstructured(self.first(name)?, problems), MAX_SUBJECT))
    }

    /// A field that holds a keyword, without comment or parameters, in lower case.
    pub(crate) fn keyword(&self, name: &str) -> Option<String> {
        let value = self.first(name)?;
        let text = String::from_utf8_lossy(&value[..value.len().min(256)]);
        Some(text.split([';', '(']).next().unwrap_or("").trim().to_ascii_lowercase())
    }

    /// All fields of that name that hold keywords, joined by commas, in lower case.
    pub(crate) fn keyword_all(&self, name: &str) -> String {
        let mut joined = String::new();
        for value in self.all(name).take(4) {
            joined.push_str(String::from_utf8_lossy(&value[..value.len().min(256)]).trim());
            joined.push(',');
        }
        joined.to_ascii_lowercase()
    }

    /// The mailboxes of all fields of that name.
    pub(crate) fn mailboxes(&self, name: &str, problems: &mut Problems) -> Vec<Mailbox> {
        let mut found = Vec::new();
        for value in self.all(name).take(4) {
            found.extend(mailboxes(&prepare(value, MAX_ADDRESSES, problems)));
        }
        found
    }

    /// The message identifiers of a field, without angle brackets: the first and the last ones
    /// when there are very many, because those bear the thread (RFC 5322, section 3.6.4).
    pub(crate) fn ids(&self, name: &str) -> Vec<String> {
        let Some(value) = self.first(name) else { return Vec::new() };
        let mut ids = Vec::new();
        let mut rest = value;
        while let Some(open) = memchr::memchr(b'<', rest) {
            let Some(length) = memchr::memchr2(b'>', b'<', &rest[open + 1..]) else { break };
            let inner = &rest[open + 1..open + 1 + length];
            rest = &rest[open + 1 + length..];
            ids.extend(clean_id(inner));
        }
        if ids.is_empty() {
            // Without brackets, as some shop systems write it.
            ids.extend(value.split(u8::is_ascii_whitespace).take(MAX_IDS).filter_map(|bare| {
                let bare = clean_id(bare)?;
                bare.contains('@').then_some(bare)
            }));
        }
        if ids.len() > MAX_IDS {
            ids.drain(1..ids.len() - (MAX_IDS - 1));
        }
        ids
    }

    /// The moment of a date field, when it is one between the years 1970 and 2200.
    pub(crate) fn date(&self, name: &str) -> Option<Timestamp> {
        let value = terminated(self.first(name)?, 512);
        if let Some(date) = date(&value) {
            return Some(date);
        }
        // Without a zone or, before a zone in letters, without seconds: both are sent.
        let text = String::from_utf8_lossy(&value).trim().to_owned();
        let timed = with_seconds(&text);
        [format!("{timed}\n"), format!("{timed} +0000\n")].iter().find_map(|text| date(text.as_bytes()))
    }

    /// A structured field of MIME (RFC 2045, section 5; RFC 2183), with its parameters.
    pub(crate) fn content_type(&self, name: &str, problems: &mut Problems) -> Option<Structured> {
        let value = prepare(self.first(name)?, MAX_FIELD, problems);
        match MessageStream::new(&value).parse_content_type() {
            HeaderValue::ContentType(read) => Some(Structured {
                value: read.c_type.into_owned(),
                sub: read.c_subtype.map(Cow::into_owned),
                parameters: read
                    .attributes
                    .unwrap_or_default()
                    .into_iter()
                    .map(|parameter| (parameter.name.into_owned(), parameter.value.into_owned()))
                    .collect(),
            }),
            _ => None,
        }
    }
}

pub(crate) fn date(value: &[u8]) -> Option<Timestamp> {
    let HeaderValue::DateTime(date) = MessageStream::new(value).parse_date() else { return None };
    if !date.is_valid() || !(1970..2200).contains(&date.year) {
        return None;
    }
    Some(Timestamp::from_secs(date.to_timestamp()))
}

/// The date with seconds added to a time that has none.
fn with_seconds(text: &str) -> String {
    let words = text.split_whitespace().map(|word| match word.split_once(':') {
        Some((_, minutes)) if minutes.len() == 2 => format!("{word}:00"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// An identifier without white space or control characters; none when too long or empty.
pub(crate) fn clean_id(raw: &[u8]) -> Option<String> {
    if raw.is_empty() || raw.len() > MAX_ID {
        return None;
    }
    let text = charset::guess(raw);
    let id: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '"' | ','))
        .collect();
    (!id.is_empty()).then_some(id)
}

/// The value cut to `limit` and ended by a line break, which the field parsers wait for.
fn terminated(value: &[u8], limit: usize) -> Cow<'_, [u8]> {
    if value.len() <= limit && value.ends_with(b"\n") {
        return Cow::Borrowed(value);
    }
    let mut owned = value[..value.len().min(limit)].to_vec();
    while owned.last().is_some_and(|octet| matches!(octet, b'\n' | b'\r')) {
        owned.pop();
    }
    owned.push(b'\n');
    Cow::Owned(owned)
}

/// A value made ready for a field parser: bounded, in UTF-8, without NUL, and with each run of
/// encoded words (RFC 2047) decoded by us and written again as one word in UTF-8, so that
/// characters split between words are whole, refused charsets stay out and broken words cost
/// nothing.
fn prepare<'a>(value: &'a [u8], limit: usize, problems: &mut Problems) -> Cow<'a, [u8]> {
    let value = terminated(value, limit);
    let plain = value.is_ascii() && memchr::memchr(0, &value).is_none();
    if plain && memchr::memmem::find(&value, b"=?").is_none() {
        return value;
    }
    let text = text_of(&value, problems);
    let mut out = String::with_capacity(text.len() + 64);
    for piece in pieces(&text) {
        match piece {
            Piece::Plain(plain) => {
                for (index, run) in plain.split("=?").enumerate() {
                    if index > 0 {
                        out.push_str("= ?");
                    }
                    out.extend(run.chars().filter(|c| *c != '\0'));
                }
            }
            Piece::Words(words) => {
                let decoded = decode_words(&words, problems);
                let decoded: String = decoded.chars().filter(|c| !c.is_control()).collect();
                out.push_str("=?utf-8?B?");
                out.push_str(&STANDARD.encode(decoded));
                out.push_str("?=");
            }
        }
    }
    Cow::Owned(out.into_bytes())
}

/// An unstructured field (RFC 5322, section 2.2.1) as text.
pub(crate) fn unstructured(value: &[u8], problems: &mut Problems) -> String {
    let value = &value[..value.len().min(MAX_FIELD)];
    let text = text_of(value, problems);
    if !text.contains("=?") {
        return text.into_owned();
    }
    let mut out = String::with_capacity(text.len());
    for piece in pieces(&text) {
        match piece {
            Piece::Plain(plain) => out.push_str(plain),
            Piece::Words(words) => out.push_str(&decode_words(&words, problems)),
        }
    }
    out
}

fn text_of<'a>(value: &'a [u8], problems: &mut Problems) -> Cow<'a, str> {
    let text = charset::guess(value);
    if matches!(text, Cow::Owned(_)) {
        problems.add(Problem::RawHeader);
    }
    text
}

/// A run of a header value.
enum Piece<'a> {
    Plain(&'a str),
    /// Encoded words with only white space between them.
    Words(Vec<Word<'a>>),
}

struct Word<'a> {
    charset: &'a str,
    base64: bool,
    data: &'a str,
}

/// Splits a value at its encoded words; white space between two words belongs to neither
/// (RFC 2047, section 6.2).
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found: Vec<Piece<'_>> = Vec::new();
    let (mut plain_from, mut search) = (0, 0);
    while let Some(at) = text[search..].find("=?").map(|at| search + at) {
        let Some((word, end)) = word_at(text, at) else {
            search = at + 2;
            continue;
        };
        let between = &text[plain_from..at];
        match found.last_mut() {
            Some(Piece::Words(words)) if between.trim().is_empty() => words.push(word),
            _ => {
                if !between.is_empty() {
                    found.push(Piece::Plain(between));
                }
                found.push(Piece::Words(vec![word]));
            }
        }
        (plain_from, search) = (end, end);
    }
    if plain_from < text.len() {
        found.push(Piece::Plain(&text[plain_from..]));
    }
    found
}

/// The encoded word that begins at `at` and where it ends. Longer words than RFC 2047 allows
/// and blanks inside are accepted, because they are sent.
fn word_at(text: &str, at: usize) -> Option<(Word<'_>, usize)> {
    let body = &text[at + 2..];
    let charset_end = body.bytes().take(48).position(|octet| !is_charset_octet(octet))?;
    let charset = &body[..charset_end];
    let rest = body[charset_end..].strip_prefix('?')?;
    let base64 = match rest.as_bytes() {
        [b'b' | b'B', b'?', ..] => true,
        [b'q' | b'Q', b'?', ..] => false,
        _ => return None,
    };
    let data = &rest[2..];
    // A `?` may stand in the data of sloppy writers; only `?=` ends it. The first octet after
    // the mark may be the `=` of an escape ("?Q?=C3…").
    // Bounded, so that many beginnings without an end cost no more than their length.
    let within = &data.as_bytes()[..data.len().min(MAX_WORD)];
    let length = memchr::memmem::find(within, b"?=")?;
    if charset.is_empty() || memchr::memmem::find(&within[..length], b"=?").is_some() {
        return None;
    }
    let end = text.len() - data.len() + length + 2;
    Some((Word { charset, base64, data: &data[..length] }, end))
}

fn is_charset_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b':' | b'+' | b'*' | b'(' | b')')
}

/// Decodes a run of words; the octets of neighbours in one charset are joined first, because
/// many writers split a character between two words.
fn decode_words(words: &[Word<'_>], problems: &mut Problems) -> String {
    let mut out = String::new();
    let mut octets: Vec<u8> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if word.base64 {
            let (decoded, clean) = base64(word.data.as_bytes());
            if !clean {
                problems.add(Problem::BrokenEncoding);
            }
            octets.extend(decoded);
        } else {
            let spaced: Vec<u8> =
                word.data.bytes().map(|octet| if octet == b'_' { b' ' } else { octet }).collect();
            if !unescape(&spaced, b'=', &mut octets) {
                problems.add(Problem::BrokenEncoding);
            }
        }
        let joined = words.get(index + 1).is_some_and(|next| next.charset.eq_ignore_ascii_case(word.charset));
        if !joined {
            out.push_str(&charset::decode(Some(word.charset), &octets, problems));
            octets.clear();
        }
    }
    out
}
