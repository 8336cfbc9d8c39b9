// SPDX-License-Identifier: EUPL-1.2
//! How long reading a mail takes: `cargo run --release -p belofte-mail --example speed`.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::{hint::black_box, time::Instant};

fn main() {
    let line = "Geachte klantenservice, hierbij een regel tekst van gewone lengte voor de meting.\r\n";
    let head = "From: =?utf-8?Q?J=C3=B6rg?= <j@klant.example>\r\nTo: info@winkel.example\r\nSubject: Vraag over mijn bestelling\r\nDate: Tue, 3 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@klant.example>\r\nReceived: from a.example by b.example; Tue, 3 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n";
    let text = line.repeat(4_000 / line.len());
    let small = format!("{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}");
    let base64 = format!("{}\r\n", "QUJD".repeat(19)).repeat(50_000 / 57);
    let large = format!(
        "{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64}--b--\r\n"
    );
    let paragraph = "<p style=\"margin:0;color:#333333\">Een <b>gewone</b> alinea met een <a href=\"https://winkel.example/\">verwijzing</a>.</p>";
    let html = format!(
        "{head}Content-Type: text/html; charset=utf-8\r\n\r\n{}",
        paragraph.repeat(4_000 / paragraph.len())
    );
    for (what, mail) in [("4 kB text", small), ("4 kB text and 50 kB attachment", large), ("4 kB HTML", html)]
    {
        let mut best = f64::MAX;
        for _ in 0..20 {
            let start = Instant::now();
            for _ in 0..100 {
                black_box(belofte_mail::parse(black_box(mail.as_bytes())).is_ok());
            }
            best = best.min(start.elapsed().as_secs_f64() / 100.0 * 1e6);
        }
        println!("{what}: {best:.1} µs ({} octets)", mail.len());
    }
}
