// SPDX-License-Identifier: EUPL-1.2
//! A web server of the outside world with pictures, as newsletters name them.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A picture of so many dots, in its fewest octets.
pub fn gif(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = b"GIF89a".to_vec();
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend(b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;");
    bytes
}

/// A web server that has a picture, a dot, a page and a way into the house, and remembers what it was asked.
pub struct Pictures {
    /// Its port on the loopback.
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Pictures {
    /// Starts one.
    pub fn start() -> Self {
        Self::that_says("")
    }

    /// Starts one whose picture ends in these words.
    pub fn that_says(words: &str) -> Self {
        let picture = [gif(32, 16), words.as_bytes().to_vec()].concat();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut request = vec![0; 4_096];
                let read = stream.read(&mut request).unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                kept.lock().expect("no test panics here").push(request);
                let (head, body) = match path.split('?').next().unwrap_or_default() {
                    "/beeld.gif" => ("200 OK\r\nContent-Type: image/gif", picture.clone()),
                    "/punt.gif" => ("200 OK\r\nContent-Type: image/gif", gif(1, 1)),
                    "/pagina.gif" => {
                        ("200 OK\r\nContent-Type: image/gif", b"<html><script>x</script>".to_vec())
                    }
                    "/naar-binnen" => ("302 Found\r\nLocation: http://127.0.0.1/geheim", Vec::new()),
                    _ => ("404 Not Found", Vec::new()),
                };
                let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            }
        });
        Self { port, asked }
    }

    /// What it was asked until now.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test panics here").clone()
    }
}
