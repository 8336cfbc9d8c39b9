// SPDX-License-Identifier: EUPL-1.2
//! A submission server that keeps what it is given, command by command, as it came.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// One mail that was handed in.
#[derive(Clone, Debug, Default)]
pub struct Handed {
    /// The addresses of `RCPT TO`, with their brackets.
    pub recipients: Vec<String>,
    /// What followed `DATA`, with CRLF.
    pub data: String,
}

impl Handed {
    /// The lines of the header, folded ones in one.
    pub fn header(&self) -> Vec<String> {
        let mut fields: Vec<String> = Vec::new();
        for line in self.data.split("\r\n").take_while(|line| !line.is_empty()) {
            match fields.last_mut() {
                Some(last) if line.starts_with([' ', '\t']) => last.push_str(line),
                _ => fields.push(line.to_owned()),
            }
        }
        fields
    }
}

/// The server, as long as the test process lives.
#[derive(Clone, Debug)]
pub struct Sink {
    /// Its port on the loopback.
    pub port: u16,
    handed: Arc<Mutex<Vec<Handed>>>,
    gate: Arc<Gate>,
}

/// What follows a mail that was handed in.
#[derive(Clone, Copy, Debug)]
enum Then {
    SaysSo,
    BreaksOff,
    WaitsAtTheGate,
}

/// Whether the gate is open.
#[derive(Debug, Default)]
struct Gate(Mutex<bool>, Condvar);

impl Sink {
    /// Starts one.
    pub fn start() -> Self {
        Self::that(Then::SaysSo)
    }

    /// Starts one that keeps what it is given, and breaks the line in the place of saying so.
    pub fn that_breaks_off() -> Self {
        Self::that(Then::BreaksOff)
    }

    /// Starts one that keeps what it is given, and says nothing until [`let_go`](Self::let_go).
    pub fn that_stalls() -> Self {
        Self::that(Then::WaitsAtTheGate)
    }

    /// Answers everybody who waits, and from now on at once.
    pub fn let_go(&self) {
        *self.gate.0.lock().expect("no test panics here") = true;
        self.gate.1.notify_all();
    }

    fn that(then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (handed, gate) = (Arc::<Mutex<Vec<Handed>>>::default(), Arc::<Gate>::default());
        let (kept, shut) = (Arc::clone(&handed), Arc::clone(&gate));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, shut) = (Arc::clone(&kept), Arc::clone(&shut));
                std::thread::spawn(move || talk(stream, &kept, then, &shut));
            }
        });
        Self { port, handed, gate }
    }

    /// What was handed in until now.
    pub fn handed(&self) -> Vec<Handed> {
        self.handed.lock().expect("no test panics here").clone()
    }
}

fn talk(mut stream: TcpStream, kept: &Mutex<Vec<Handed>>, then: Then, gate: &Gate) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut mail = Handed::default();
    stream.write_all(b"220 mail.example ESMTP\r\n")?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let command = std::mem::take(&mut line);
        let word = command.get(..4).unwrap_or_default().to_ascii_uppercase();
        match word.as_str() {
            "RCPT" => {
                mail.recipients.push(command.trim_end().get(8..).unwrap_or_default().to_owned());
                stream.write_all(b"250 2.1.5 Ok\r\n")?;
            }
            "DATA" => {
                stream.write_all(b"354 Go on\r\n")?;
                while reader.read_line(&mut line)? > 0 && line != ".\r\n" {
                    mail.data.push_str(&line);
                    line.clear();
                }
                // A mail without its end was never handed in.
                if line != ".\r\n" {
                    return Ok(());
                }
                line.clear();
                kept.lock().expect("no test panics here").push(std::mem::take(&mut mail));
                match then {
                    Then::SaysSo => {}
                    Then::BreaksOff => return stream.shutdown(std::net::Shutdown::Both),
                    Then::WaitsAtTheGate => {
                        let shut = gate.0.lock().expect("no test panics here");
                        drop(gate.1.wait_while(shut, |open| !*open).expect("no test panics here"));
                    }
                }
                stream.write_all(b"250 2.0.0 Kept\r\n")?;
            }
            "QUIT" => return stream.write_all(b"221 2.0.0 Bye\r\n"),
            _ => stream.write_all(b"250 2.0.0 Ok\r\n")?,
        }
    }
    Ok(())
}
