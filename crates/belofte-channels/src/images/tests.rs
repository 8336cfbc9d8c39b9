// SPDX-License-Identifier: EUPL-1.2
//! What a stranger's mail may have the house ask for, over loopback.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Mutex;

use super::*;
use crate::email::client_tls;
use crate::outbound::{Register, Resolver};

/// A picture of one dot, and one of 32 by 16.
fn gif(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = b"GIF89a".to_vec();
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend(b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;");
    bytes
}

/// A web server that answers each path with what a table says, and remembers what it was asked.
fn serve(answers: &'static [(&'static str, &'static str)]) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let mut request = vec![0; 4_096];
            let read = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            kept.lock().expect("a list").push(request);
            let told = answers.iter().find(|(known, _)| *known == path).map_or("404", |(_, told)| *told);
            if told == "silence" {
                silent.push(stream);
                continue;
            }
            let _ = stream.write_all(&answer(told));
        }
    });
    (address, asked)
}

fn answer(told: &str) -> Vec<u8> {
    let ok = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: a=b\r\nConnection: close\r\n\r\n"
        .to_vec();
    match told.split_once(' ') {
        Some(("to", place)) => {
            format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n").into_bytes()
        }
        Some(("say", words)) => [ok, words.as_bytes().to_vec()].concat(),
        _ if told == "endless" => [ok, gif(32, 16), vec![0; LARGEST + 100_000]].concat(),
        _ if told == "dot" => [ok, gif(1, 1)].concat(),
        _ if told == "picture" => [ok, gif(32, 16)].concat(),
        _ => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
    }
}

fn images(hosts: &[(&str, &str)], within: Vec<AllowPrivate>) -> Images {
    let row = |(host, address): &(&str, &str)| {
        ((*host).to_owned(), vec![address.parse::<IpAddr>().expect("an address")])
    };
    let outbound = Outbound {
        register: Arc::new(Register::default()),
        resolver: Resolver::Fixed(Arc::new(hosts.iter().map(row).collect::<HashMap<_, _>>())),
        // What tenants may name does not count here.
        allow_private: vec!["127.0.0.0/8".parse().expect("a network")].into(),
    };
    Images::new(&outbound, client_tls(Vec::new()).expect("roots"), within)
}

fn here(address: SocketAddr) -> Vec<AllowPrivate> {
    vec![AllowPrivate::Host { host: "beeld.example".to_owned(), port: address.port() }]
}

#[tokio::test]
async fn an_image_is_fetched_without_a_word_about_who_asks() {
    let (address, asked) = serve(&[("/a.gif?x=1", "picture"), ("/r", "to /a.gif?x=1")]);
    let images = images(&[("beeld.example", "127.0.0.1")], here(address));
    let port = address.port();
    let addresses =
        [format!("http://beeld.example:{port}/a.gif?x=1#jan"), format!("http://beeld.example:{port}/r")];
    let found = images.fetch(&addresses, 1_000_000).await;
    assert!(found.iter().all(|one| *one == Fetched::Image(gif(32, 16))), "{found:?}");
    for request in asked.lock().expect("a list").iter() {
        let names: Vec<String> = request
            .lines()
            .skip(1)
            .take_while(|line| !line.is_empty())
            .map(|line| line.split(':').next().unwrap_or_default().to_ascii_lowercase())
            .collect();
        let mut known = names.clone();
        known.retain(|name| ["host", "accept", "user-agent"].contains(&name.as_str()));
        assert_eq!(names, known, "nothing else is told");
        assert!(!request.contains("jan") && request.contains("Mozilla/5.0\r\n"), "{request}");
    }
}

#[tokio::test]
async fn no_mail_has_the_house_look_inside() {
    static ANSWERS: &[(&str, &str)] = &[
        ("/inside", "to http://binnen.example/geheim"),
        ("/loopback", "to http://127.0.0.1/"),
        ("/file", "to file:///etc/passwd"),
        ("/mail", "to http://beeld.example:25/"),
        ("/round", "to /round"),
    ];
    let (address, asked) = serve(ANSWERS);
    let hosts = [
        ("beeld.example", "127.0.0.1"),
        ("binnen.example", "127.0.0.1"),
        ("meta.example", "169.254.169.254"),
    ];
    let images = images(&hosts, here(address));
    let own = |path: &str| format!("http://beeld.example:{}{path}", address.port());
    let refused: Vec<String> = vec![
        format!("http://127.0.0.1:{}/a.gif", address.port()),
        format!("http://binnen.example:{}/a.gif", address.port()),
        "http://binnen.example/".into(),
        "https://meta.example/latest".into(),
        "http://[::1]/".into(),
        "http://0x7f000001/".into(),
        "http://2130706433/".into(),
        "file:///etc/passwd".into(),
        "ftp://beeld.example/a.gif".into(),
        "gopher://beeld.example/".into(),
        "http://beeld.example:25/".into(),
        format!("http://jan:geheim@beeld.example:{}/a.gif", address.port()),
        "http:///".into(),
        "niets".into(),
        own("/inside"),
        own("/loopback"),
        own("/file"),
        own("/mail"),
    ];
    for (address, found) in refused.iter().zip(images.fetch(&refused, 1_000_000).await) {
        assert_eq!(found, Fetched::Nothing(NoImage::Refused), "{address}");
    }
    // Only the first step of each redirection was asked for.
    assert_eq!(asked.lock().expect("a list").len(), 4);
    let found = images.fetch(&[own("/round")], 1_000_000).await;
    assert_eq!(found, [Fetched::Nothing(NoImage::Missing)]);
    assert_eq!(asked.lock().expect("a list").len(), 4 + 1 + REDIRECTIONS);
}

#[tokio::test]
async fn what_is_no_image_is_thrown_away() {
    static ANSWERS: &[(&str, &str)] = &[
        ("/svg", "say <svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("/html", "say <!doctype html><script>alert(1)</script>"),
        ("/text", "say GIF"),
        ("/endless", "endless"),
        ("/dot", "dot"),
        ("/picture", "picture"),
    ];
    let (address, _) = serve(ANSWERS);
    let images = images(&[("beeld.example", "127.0.0.1")], here(address));
    let own = |path: &&str| format!("http://beeld.example:{}{path}", address.port());
    let addresses: Vec<String> = ["/svg", "/html", "/text", "/endless", "/gone"].iter().map(own).collect();
    let found = images.fetch(&addresses, 1_000_000).await;
    use NoImage::{Missing, NotAnImage, TooLarge};
    let expected = [NotAnImage, NotAnImage, NotAnImage, TooLarge, Missing].map(Fetched::Nothing);
    assert_eq!(found, expected);
    let found =
        images.fetch(&["/dot", "/picture", "/picture"].map(|path| own(&path)), gif(1, 1).len() * 2).await;
    let Fetched::Image(dot) = &found[0] else { panic!("{found:?}") };
    assert!(picture(dot).is_some_and(|one| one.tracks && one.media_type == "image/gif"));
    assert!(picture(&gif(32, 16)).is_some_and(|one| !one.tracks));
    assert!(picture(&gif(60_000, 60_000)).is_none(), "it would fill the memory of a browser");
    // The mail as a whole has a bound, too.
    assert_eq!(found[2], Fetched::Nothing(TooLarge));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left() {
    let (address, _) = serve(&[("/stil", "silence")]);
    let mut images = images(&[("beeld.example", "127.0.0.1")], here(address));
    images.patience = Duration::from_millis(300);
    let found = images.fetch(&[format!("http://beeld.example:{}/stil", address.port())], 1_000_000).await;
    assert_eq!(found, [Fetched::Nothing(NoImage::Unreachable)]);
}
