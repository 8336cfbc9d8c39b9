// SPDX-License-Identifier: EUPL-1.2
//! The text of a message as it streams in after DATA (RFC 5321, sections 2.3.8 and 4.5.2).
//!
//! Only CRLF `.` CRLF ends the text. A carriage return or a line feed that stands alone makes the
//! message refused: servers that disagree on what such a byte means are how one message is
//! smuggled inside another past the checks of the server before us. RFC 5321 forbids senders to
//! transmit them and receivers to read them as line ends; making CRLF of them would be a guess at
//! the meaning of a dot behind them and would break signatures. Refusing is loud: the
//! sender's server tells the sender. BDAT counts octets and knows no such trouble.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use memchr::memchr2;

/// Memory for messages that are under way, shared by all sessions of a listener.
#[derive(Clone, Debug)]
pub struct ByteBudget {
    left: Arc<AtomicUsize>,
}

impl ByteBudget {
    /// A budget of so many octets.
    #[must_use]
    pub fn new(octets: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(octets)) }
    }

    /// The octets that are not taken.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left.load(Ordering::Relaxed)
    }

    fn take(&self, octets: usize) -> bool {
        self.left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(octets)).is_ok()
    }

    fn give_back(&self, octets: usize) {
        self.left.fetch_add(octets, Ordering::Relaxed);
    }
}

/// A part of a [`ByteBudget`]; given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: ByteBudget,
    held: usize,
}

/// The budget is asked for this much at a time.
const RESERVE_STEP: usize = 64 * 1024;

impl Reservation {
    pub(crate) fn new(budget: ByteBudget) -> Self {
        Self { budget, held: 0 }
    }

    /// Makes sure that at least `octets` are held; `false` when the budget has no more.
    fn ensure(&mut self, octets: usize) -> bool {
        if octets <= self.held {
            return true;
        }
        let more = (octets - self.held).div_ceil(RESERVE_STEP) * RESERVE_STEP;
        let taken = self.budget.take(more);
        if taken {
            self.held += more;
        }
        taken
    }

    fn release(&mut self) {
        self.budget.give_back(self.held);
        self.held = 0;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.release();
    }
}

/// Why the text of a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// Larger than the limit: refused for good.
    TooLarge,
    /// The listener's memory for messages is used up: refused for the moment.
    NoMemory,
    /// A carriage return or line feed alone: refused for good.
    BareNewline,
}

/// What came of the bytes given to [`MessageBody::dotted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All were used; the text goes on.
    More,
    /// The text ended; so many of the bytes belong to it and its end.
    Ended(usize),
    /// What looks like an end of text stands behind a bare newline, or far too much came: the
    /// connection must end, since nothing behind it can be trusted to be a command.
    Abandon,
}

/// Where the reader stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    LineStart,
    /// Behind a dot that began the line.
    Dot,
    /// Behind that dot and a carriage return.
    DotCr,
    Inside,
    /// Behind a carriage return within a line.
    Cr,
}

/// Collects the text of one message. Personal: no Debug output.
pub(crate) struct MessageBody {
    text: Vec<u8>,
    limit: usize,
    /// Octets that came, whether kept or not.
    seen: usize,
    at: At,
    fault: Option<BodyFault>,
    reservation: Reservation,
}

impl MessageBody {
    /// An empty text of at most `limit` octets, kept in memory of `budget`.
    pub(crate) fn new(limit: usize, budget: ByteBudget) -> Self {
        let reservation = Reservation::new(budget);
        Self { text: Vec::new(), limit, seen: 0, at: At::LineStart, fault: None, reservation }
    }

    /// The first fault, or the text with the memory that it holds.
    pub(crate) fn finish(self) -> Result<(Vec<u8>, Reservation), BodyFault> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok((self.text, self.reservation)),
        }
    }

    /// What is wrong with what came so far.
    pub(crate) const fn fault(&self) -> Option<BodyFault> {
        self.fault
    }

    /// Takes a piece of a chunk (BDAT): octets as they are.
    pub(crate) fn chunk(&mut self, bytes: &[u8]) {
        self.seen = self.seen.saturating_add(bytes.len());
        self.keep(bytes);
    }

    /// Whether so much came beyond the limit that listening on is no longer worth it.
    pub(crate) fn is_flood(&self) -> bool {
        self.seen > self.limit.saturating_mul(2).saturating_add(1024 * 1024)
    }

    /// Takes bytes of a text that ends with a dot on a line (DATA). Leading dots are taken off.
    pub(crate) fn dotted(&mut self, bytes: &[u8]) -> Progress {
        // `from` is where the bytes begin that belong to the text and are not kept yet.
        let (mut position, mut from) = (0, 0);
        while position < bytes.len() {
            match self.at {
                At::Inside => match memchr2(b'\r', b'\n', &bytes[position..]) {
                    None => position = bytes.len(),
                    Some(found) => {
                        position += found;
                        if bytes[position] == b'\n' {
                            self.keep(&bytes[from..position]);
                            from = position;
                            self.bare();
                            self.at = At::LineStart;
                        } else {
                            self.at = At::Cr;
                        }
                        position += 1;
                    }
                },
                At::Cr => {
                    if bytes[position] == b'\n' {
                        position += 1;
                        self.at = At::LineStart;
                    } else {
                        // The byte behind is looked at again as the first of a line, so that an end
                        // of text behind a bare carriage return is recognised as dubious too.
                        self.bare();
                        self.at = At::LineStart;
                    }
                }
                At::LineStart => match bytes[position] {
                    b'.' => {
                        self.keep(&bytes[from..position]);
                        position += 1;
                        from = position;
                        self.at = At::Dot;
                    }
                    _ => self.at = At::Inside,
                },
                At::Dot => match bytes[position] {
                    b'\r' => {
                        // Kept back until the next byte tells whether this is the end.
                        position += 1;
                        from = position;
                        self.at = At::DotCr;
                    }
                    b'\n' => {
                        self.bare();
                        return Progress::Abandon;
                    }
                    _ => self.at = At::Inside,
                },
                At::DotCr => {
                    if bytes[position] == b'\n' {
                        return if self.fault == Some(BodyFault::BareNewline) {
                            Progress::Abandon
                        } else {
                            self.seen = self.seen.saturating_add(position + 1);
                            Progress::Ended(position + 1)
                        };
                    }
                    self.bare();
                    return Progress::Abandon;
                }
            }
        }
        self.keep(&bytes[from.min(bytes.len())..]);
        self.seen = self.seen.saturating_add(bytes.len());
        if self.is_flood() { Progress::Abandon } else { Progress::More }
    }

    fn bare(&mut self) {
        self.fail(BodyFault::BareNewline);
    }

    fn fail(&mut self, fault: BodyFault) {
        // A bare newline outranks the others: it decides whether the connection may go on.
        if self.fault.is_none() || fault == BodyFault::BareNewline {
            self.fault = Some(fault);
        }
        self.text = Vec::new();
        self.reservation.release();
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.fault.is_some() || bytes.is_empty() {
            return;
        }
        let length = self.text.len() + bytes.len();
        if length > self.limit {
            self.fail(BodyFault::TooLarge);
        } else if self.reservation.ensure(length) {
            self.text.extend_from_slice(bytes);
        } else {
            self.fail(BodyFault::NoMemory);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(limit: usize) -> MessageBody {
        MessageBody::new(limit, ByteBudget::new(1 << 20))
    }

    /// The progress after all pieces, the text or fault, and how many bytes were used.
    fn read(pieces: &[&[u8]], limit: usize) -> (Progress, Result<Vec<u8>, BodyFault>, usize) {
        let (mut body, mut used) = (body(limit), 0);
        for piece in pieces {
            match body.dotted(piece) {
                Progress::More => used += piece.len(),
                Progress::Ended(here) => {
                    return (Progress::Ended(0), body.finish().map(|done| done.0), used + here);
                }
                Progress::Abandon => return (Progress::Abandon, body.finish().map(|done| done.0), 0),
            }
        }
        (Progress::More, body.finish().map(|done| done.0), used)
    }

    #[test]
    fn dots_are_taken_off_and_only_crlf_dot_crlf_ends() {
        let whole = b"a\r\n..b\r\n.c\r\n\r\n.\r\nQUIT\r\n";
        assert_eq!(read(&[whole], 100), (Progress::Ended(0), Ok(b"a\r\n.b\r\nc\r\n\r\n".to_vec()), 17));
        assert_eq!(read(&[b".\r\n"], 100), (Progress::Ended(0), Ok(vec![]), 3));
        assert_eq!(read(&[b"a.\r\n"], 100).0, Progress::More);
    }

    #[test]
    fn smuggling_sequences_never_end_a_message_that_is_taken() {
        // The sequences by which mail was smuggled, each followed by a transaction of its own.
        for end in [
            "\n.\n",
            "\n.\r\n",
            "\r\n.\n",
            "\r.\r\n",
            "\r.\r",
            "\r\n.\r",
            "\n.\r",
            "\r\r\n.\r\r\n",
            "\r\n\x00.\n",
        ] {
            let text = format!("Subject: x\r\n\r\nhello{end}MAIL FROM:<evil@x.example>\r\n.\r\n");
            let (progress, result, _) = read(&[text.as_bytes()], 1000);
            assert_ne!(progress, Progress::Ended(0), "{end:?}");
            assert_eq!(result, Err(BodyFault::BareNewline), "{end:?}");
        }
    }

    #[test]
    fn a_text_too_large_is_read_to_its_end_and_not_kept() {
        let (progress, result, used) = read(&[b"0123456789", b"0123456789\r\n", b".\r\nNOOP"], 15);
        assert_eq!((progress, result, used), (Progress::Ended(0), Err(BodyFault::TooLarge), 25));
        let mut flooded = body(10);
        let piece = [b'a'; 64 * 1024];
        assert!((0..32).any(|_| flooded.dotted(&piece) == Progress::Abandon), "a flood is cut off");
    }

    #[test]
    fn the_budget_is_shared_and_given_back() {
        let budget = ByteBudget::new(RESERVE_STEP);
        let mut first = MessageBody::new(1000, budget.clone());
        let mut second = MessageBody::new(1000, budget.clone());
        first.chunk(b"a");
        second.chunk(b"b");
        assert_eq!(second.finish().err(), Some(BodyFault::NoMemory));
        let (text, held) = first.finish().expect("the first had memory");
        assert_eq!((text.as_slice(), budget.left()), (&b"a"[..], 0));
        drop(held);
        assert_eq!(budget.left(), RESERVE_STEP);
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_the_same_as_the_whole(
            text in "[ab.\r\n]{0,60}", ended: bool, cuts in prop::collection::vec(0_usize..60, 0..8),
        ) {
            let text = if ended { format!("{text}\r\n.\r\nrest") } else { text };
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read(&pieces, 1000), read(&[bytes], 1000));
        }

        #[test]
        fn what_is_stuffed_comes_out_again(lines in prop::collection::vec("[.a]{0,5}", 0..10)) {
            let plain: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let stuffed: String = lines.iter().map(|line| {
                let dot = if line.starts_with('.') { "." } else { "" };
                format!("{dot}{line}\r\n")
            }).collect();
            let (_, result, _) = read(&[format!("{stuffed}.\r\n").as_bytes()], 1000);
            prop_assert_eq!(result, Ok(plain.into_bytes()));
        }
    }
}
