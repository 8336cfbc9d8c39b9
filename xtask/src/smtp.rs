// SPDX-License-Identifier: EUPL-1.2
//! The smallest mail client that can hand a file to an SMTP listener on this machine.

use crate::shell::{Doing, Failure, Result};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Sends each message to `recipient` over one connection to `address` ("127.0.0.1:2525").
/// A refusal is a failure with the listener's own words.
pub fn send(address: &str, recipient: &str, messages: &[Vec<u8>]) -> Result<()> {
    let stream = TcpStream::connect(address).doing(&format!("connect to {address}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).doing("set a time limit")?;
    let mut session =
        Session { reader: BufReader::new(stream.try_clone().doing("use the connection")?), stream };
    session.reply("the greeting", 220)?;
    session.command("EHLO localhost", 250)?;
    for message in messages {
        let sender = sender(message).unwrap_or_default();
        session.command(&format!("MAIL FROM:<{sender}>"), 250)?;
        session.command(&format!("RCPT TO:<{recipient}>"), 250)?;
        session.command("DATA", 354)?;
        session.stream.write_all(&stuffed(message)).doing("send a message")?;
        session.reply("the message", 250)?;
    }
    session.command("QUIT", 221)
}

struct Session<S: Write, R: Read> {
    stream: S,
    reader: BufReader<R>,
}

impl<S: Write, R: Read> Session<S, R> {
    fn command(&mut self, line: &str, wanted: u16) -> Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).doing(&format!("send {line}"))?;
        self.reply(line, wanted)
    }

    /// Reads one reply, which may have several lines.
    fn reply(&mut self, to: &str, wanted: u16) -> Result<()> {
        let mut text = String::new();
        loop {
            let mut line = String::new();
            let read = self.reader.read_line(&mut line).doing(&format!("read the reply to {to}"))?;
            text.push_str(&line);
            if read == 0 {
                return Err(Failure::new(format!("the listener closed the connection after {to}")));
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                break;
            }
        }
        let code = text.get(..3).and_then(|code| code.parse::<u16>().ok());
        if code == Some(wanted) {
            Ok(())
        } else {
            Err(Failure::new(format!("{to} was answered with: {}", text.trim())))
        }
    }
}

/// The address in the From line.
fn sender(message: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(message);
    let head = text.split("\r\n\r\n").next()?.split("\n\n").next()?;
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("from:"))?;
    let value = line[5..].trim();
    let address = value.rsplit_once('<').map_or(value, |(_, rest)| rest.trim_end_matches('>'));
    Some(address.trim().to_owned())
}

/// The message as it goes over the wire: lines end in CRLF, a leading dot is doubled, and a
/// line with one dot ends it (RFC 5321, section 4.5.2).
fn stuffed(message: &[u8]) -> Vec<u8> {
    let body = message.strip_suffix(b"\n").unwrap_or(message);
    let mut wire = Vec::with_capacity(message.len() + 64);
    for line in body.split(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            wire.push(b'.');
        }
        wire.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_doubled_and_lines_end_in_crlf() {
        assert_eq!(stuffed(b"A: b\n\n.\n..c\r\nd\n"), b"A: b\r\n\r\n..\r\n...c\r\nd\r\n.\r\n");
    }

    #[test]
    fn the_sender_is_the_address_of_the_from_line() {
        assert_eq!(
            sender(b"To: x\nFrom: \"De Wit, Anna\" <anna@klant.example>\n\nFrom: no").as_deref(),
            Some("anna@klant.example")
        );
        assert_eq!(sender(b"from: bare@klant.example\r\n\r\n").as_deref(), Some("bare@klant.example"));
        assert_eq!(sender(b"To: x\n\nFrom: in the body"), None);
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_listener() {
        let mut session =
            Session { stream: Vec::new(), reader: BufReader::new(&b"550-no\r\n550 such user\r\n"[..]) };
        let failure = session.command("RCPT TO:<x@y.example>", 250).unwrap_err().to_string();
        assert!(failure.contains("550 such user"), "{failure}");
        assert_eq!(session.stream, b"RCPT TO:<x@y.example>\r\n");
    }
}
