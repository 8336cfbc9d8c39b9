// SPDX-License-Identifier: EUPL-1.2
//! What a scanner may say, and not say.

use std::path::Path;

use tokio::net::UnixListener;

use super::*;
use crate::outbound::Register;

/// A scanner that says `words` to whatever it is shown, once all of it is there.
fn that_says(path: &Path, words: &'static [u8]) {
    let listener = UnixListener::bind(path).expect("our own folder");
    tokio_util::task::TaskTracker::new().spawn(async move {
        while let Ok((mut line, _)) = listener.accept().await {
            let mut seen = Vec::new();
            let mut buffer = [0; 4096];
            while !seen.ends_with(&[0; 4]) && !seen.ends_with(b"PING\0") {
                match line.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(length) => seen.extend_from_slice(&buffer[..length]),
                }
            }
            // Who asked may be gone.
            let _ = line.write_all(words).await;
        }
    });
}

fn scanner(path: &Path) -> Scanner {
    let outbound = Outbound::new(Register::default(), Vec::new());
    Scanner::new(outbound, Some(ScannerAddress::Unix(path.to_owned())))
}

#[test]
fn an_address_is_a_socket_or_a_host_with_a_port() {
    let tcp = |host: &str| Ok(ScannerAddress::Tcp { host: host.to_owned(), port: 3310 });
    assert_eq!(
        "unix:/run/clamav/clamd.ctl".parse(),
        Ok(ScannerAddress::Unix("/run/clamav/clamd.ctl".into()))
    );
    assert_eq!("clamd.house:3310".parse(), tcp("clamd.house"));
    assert_eq!("[::1]:3310".parse(), tcp("[::1]"));
    for odd in
        ["", "unix:", "unix:clamd.ctl", "clamd", ":3310", "::1:3310", "clamd:0", "clamd:x", "http://a:1"]
    {
        assert_eq!(odd.parse::<ScannerAddress>(), Err(ScannerAddressError), "{odd}");
    }
    let shown: ScannerAddress = "unix:/run/clamd.ctl".parse().expect("an address");
    assert_eq!(shown.to_string(), "unix:/run/clamd.ctl");
}

#[tokio::test]
async fn nothing_but_a_clear_word_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let infected = |name: &str| Ok(Verdict::Infected(name.to_owned()));
    for (no, (words, expected)) in [
        (&b"stream: OK\0"[..], Ok(Verdict::Clean)),
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", infected("Win.Test.EICAR_HDB-1")),
        (b"stream: <b>a\xc3\xa9\n FOUND\0", infected("ba")),
        (b"stream: \n FOUND\0", infected("?")),
        (b"INSTREAM size limit exceeded. ERROR\0", Ok(Verdict::TooLarge)),
        (b"stream: Can\'t allocate memory ERROR\0", Err(NotScanned::Unavailable)),
        (b"stream: OK", Err(NotScanned::Unavailable)),
        (b"", Err(NotScanned::Unavailable)),
        (b"220 mail.example ESMTP\r\n\0", Err(NotScanned::Unavailable)),
        (b"\xff\xfe: OK\0", Err(NotScanned::Unavailable)),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(no.to_string());
        that_says(&path, words);
        let scanner = scanner(&path);
        let told = scanner.scan(&[b"een mail"]).await;
        assert_eq!(told, expected, "{}", String::from_utf8_lossy(words));
        assert_eq!(scanner.is_silent(), expected == Err(NotScanned::Unavailable));
    }
}

#[tokio::test]
async fn one_that_is_not_there_lets_nothing_through_and_is_left_alone_for_a_while() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clamd.ctl");
    let scanner = scanner(&path);
    assert!(scanner.is_on() && !scanner.is_silent());
    assert!(!scanner.ping().await);
    assert!(scanner.is_silent());
    that_says(&path, b"stream: OK\0");
    assert_eq!(scanner.scan(&[b"een mail"]).await, Err(NotScanned::Unavailable), "it rests");
    assert!(!scanner.ping().await, "what answers a ping otherwise is no scanner");
    let off = Scanner::off();
    assert_eq!(off.scan(&[b"een mail"]).await, Ok(Verdict::Clean));
    assert!(off.ping().await && !off.is_on() && !off.is_silent());
}

#[tokio::test]
async fn what_it_hangs_up_on_does_not_make_it_gone_for_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clamd.ctl");
    let listener = UnixListener::bind(&path).expect("our own folder");
    tokio_util::task::TaskTracker::new().spawn(async move {
        while let Ok((mut line, _)) = listener.accept().await {
            let mut asked = [0; 6];
            if line.read_exact(&mut asked).await.is_ok() && asked == *b"zPING\0" {
                // Who asked may be gone.
                let _ = line.write_all(b"PONG\0").await;
            }
        }
    });
    let scanner = scanner(&path);
    assert!(scanner.ping().await);
    assert_eq!(scanner.scan(&[&vec![b'x'; 4 * PIECE]]).await, Err(NotScanned::TimedOut));
    assert!(!scanner.is_silent() && scanner.pause().is_none());
}
