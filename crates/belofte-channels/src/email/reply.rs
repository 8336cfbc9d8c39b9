// SPDX-License-Identifier: EUPL-1.2
//! Replies of a mail server, read from bytes (RFC 5321, section 4.2; RFC 2034).

use std::fmt;

use memchr::memchr;

/// A line may be so long. RFC 5321, section 4.5.3.1.5 says 512; servers exceed it.
const MAX_LINE: usize = 4_096;

/// A reply may have so many lines.
const MAX_LINES: usize = 128;

/// How much of a server's words is kept for people to read, in characters.
const MAX_TEXT: usize = 500;

/// What a server answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The reply code, 200 to 599.
    pub code: u16,
    /// The enhanced status code, such as 5.1.1 (RFC 3463).
    pub enhanced: Option<(u8, u16, u16)>,
    /// The text of each line, without the code.
    lines: Vec<String>,
}

impl Reply {
    /// Whether the server did what was asked (2xx) or waits for more (3xx).
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        self.code < 400
    }

    /// Whether trying again may help (4xx).
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        self.code >= 400 && self.code < 500
    }

    /// Code and words on one line for people to read, without control characters and at most
    /// 500 characters. May contain addresses: personal.
    #[must_use]
    pub fn text(&self) -> String {
        let words = self.lines.join(" ");
        format!("{} {words}", self.code).trim_end().chars().take(MAX_TEXT).collect()
    }

    /// The text of each line.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }
}

/// The words of a server may name people: only the codes are shown.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({} {:?})", self.code, self.enhanced)
    }
}

/// What came is no reply of a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not that of a mail server")]
pub(crate) struct Malformed;

/// Collects bytes and gives whole replies.
#[derive(Default)]
pub(crate) struct ReplyReader {
    waiting: Vec<u8>,
    code: Option<u16>,
    lines: Vec<String>,
}

impl ReplyReader {
    /// Takes what came.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// Whether bytes are there that belong to no reply yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.code.is_none()
    }

    /// The next whole reply, `None` when more bytes are needed.
    pub(crate) fn take(&mut self) -> Result<Option<Reply>, Malformed> {
        while let Some(end) = memchr(b'\n', &self.waiting) {
            if end > MAX_LINE {
                return Err(Malformed);
            }
            let line: Vec<u8> = self.waiting.drain(..=end).collect();
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if let Some(reply) = self.line(line)? {
                return Ok(Some(reply));
            }
        }
        if self.waiting.len() > MAX_LINE { Err(Malformed) } else { Ok(None) }
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, Malformed> {
        let (digits, rest) = line.split_at_checked(3).ok_or(Malformed)?;
        if !digits.iter().all(u8::is_ascii_digit) || !(b'2'..=b'5').contains(&digits[0]) {
            return Err(Malformed);
        }
        let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        let (last, text) = match rest.split_first() {
            None => (true, rest),
            Some((b' ', text)) => (true, text),
            Some((b'-', text)) => (false, text),
            Some(_) => return Err(Malformed),
        };
        if self.code.is_some_and(|first| first != code) || self.lines.len() >= MAX_LINES {
            return Err(Malformed);
        }
        self.code = Some(code);
        self.lines.push(String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).collect());
        if !last {
            return Ok(None);
        }
        self.code = None;
        let lines = std::mem::take(&mut self.lines);
        let enhanced = lines.iter().find_map(|line| enhanced(line, code));
        Ok(Some(Reply { code, enhanced, lines }))
    }
}

/// The enhanced status code at the start of a line, when its class fits the reply code.
fn enhanced(line: &str, code: u16) -> Option<(u8, u16, u16)> {
    let mut parts = line.split(' ').next()?.splitn(3, '.');
    let class: u8 = parts.next()?.parse().ok()?;
    let (subject, detail) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (u16::from(class) == code / 100).then_some((class, subject, detail))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Reply>, Malformed> {
        let mut reader = ReplyReader::default();
        reader.push(bytes);
        reader.take()
    }

    #[test]
    fn replies_are_read() {
        let reply =
            read(b"250-mx.example\r\n250-SIZE 10\r\n250 HELP\r\n").expect("well-formed").expect("whole");
        assert_eq!((reply.code, reply.lines().len()), (250, 3));
        let reply = read(b"550-5.1.1 no\x07body\r\n550 5.1.1 here\n").expect("well-formed").expect("whole");
        assert_eq!(reply.enhanced, Some((5, 1, 1)));
        assert_eq!(reply.text(), "550 5.1.1 nobody 5.1.1 here");
        assert!(!format!("{reply:?}").contains("nobody"));
        assert_eq!(read(b"250").expect("not wrong yet"), None);
        assert_eq!(read(b"354\r\n").expect("well-formed").map(|reply| reply.code), Some(354));
        let other_class = read(b"450 5.1.1 x\r\n").expect("well-formed").expect("whole");
        assert_eq!(other_class.enhanced, None);
    }

    #[test]
    fn what_is_no_reply_or_far_too_long_is_refused() {
        for bytes in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"SSH-2.0-x\r\n",
            b"25\r\n",
            b"650 x\r\n",
            b"199 x\r\n",
            b"250_x\r\n",
            b"250-a\r\n550 b\r\n",
        ] {
            assert_eq!(read(bytes), Err(Malformed), "{bytes:?}");
        }
        assert_eq!(read(&[b'2'; 10_000]), Err(Malformed));
        assert_eq!(read(&b"250-x\r\n".repeat(1_000)), Err(Malformed));
        let long = format!("550 {}\r\n", "x".repeat(3_000));
        let reply = read(long.as_bytes()).expect("well-formed").expect("whole");
        assert_eq!(reply.text().len(), MAX_TEXT);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_pieces_do_not_matter(
            bytes in "([2-5]?[0-9]{2,3}[- ]?[a-z.0-9é]{0,9}\r?\n?){0,6}", cut in 0_usize..60,
        ) {
            let bytes = bytes.as_bytes();
            let all = |pieces: &[&[u8]]| {
                let (mut reader, mut replies) = (ReplyReader::default(), vec![]);
                for piece in pieces {
                    reader.push(piece);
                    while let Some(reply) = reader.take()? {
                        replies.push(reply);
                    }
                }
                Ok::<_, Malformed>(replies)
            };
            let cut = cut.min(bytes.len());
            prop_assert_eq!(all(&[bytes]), all(&[&bytes[..cut], &bytes[cut..]]));
        }
    }
}
