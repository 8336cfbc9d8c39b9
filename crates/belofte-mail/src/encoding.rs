// SPDX-License-Identifier: EUPL-1.2
//! Content transfer encodings (RFC 2045, section 6), read forgivingly.

use std::borrow::Cow;

/// How the octets of a part were made safe for transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum TransferEncoding {
    /// 7bit, 8bit, binary, or anything unknown: as they are.
    #[default]
    Identity,
    Base64,
    QuotedPrintable,
}

impl TransferEncoding {
    pub(crate) fn named(name: &str) -> Self {
        // Some writers add a comment or a semicolon.
        let name = name.trim().split([';', ' ', '(']).next().unwrap_or("").trim_matches('"');
        if name.eq_ignore_ascii_case("base64") {
            Self::Base64
        } else if name.eq_ignore_ascii_case("quoted-printable") {
            Self::QuotedPrintable
        } else {
            Self::Identity
        }
    }

    /// The decoded octets, and whether everything in `bytes` belonged to the encoding.
    pub(crate) fn decode(self, bytes: &[u8]) -> (Cow<'_, [u8]>, bool) {
        match self {
            Self::Identity => (Cow::Borrowed(bytes), true),
            Self::Base64 => {
                let (decoded, clean) = base64(bytes);
                (Cow::Owned(decoded), clean)
            }
            Self::QuotedPrintable => {
                let (decoded, clean) = quoted_printable(bytes);
                (Cow::Owned(decoded), clean)
            }
        }
    }
}

const SKIP: u8 = 64;
const PAD: u8 = 65;
const BAD: u8 = 66;

const fn base64_table() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [BAD; 256];
    let mut at = 0;
    while at < 64 {
        table[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    table[b' ' as usize] = SKIP;
    table[b'\t' as usize] = SKIP;
    table[b'\r' as usize] = SKIP;
    table[b'\n' as usize] = SKIP;
    table[b'=' as usize] = PAD;
    table
}

static BASE64: [u8; 256] = base64_table();

/// Decodes base64 (RFC 2045, section 6.8: what is not of the alphabet is ignored), and says
/// whether there was nothing to ignore. Padding ends a quantum, not the text: some writers
/// join encoded pieces.
pub(crate) fn base64(bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let (mut bits, mut count, mut clean) = (0_u32, 0_u8, true);
    let mut rest = bytes;
    loop {
        // Whole quanta, which is nearly everything, without looking at each octet's kind.
        if count == 0 {
            while let [a, b, c, d, tail @ ..] = rest {
                let (a, b, c, d) =
                    (BASE64[*a as usize], BASE64[*b as usize], BASE64[*c as usize], BASE64[*d as usize]);
                if a | b | c | d >= SKIP {
                    break;
                }
                let word = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
                out.extend_from_slice(&word.to_be_bytes()[1..]);
                rest = tail;
            }
        }
        let Some((&octet, tail)) = rest.split_first() else { break };
        rest = tail;
        match BASE64[octet as usize] {
            SKIP => {}
            PAD => {
                flush(&mut out, bits, count);
                (bits, count) = (0, 0);
            }
            BAD => clean = false,
            value => {
                bits = bits << 6 | u32::from(value);
                count += 1;
                if count == 4 {
                    out.extend_from_slice(&bits.to_be_bytes()[1..]);
                    (bits, count) = (0, 0);
                }
            }
        }
    }
    clean &= count == 0;
    flush(&mut out, bits, count);
    (out, clean)
}

fn flush(out: &mut Vec<u8>, bits: u32, count: u8) {
    match count {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {}
    }
}

/// Decodes quoted-printable (RFC 2045, section 6.7); an escape that is none stays as it is.
pub(crate) fn quoted_printable(bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(bytes.len());
    let mut clean = true;
    for line in bytes.split_inclusive(|octet| *octet == b'\n') {
        let (content, ending) = split_ending(line);
        // White space at the end of a line was added on the way (rule 3).
        let content = trim_end(content);
        let (content, soft) = match content.split_last() {
            Some((b'=', head)) => (head, true),
            _ => (content, false),
        };
        clean &= unescape(content, b'=', &mut out);
        if !soft {
            out.extend_from_slice(ending);
        }
    }
    (out, clean)
}

/// Replaces `=XX` in `content`; says whether every `=` began an escape.
pub(crate) fn unescape(content: &[u8], mark: u8, out: &mut Vec<u8>) -> bool {
    let mut clean = true;
    let mut rest = content;
    while let Some(at) = memchr::memchr(mark, rest) {
        out.extend_from_slice(&rest[..at]);
        let pair = rest.get(at + 1..at + 3).and_then(|pair| Some((hex(pair[0])?, hex(pair[1])?)));
        if let Some((high, low)) = pair {
            out.push(high << 4 | low);
            rest = &rest[at + 3..];
        } else {
            clean = false;
            out.push(mark);
            rest = &rest[at + 1..];
        }
    }
    out.extend_from_slice(rest);
    clean
}

fn hex(octet: u8) -> Option<u8> {
    (octet as char).to_digit(16).map(|value| value as u8)
}

fn split_ending(line: &[u8]) -> (&[u8], &[u8]) {
    let cut = if line.ends_with(b"\r\n") { 2 } else { usize::from(line.ends_with(b"\n")) };
    line.split_at(line.len() - cut)
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|octet| !matches!(octet, b' ' | b'\t' | b'\r')).map_or(0, |at| at + 1);
    &bytes[..end]
}
