// SPDX-License-Identifier: EUPL-1.2
//! A submission server that takes no recipient: every delivery through it fails for good.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

/// Starts the server on a free port of the loopback; it lives as long as the test process.
pub fn refusing_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || talk(stream));
        }
    });
    port
}

fn talk(mut stream: TcpStream) -> std::io::Result<()> {
    let lines = BufReader::new(stream.try_clone()?).lines();
    stream.write_all(b"220 mail.example ESMTP\r\n")?;
    for line in lines {
        let word = line?.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match word.as_str() {
            "RCPT" => b"550 5.1.1 No such mailbox\r\n",
            "DATA" => b"554 5.5.1 No valid recipients\r\n",
            "QUIT" => b"221 2.0.0 Bye\r\n",
            _ => b"250 2.0.0 Ok\r\n",
        };
        stream.write_all(answer)?;
        if word == "QUIT" {
            return Ok(());
        }
    }
    Ok(())
}
