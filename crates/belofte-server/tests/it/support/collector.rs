// SPDX-License-Identifier: EUPL-1.2
//! The customer's mail server as a submission server without guile: it takes everything, slowly
//! enough to be interrupted, and keeps what it took.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A running collector; it ends with the test's process.
pub struct Collector {
    /// Its port on the loopback.
    pub port: u16,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    /// Starts one that waits for `pause` between the final dot and its answer.
    pub fn start(pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let taken = Arc::<Mutex<Vec<String>>>::default();
        let mails = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mails = Arc::clone(&mails);
                std::thread::spawn(move || serve(&stream, &mails, pause));
            }
        });
        Self { port, taken }
    }

    /// How many mails it has taken in which `word` stands.
    pub fn count(&self, word: &str) -> usize {
        let taken = self.taken.lock().expect("no test panics here");
        taken.iter().filter(|mail| mail.contains(word)).count()
    }
}

/// Speaks until the client goes away. `None` is the end, at whatever point it came.
#[allow(clippy::disallowed_methods, reason = "a slow server is slow in real time")]
fn serve(stream: &TcpStream, mails: &Mutex<Vec<String>>, pause: Duration) -> Option<()> {
    let mut out = stream;
    let mut lines = BufReader::new(stream).lines();
    out.write_all(b"220 klant.example\r\n").ok()?;
    loop {
        let line = lines.next()?.ok()?;
        let answer: &[u8] = match line.split_whitespace().next().unwrap_or("").to_uppercase().as_str() {
            "EHLO" => b"250-klant.example\r\n250 8BITMIME\r\n",
            "DATA" => {
                out.write_all(b"354 go on\r\n").ok()?;
                let mut mail = String::new();
                loop {
                    let line = lines.next()?.ok()?;
                    if line == "." {
                        break;
                    }
                    mail.push_str(&line);
                    mail.push('\n');
                }
                // Taken from here on, whether the client hears of it or not.
                mails.lock().expect("no test panics here").push(mail);
                std::thread::sleep(pause);
                b"250 taken\r\n"
            }
            "QUIT" => {
                out.write_all(b"221 bye\r\n").ok()?;
                return None;
            }
            _ => b"250 ok\r\n",
        };
        out.write_all(answer).ok()?;
    }
}
