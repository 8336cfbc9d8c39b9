// SPDX-License-Identifier: EUPL-1.2
//! A mail server of the outside world that sends one mail after the other (RFC 5321), and knows of
//! each whether the server took responsibility for it.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than the server may take for anything while it runs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A mail that no other mail is like.
#[derive(Clone, Debug)]
pub struct Mail {
    /// A word that stands in its text and nowhere else.
    pub word: String,
    /// Its attachment, when it has one.
    pub attachment: Option<Vec<u8>>,
}

impl Mail {
    /// A mail with the word `word` and an attachment of so many bytes.
    pub fn new(word: &str, attachment: usize) -> Self {
        let seed = word.bytes().fold(7_u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(u32::from(byte)));
        let mut state = seed | 1;
        let mut noise = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 24) as u8
        };
        let bytes: Vec<u8> = (0..attachment).map(|_| noise()).collect();
        Self { word: word.to_owned(), attachment: (attachment > 0).then_some(bytes) }
    }

    /// Its subject.
    pub fn subject(&self) -> String {
        format!("Onderwerp {}", self.word)
    }

    /// Its sender; nobody else writes from there.
    pub fn sender(&self) -> String {
        format!("{}@klant.example", self.word)
    }

    /// As it goes over the wire, without the final dot.
    fn source(&self, to: &str) -> String {
        let (word, sender, subject) = (&self.word, self.sender(), self.subject());
        let head = format!(
            "From: Klant <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nMessage-ID: <{word}@klant.example>\r\n\
             MIME-Version: 1.0\r\n"
        );
        let text = format!("Beste winkel,\r\n\r\nMijn woord is {word}.\r\n");
        let Some(attachment) = &self.attachment else {
            return format!("{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}");
        };
        // Hexadecimal needs no decoder of our own to be trusted: the text is the attachment.
        let hex: String = attachment.iter().map(|byte| format!("{byte:02x}")).collect();
        let lines: String = hex.as_bytes().chunks(76).fold(String::new(), |mut lines, line| {
            lines.push_str(std::str::from_utf8(line).expect("hexadecimal"));
            lines.push_str("\r\n");
            lines
        });
        format!(
            "{head}Content-Type: multipart/mixed; boundary=\"grens\"\r\n\r\n--grens\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--grens\r\n\
             Content-Type: text/csv; charset=utf-8\r\nContent-Disposition: attachment; filename=\"{word}.csv\"\r\n\r\n\
             {lines}--grens--\r\n"
        )
    }

    /// The bytes of the attachment as the desk gives them.
    pub fn attached(&self) -> Option<Vec<u8>> {
        let attachment = self.attachment.as_ref()?;
        let hex: String = attachment.iter().map(|byte| format!("{byte:02x}")).collect();
        let lines: Vec<&str> =
            hex.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).expect("hexadecimal")).collect();
        Some(lines.join("\r\n").into_bytes())
    }
}

/// A connection to the mail listener.
pub struct Lane {
    stream: BufReader<TcpStream>,
}

impl Lane {
    /// Connects and says hello.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut lane = Self { stream: BufReader::new(stream) };
        lane.answer()?;
        lane.say("EHLO klant.example")?;
        Ok(lane)
    }

    /// Sends `mail` and gives the code of the answer that decided: 250 when the server has taken it.
    ///
    /// # Errors
    /// When the server is gone; nobody knows then whether it has the mail.
    pub fn send(&mut self, mail: &Mail, to: &str) -> io::Result<u16> {
        for line in [format!("MAIL FROM:<{}>", mail.sender()), format!("RCPT TO:<{to}>"), "DATA".to_owned()] {
            let code = self.say(&line)?;
            if code >= 400 {
                self.say("RSET")?;
                return Ok(code);
            }
        }
        self.stream.get_mut().write_all(format!("{}.\r\n", mail.source(to)).as_bytes())?;
        self.answer()
    }

    fn say(&mut self, line: &str) -> io::Result<u16> {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<u16> {
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 || line.len() < 4 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes()[3] == b' ' {
                return line[..3].parse().map_err(|_| io::ErrorKind::InvalidData.into());
            }
        }
    }
}
