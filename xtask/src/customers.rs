// SPDX-License-Identifier: EUPL-1.2
//! The mail server of the demo's customers: takes the agents' answers on the loopback and
//! keeps each as a file, so that a person can see what went out. It sends nothing on.

use crate::shell::{Doing, Result};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What one connection may do: send mail to `folder`.
pub struct Customers {
    listener: TcpListener,
    folder: PathBuf,
}

impl Customers {
    /// Listens on `address` ("127.0.0.1:2526"); mail goes to files in `folder`.
    pub fn listen(address: &str, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).doing(&format!("make {}", folder.display()))?;
        let listener = TcpListener::bind(address).doing(&format!("listen on {address}"))?;
        Ok(Self { listener, folder: folder.to_owned() })
    }

    /// Where it listens.
    #[cfg(test)]
    fn address(&self) -> String {
        self.listener.local_addr().map(|address| address.to_string()).unwrap_or_default()
    }

    /// Takes one connection and all mail that comes over it; calls `arrived` for each file.
    pub fn serve_one(&self, arrived: &dyn Fn(&Path)) -> Result<()> {
        let (stream, _) = self.listener.accept().doing("accept a connection")?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).doing("set a time limit")?;
        // A client that hangs up in the middle has sent nothing; that is its own affair.
        let _ = self.converse(&stream, arrived);
        Ok(())
    }

    fn converse(&self, stream: &TcpStream, arrived: &dyn Fn(&Path)) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut out = stream;
        out.write_all(b"220 customers.example ESMTP\r\n")?;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 0 {
            let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => out.write_all(
                    b"250-customers.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 52428800\r\n",
                )?,
                "HELO" | "MAIL" | "RCPT" | "RSET" | "NOOP" => out.write_all(b"250 2.0.0 Ok\r\n")?,
                "DATA" => {
                    out.write_all(b"354 End with a dot\r\n")?;
                    let message = read_data(&mut reader)?;
                    let path = self.next_file();
                    fs::write(&path, message)?;
                    out.write_all(b"250 2.0.0 Ok\r\n")?;
                    arrived(&path);
                }
                "QUIT" => return out.write_all(b"221 2.0.0 Bye\r\n"),
                _ => out.write_all(b"502 5.5.1 Not known here\r\n")?,
            }
            line.clear();
        }
        Ok(())
    }

    fn next_file(&self) -> PathBuf {
        (1..)
            .map(|number| self.folder.join(format!("{number}.eml")))
            .find(|path| !path.exists())
            .expect("numbers do not end")
    }
}

/// The lines up to the one with a single dot, doubled dots undone (RFC 5321, section 4.5.2).
fn read_data(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut message = Vec::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if line == b".\r\n" {
            return Ok(message);
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        line.clear();
    }
    Err(std::io::ErrorKind::UnexpectedEof.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp;

    #[test]
    fn what_is_sent_arrives_byte_for_byte() {
        let folder = std::env::temp_dir().join(format!("belofte-customers-{}", std::process::id()));
        let customers = Customers::listen("127.0.0.1:0", &folder).unwrap();
        let address = customers.address();
        let messages = [
            b"From: a@winkel.example\r\n\r\n.\r\n..two\r\nend\r\n".to_vec(),
            b"From: b@winkel.example\r\n\r\nx\r\n".to_vec(),
        ];
        let sent = messages.clone();
        let client = std::thread::spawn(move || smtp::send(&address, "anna@klant.example", &sent));
        customers.serve_one(&|_| ()).unwrap();
        client.join().unwrap().unwrap();
        let kept = [fs::read(folder.join("1.eml")).unwrap(), fs::read(folder.join("2.eml")).unwrap()];
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(kept, messages);
    }
}
