// SPDX-License-Identifier: EUPL-1.2
//! A mail as its octets stand, handed to a listener: no tool between mends what is broken in it.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Hands `mail` in for one recipient; the answer to it. Lines end in CRLF when they end in LF.
///
/// # Panics
/// When the line breaks, or the recipient is refused.
pub fn post(port: u16, from: &str, to: &str, mail: &[u8]) -> String {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("a listener");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    answer(&mut reader);
    let mut say = |octets: &[u8]| {
        (&stream).write_all(octets).expect("a line");
        (&stream).write_all(b"\r\n").expect("a line");
        answer(&mut reader)
    };
    for words in ["EHLO client.example".to_owned(), format!("MAIL FROM:<{from}>"), format!("RCPT TO:<{to}>")]
    {
        let told = say(words.as_bytes());
        assert!(told.starts_with('2'), "{words}: {told}");
    }
    assert!(say(b"DATA").starts_with('3'));
    let mut data = Vec::with_capacity(mail.len() + mail.len() / 32);
    for line in mail.split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b".") {
            data.push(b'.');
        }
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        data.extend_from_slice(bare.strip_suffix(b"\r").unwrap_or(bare));
        data.extend_from_slice(b"\r\n");
    }
    data.extend_from_slice(b".");
    let told = say(&data);
    let _ = (&stream).write_all(b"QUIT\r\n");
    told
}

fn answer(reader: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line).expect("an answer");
        if line.as_bytes().get(3) != Some(&b'-') {
            return line.trim_end().to_owned();
        }
    }
}
