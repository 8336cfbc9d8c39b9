// SPDX-License-Identifier: EUPL-1.2
//! A mail server that takes no recipient: every delivery to it fails, or waits.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

/// Starts a server on a free port of the loopback that refuses for good; it lives as long as the
/// test process.
pub fn refusing_server() -> u16 {
    server_that_says("550 5.1.1 No such mailbox")
}

/// As [`refusing_server`], with these words to every recipient.
pub fn server_that_says(words: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || talk(stream, words));
        }
    });
    port
}

fn talk(mut stream: TcpStream, words: &str) -> std::io::Result<()> {
    let lines = BufReader::new(stream.try_clone()?).lines();
    stream.write_all(b"220 mail.example ESMTP\r\n")?;
    for line in lines {
        let word = line?.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match word.as_str() {
            "RCPT" => words,
            "DATA" => "554 5.5.1 No valid recipients",
            "QUIT" => "221 2.0.0 Bye",
            _ => "250 2.0.0 Ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
        if word == "QUIT" {
            return Ok(());
        }
    }
    Ok(())
}
