// SPDX-License-Identifier: EUPL-1.2
//! Lanes of SMTP: each a connection that hands over mail after mail (RFC 5321, RFC 2920).

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::data::{Mail, mailbox};

/// A mail, ready for the wire.
pub struct Parcel {
    envelope: String,
    data: Vec<u8>,
}

impl Parcel {
    /// Prepares a mail.
    pub fn new(mail: &Mail) -> Self {
        let envelope =
            format!("MAIL FROM:<{}>\r\nRCPT TO:<{}>\r\nDATA\r\n", mail.from, mailbox(mail.mailbox));
        let raw = mail.raw();
        let mut data = Vec::with_capacity(raw.len() + 8);
        for line in raw.split_inclusive(|byte| *byte == b'\n') {
            if line.first() == Some(&b'.') {
                data.push(b'.');
            }
            data.extend_from_slice(line);
        }
        data.extend_from_slice(b".\r\n");
        Self { envelope, data }
    }
}

/// Hands all parcels to the listener on `port` of the loopback, over `lanes` connections at once.
/// Returns when the last one is acknowledged.
///
/// # Errors
/// The first refusal, in the words of the listener.
pub fn send(port: u16, lanes: usize, parcels: &[Parcel]) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(|| lane(port, parcels, &next))).collect();
        let mut outcome = Ok(());
        for lane in lanes {
            let ended = lane.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a lane broke")));
            outcome = outcome.and(ended);
        }
        outcome
    })
}

fn lane(port: u16, parcels: &[Parcel], next: &AtomicUsize) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    reply(&mut reader, "220")?;
    stream.write_all(b"EHLO mta.klant.example\r\n")?;
    reply(&mut reader, "250")?;
    while let Some(parcel) = parcels.get(next.fetch_add(1, Ordering::Relaxed)) {
        // Both listeners offer PIPELINING: envelope in one packet, three answers.
        stream.write_all(parcel.envelope.as_bytes())?;
        reply(&mut reader, "250")?;
        reply(&mut reader, "250")?;
        reply(&mut reader, "354")?;
        stream.write_all(&parcel.data)?;
        reply(&mut reader, "250")?;
    }
    stream.write_all(b"QUIT\r\n")?;
    reply(&mut reader, "221")
}

fn reply(reader: &mut impl BufRead, wanted: &str) -> anyhow::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).context("no answer")? == 0 {
            bail!("the listener closed the connection");
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            break;
        }
    }
    if !line.starts_with(wanted) {
        bail!("the listener answered: {}", line.trim());
    }
    Ok(())
}
