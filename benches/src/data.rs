// SPDX-License-Identifier: EUPL-1.2
//! Mail that nobody wrote: the same for the same seed.
//!
//! Words are syllables with the frequencies of a natural language (Zipf), so that an index has
//! common and rare words in the usual proportion. One mail in ten comes from somebody new, three
//! in ten answer an earlier mail, and one in ten carries a file.

use std::collections::HashSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A sequence of numbers from a seed (SplitMix64).
pub struct Chance(u64);

impl Chance {
    /// The sequence that begins with `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub const fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// A number from 0 to 1.
    pub fn part(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Ten random bytes, for an id.
    pub const fn ten(&mut self) -> [u8; 10] {
        let (a, b) = (self.bits().to_be_bytes(), self.bits().to_be_bytes());
        [a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], b[0], b[1]]
    }
}

/// The words of the language, the most frequent first.
pub struct Language {
    /// Each once.
    pub words: Vec<String>,
    sums: Vec<f64>,
}

const ONSETS: &[&str] = &[
    "b", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z", "br", "dr", "kl",
    "sch", "st", "tr", "vl",
];
const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "aa", "ee", "oe", "ij", "ui"];
const CODAS: &[&str] = &["", "", "", "n", "r", "s", "t", "l", "k", "m", "nt", "rd", "st", "ng"];
const WORDS: usize = 60_000;

impl Language {
    /// The language; there is one.
    pub fn new() -> Self {
        let mut chance = Chance::new(42);
        let (mut words, mut seen) = (Vec::with_capacity(WORDS), HashSet::new());
        while words.len() < WORDS {
            let syllables = match words.len() {
                0..60 => 1,
                60..1_500 => 1 + chance.below(3),
                _ => 2 + chance.below(3),
            };
            let mut word = String::new();
            for _ in 0..syllables {
                for part in [ONSETS, VOWELS, CODAS] {
                    word.push_str(part[chance.below(part.len())]);
                }
            }
            if word.len() > 1 && seen.insert(word.clone()) {
                words.push(word);
            }
        }
        let mut sums = Vec::with_capacity(words.len());
        let mut sum = 0.0;
        for rank in 0..words.len() {
            sum += 1.0 / (rank as f64 + 2.7).powf(1.05);
            sums.push(sum);
        }
        for part in &mut sums {
            *part /= sum;
        }
        Self { words, sums }
    }

    /// A word, as often as its rank says.
    fn word(&self, chance: &mut Chance) -> &str {
        let at = chance.part();
        &self.words[self.sums.partition_point(|sum| *sum < at).min(self.words.len() - 1)]
    }

    /// Lines of words, about `bytes` long.
    fn text(&self, chance: &mut Chance, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 80);
        let mut line = 0;
        while text.len() < bytes {
            let word = self.word(chance);
            text.push_str(word);
            line += word.len() + 1;
            let end = chance.below(12) == 0;
            if end {
                text.push('.');
            }
            if line > 66 {
                text.push_str("\r\n");
                line = 0;
            } else {
                text.push(' ');
            }
        }
        text.push_str("\r\n");
        text
    }
}

/// What mails are to be like.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The text of a mail without its header, in bytes, give or take a third.
    pub text: usize,
    /// The file that every tenth mail carries, in bytes; 0 is none.
    pub file: usize,
}

/// A mail of about 4 kB, a tenth of them with a file of 50 kB.
pub const USUAL: Shape = Shape { text: 3_300, file: 50_000 };

/// The mailboxes of the tenant, which mail is spread over.
pub const MAILBOXES: usize = 8;

/// The address of a mailbox.
pub fn mailbox(number: usize) -> String {
    format!("inbox{number}@bench.example")
}

/// One mail.
#[derive(Clone)]
pub struct Mail {
    /// Its author.
    pub from_name: String,
    /// The address of its author.
    pub from: String,
    /// The number of the mailbox that it goes to.
    pub mailbox: usize,
    /// Its subject.
    pub subject: String,
    /// Its text, lines end in CRLF.
    pub text: String,
    /// Its identifier without brackets.
    pub message_id: String,
    /// The identifiers of the mails that it answers, root first.
    pub references: Vec<String>,
    /// The file that it carries.
    pub file: Option<Vec<u8>>,
    accents: bool,
}

/// What later mails need to know of earlier ones.
struct Earlier {
    contact: usize,
    mailbox: usize,
    subject: String,
    thread: Vec<String>,
}

/// Writes mail after mail.
pub struct Writer<'a> {
    language: &'a Language,
    chance: Chance,
    shape: Shape,
    seed: u64,
    contacts: usize,
    earlier: Vec<Earlier>,
}

/// A mail is answered when so many others have come in between: lanes do not keep the order.
const ANSWERED_AFTER: usize = 100;
/// The longest line of References.
const THREAD: usize = 8;

impl<'a> Writer<'a> {
    /// Begins with `seed`, which the identifiers of the mails carry.
    pub fn new(language: &'a Language, shape: Shape, seed: u64) -> Self {
        Self { language, chance: Chance::new(seed), shape, seed, contacts: 0, earlier: Vec::new() }
    }

    /// The next `count` mails.
    pub fn mails(&mut self, count: usize) -> Vec<Mail> {
        (0..count).map(|_| self.mail()).collect()
    }

    fn mail(&mut self) -> Mail {
        let number = self.earlier.len();
        let answers = number > ANSWERED_AFTER && self.chance.below(10) < 3;
        let (contact, mailbox, subject, references);
        if answers {
            let earlier = &self.earlier[self.chance.below(number - ANSWERED_AFTER)];
            (contact, mailbox) = (earlier.contact, earlier.mailbox);
            let old = earlier.subject.strip_prefix("Re: ").unwrap_or(&earlier.subject);
            subject = format!("Re: {old}");
            references = earlier.thread.clone();
        } else {
            if number.is_multiple_of(10) {
                self.contacts += 1;
            }
            let newest = number.is_multiple_of(10);
            contact = if newest { self.contacts - 1 } else { self.chance.below(self.contacts.max(1)) };
            mailbox = self.chance.below(MAILBOXES);
            let words = 3 + self.chance.below(5);
            let mut text: Vec<&str> = Vec::new();
            for _ in 0..words {
                text.push(self.language.word(&mut self.chance));
            }
            subject = text.join(" ");
            references = Vec::new();
        }
        let message_id = format!("{}.{number}@mx.klant.example", self.seed);
        let third = self.shape.text / 3;
        let bytes = self.shape.text - third + self.chance.below(2 * third + 1);
        let mut text = self.language.text(&mut self.chance, bytes);
        let accents = self.chance.below(3) == 0;
        if accents {
            text.push_str("Met vriendelijke groet, één vraag over de coördinatie\r\n");
        }
        let carries = self.shape.file > 0 && number % 10 == 5;
        let file = carries.then(|| {
            let mut file = Vec::with_capacity(self.shape.file + 8);
            while file.len() < self.shape.file {
                file.extend_from_slice(&self.chance.bits().to_be_bytes());
            }
            file.truncate(self.shape.file);
            file
        });
        let mut thread = references.clone();
        thread.push(message_id.clone());
        if thread.len() > THREAD {
            thread.remove(1);
        }
        self.earlier.push(Earlier { contact, mailbox, subject: subject.clone(), thread });
        let name = |rank: usize| {
            let word = &self.language.words[(1_000 + rank * 7) % WORDS];
            word[..1].to_uppercase() + &word[1..]
        };
        Mail {
            from_name: format!("{} {}", name(contact), name(contact + 3_001)),
            from: format!("klant{contact}@mx{}.klant.example", contact % 50),
            mailbox,
            subject,
            text,
            message_id,
            references,
            file,
            accents,
        }
    }
}

impl Mail {
    /// The mail as bytes (RFC 5322, RFC 2045).
    pub fn raw(&self) -> Vec<u8> {
        let mut mail = String::with_capacity(
            self.text.len() + 1_200 + self.file.as_ref().map_or(0, |f| f.len() * 3 / 2),
        );
        let to = mailbox(self.mailbox);
        let _ = write!(
            mail,
            "Received: from mta.klant.example (mta.klant.example [192.0.2.25])\r\n\
             \tby mx.bench.example (Postfix) with ESMTPS id 4ZQ1bN2kqTz9t\r\n\
             \tfor <{to}>; Mon, 5 Jan 2026 10:12:31 +0100 (CET)\r\n\
             DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=klant.example; s=s1;\r\n\
             \th=from:to:subject:date:message-id; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=;\r\n\
             \tb=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFy\r\n\
             \tYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4=\r\n\
             From: {} <{}>\r\nTo: Klantenservice <{to}>\r\nSubject: {}\r\n\
             Date: Mon, 5 Jan 2026 10:12:30 +0100\r\nMessage-ID: <{}>\r\n",
            self.from_name, self.from, self.subject, self.message_id
        );
        if let Some(last) = self.references.last() {
            let all: Vec<String> = self.references.iter().map(|id| format!("<{id}>")).collect();
            let _ = write!(mail, "In-Reply-To: <{last}>\r\nReferences: {}\r\n", all.join("\r\n "));
        }
        mail.push_str("User-Agent: Bench Mail 1.0\r\nMIME-Version: 1.0\r\n");
        match &self.file {
            None => self.text_part(&mut mail),
            Some(file) => {
                mail.push_str(
                    "Content-Type: multipart/mixed; boundary=\"=_grens_7f3a\"\r\n\r\n--=_grens_7f3a\r\n",
                );
                self.text_part(&mut mail);
                mail.push_str(
                    "\r\n--=_grens_7f3a\r\nContent-Type: application/pdf; name=\"factuur.pdf\"\r\n\
                     Content-Disposition: attachment; filename=\"factuur.pdf\"\r\n\
                     Content-Transfer-Encoding: base64\r\n\r\n",
                );
                let encoded = STANDARD.encode(file);
                for line in encoded.as_bytes().chunks(76) {
                    mail.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
                    mail.push_str("\r\n");
                }
                mail.push_str("--=_grens_7f3a--\r\n");
            }
        }
        mail.into_bytes()
    }

    fn text_part(&self, mail: &mut String) {
        mail.push_str("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ");
        if !self.accents {
            mail.push_str("7bit\r\n\r\n");
            mail.push_str(&self.text);
            return;
        }
        mail.push_str("quoted-printable\r\n\r\n");
        // No line here is longer than 76 characters, so that only octets beyond ASCII are encoded.
        for c in self.text.chars() {
            if c.is_ascii() && c != '=' {
                mail.push(c);
            } else {
                for byte in c.to_string().bytes() {
                    let _ = write!(mail, "={byte:02X}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_mails_are_as_told() {
        let language = Language::new();
        let write = || Writer::new(&language, USUAL, 7).mails(1_000);
        let (first, second) = (write(), write());
        assert!(first.iter().zip(&second).all(|(a, b)| a.raw() == b.raw()));
        let with_file = first.iter().filter(|mail| mail.file.is_some()).count();
        assert_eq!(with_file, 100);
        let plain: Vec<usize> =
            first.iter().filter(|mail| mail.file.is_none()).map(|mail| mail.raw().len()).collect();
        let average = plain.iter().sum::<usize>() / plain.len();
        assert!((3_700..5_000).contains(&average), "{average}");
        let people: HashSet<&str> = first.iter().map(|mail| mail.from.as_str()).collect();
        assert!((60..=100).contains(&people.len()), "{}", people.len());
        let answers = first.iter().filter(|mail| !mail.references.is_empty()).count();
        assert!((200..340).contains(&answers), "{answers}");
        assert!(first.iter().all(|mail| mail.raw().split(|b| *b == b'\n').all(|line| line.len() < 998)));
    }
}
