// SPDX-License-Identifier: EUPL-1.2
//! A collector of traces: takes every request over HTTP and keeps what it was sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A running collector; it ends with the test's process.
pub struct KeeperOfTraces {
    /// Its port on the loopback.
    pub port: u16,
    taken: Arc<Mutex<Vec<u8>>>,
}

impl KeeperOfTraces {
    /// Starts one on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let taken = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || keep(&stream, &kept));
            }
        });
        Self { port, taken }
    }

    /// Everything it was sent: heads and bodies.
    pub fn taken(&self) -> Vec<u8> {
        self.taken.lock().expect("no test panics here").clone()
    }
}

/// Takes requests until the client goes away. `None` is the end, at whatever point it came.
fn keep(stream: &TcpStream, kept: &Mutex<Vec<u8>>) -> Option<()> {
    let (mut out, mut from) = (stream, BufReader::new(stream));
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if from.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
                length = number.trim().parse().ok()?;
            }
            head.push_str(&line);
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body).ok()?;
        let mut all = kept.lock().expect("no test panics here");
        all.extend_from_slice(head.as_bytes());
        all.extend_from_slice(&body);
        drop(all);
        out.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            .ok()?;
    }
}
