// SPDX-License-Identifier: EUPL-1.2
//! Files over HTTP: uploads, downloads whole and in part, and what browsers may do with them.

use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use http::Method;
use serde_json::json;

use crate::support::client::{Client, Response};
use crate::support::inbox::{self, text};
use crate::support::server::{Server, on_both_engines};
use crate::support::wait;

fn fetch(client: &Client, id: &str, headers: &[(&'static str, &str)]) -> Response {
    client.exchange(Method::GET, &format!("/api/v1/attachments/{id}"), headers, Vec::new())
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers.get(name).unwrap_or_else(|| panic!("{name} is there")).to_str().expect("text")
}

on_both_engines!(a_file_comes_back_whole_and_in_part, |engine| {
    let server = Server::start(engine);
    let agent = server.join("agent");
    // Longer than what is unsealed at once, and not a round number of anything.
    let bytes: Vec<u8> = (0..2_500_007_u32).flat_map(|n| [(n % 251) as u8]).collect();
    let file = agent.upload("/attachments", "offerte café.bin", "application/x-offer", &bytes).expect(201);
    assert_eq!((&file["size_bytes"], &file["inline"]), (&json!(2_500_007), &json!(false)));
    let id = text(&file, "id");

    let whole = fetch(&agent, id, &[]);
    assert_eq!(whole.status, 200);
    assert!(whole.body == bytes, "the same bytes");
    assert_eq!(header(&whole, "content-type"), "application/x-offer");
    assert_eq!(header(&whole, "x-content-type-options"), "nosniff");
    assert_eq!(header(&whole, "content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(
        header(&whole, "content-disposition"),
        "attachment; filename=\"offerte caf_.bin\"; filename*=UTF-8''offerte%20caf%C3%A9.bin"
    );
    let tag = header(&whole, "etag").to_owned();

    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=1048570-1048589", 1_048_570, 1_048_590),
        ("bytes=-7", 2_500_000, 2_500_007),
    ] {
        let part = fetch(&agent, id, &[("range", range), ("if-range", &tag)]);
        assert_eq!(part.status, 206, "{range}");
        assert!(part.body == bytes[from..to], "{range}");
        assert_eq!(header(&part, "content-range"), format!("bytes {from}-{}/2500007", to - 1));
    }
    let other = fetch(&agent, id, &[("range", "bytes=0-0"), ("if-range", "\"other\"")]);
    assert!(other.status == 200 && other.body.len() == bytes.len());
    let beyond = fetch(&agent, id, &[("range", "bytes=2500007-")]);
    beyond.problem(416, "range_not_satisfiable");
    assert_eq!(header(&beyond, "content-range"), "bytes */2500007");
});

on_both_engines!(nothing_that_a_browser_would_run_is_given_out_as_such, |engine| {
    let server = Server::start(engine);
    let agent = server.join("agent");
    for (name, declared, bytes) in [
        ("a.html", "text/html", &b"<p>Dag</p>"[..]),
        ("a.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("a.png", "image/png", b"<!doctype html><script>x()</script>"),
        ("a.pdf", "application/pdf", b"\xef\xbb\xbf \n<svg onload=x()>"),
    ] {
        let file = agent.upload("/attachments", name, declared, bytes).expect(201);
        let back = fetch(&agent, text(&file, "id"), &[]);
        assert_eq!(header(&back, "content-type"), "application/octet-stream", "{name}");
        assert!(header(&back, "content-disposition").starts_with("attachment"), "{name}");
        assert_eq!(back.body, bytes);
    }
});

on_both_engines!(uploads_are_bounded_and_private, |engine| {
    let server = Server::start_with(engine, "[limits]\nattachment_bytes = 65536\n");
    let agent = server.join("agent");
    agent.upload("/attachments", "x.bin", "application/x", &vec![7; 65_537]).problem(413, "too_large");
    let most = agent.upload("/attachments", "x.bin", "application/x", &vec![7; 65_536]).expect(201);
    agent.upload("/attachments", "leeg.txt", "text/plain", b"").expect(201);
    agent.post("/attachments", json!({})).problem(415, "unsupported_media_type");
    let form = [("content-type", "multipart/form-data; boundary=x")];
    let send = |body: &str| {
        agent.exchange(Method::POST, "/api/v1/attachments", &form, body.replace('\n', "\r\n").into_bytes())
    };
    send("--x--\n").fields(&["file: required"]);
    send("--x\nContent-Disposition: form-data; name=\"fill\"; filename=\"a\"\n\nA\n--x--\n")
        .fields(&["fill: unknown"]);
    send("--x\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\n\nA").problem(400, "malformed");

    // Until a message takes it, a file is its uploader's alone.
    let id = text(&most, "id");
    assert_eq!(fetch(&agent, id, &[]).status, 200);
    fetch(server.admin(), id, &[]).problem(404, "not_found");
    fetch(&server.found_tenant("buren").admin, id, &[]).problem(404, "not_found");
    fetch(&server.stranger(), id, &[]).problem(401, "not_signed_in");
    // The same upload sent twice is one file; another file under its key is refused.
    let keyed = agent.with_header("idempotency-key", "7");
    let first = keyed.upload("/attachments", "a.txt", "text/plain", b"A").expect(201);
    assert_eq!(keyed.upload("/attachments", "a.txt", "text/plain", b"A").expect(201), first);
    keyed.upload("/attachments", "a.txt", "text/plain", b"B").problem(422, "idempotency_key_reused");
});

const BLOCK: usize = 65_536;

/// The files below the folder of blobs, finished ones and others.
fn blob_files(server: &Server) -> Vec<String> {
    fn below(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                below(&entry.path(), found);
            } else {
                found.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    let mut found = Vec::new();
    below(&server.data_folder().join("blobs"), &mut found);
    found
}

on_both_engines!(an_upload_that_breaks_off_leaves_nothing, |engine| {
    let server = Server::start_with(engine, "[limits]\nattachment_bytes = 8388608\nbody_s = 3\n");
    let agent = server.join("agent");
    let begin = |length: &str| {
        format!(
            "POST /api/v1/attachments HTTP/1.1\r\nHost: localhost:{}\r\nX-Belofte: 1\r\nCookie: {}\r\n\
             Content-Type: multipart/form-data; boundary=x\r\n{length}\r\n\r\n",
            server.https.port(),
            agent.cookie_header().expect("signed in")
        )
    };
    let part = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    let half =
        [begin("Content-Length: 8000000").as_bytes(), part.as_bytes(), &vec![b'k'; 4_000_000]].concat();
    let growing = || {
        let some = |files: Vec<String>| files.iter().any(|name| name.ends_with(".new")).then_some(());
        wait::until("the half to be sealed", Duration::from_secs(20), || some(blob_files(&server)));
    };
    let nothing = || {
        wait::until("nothing to be left", Duration::from_secs(20), || {
            blob_files(&server).is_empty().then_some(())
        })
    };

    // The sender goes away in the middle.
    agent.raw_in_two(&half, growing, b"", Duration::from_millis(1));
    nothing();
    // The sender stays and sends no more.
    let told = agent.raw_in_two(&half, growing, b"", Duration::from_secs(20));
    assert!(told.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&told));
    nothing();
    // The sender did not say how much it would be, and it is too much.
    let mut endless = [begin("Transfer-Encoding: chunked"), format!("{:x}\r\n{part}\r\n", part.len())]
        .concat()
        .into_bytes();
    for _ in 0..8_388_608 / BLOCK + 1 {
        endless.extend_from_slice(format!("{BLOCK:x}\r\n").as_bytes());
        endless.resize(endless.len() + BLOCK, b'k');
        endless.extend_from_slice(b"\r\n");
    }
    let told = agent.raw_in_two(&endless, || (), b"", Duration::from_secs(20));
    assert!(told.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&told));
    nothing();
    let files = agent.upload("/attachments", "a", "application/x", &vec![b'k'; 8_000_000]).expect(201);
    assert_eq!((blob_files(&server).len(), &files["size_bytes"]), (1, &json!(8_000_000)));
});

on_both_engines!(memory_does_not_grow_with_what_is_uploaded, |engine| {
    const SIZE: usize = 64 << 20;
    let server = Server::start_with(engine, "[limits]\nattachment_bytes = 134217728\n");
    let agent = server.join("agent");
    let bytes: Vec<u8> = (0..SIZE).map(|n| (n % 253) as u8).collect();
    // What every program needs once is there after the first.
    agent.upload("/attachments", "first", "application/x", &bytes[..1 << 20]).expect(201);
    server.forget_peak();
    let before = server.peak_memory();
    let ids: Vec<String> = thread::scope(|scope| {
        let upload = || {
            let file = agent.upload("/attachments", "x.bin", "application/x", &bytes).expect(201);
            text(&file, "id").to_owned()
        };
        let all: Vec<_> = (0..4).map(|_| scope.spawn(upload)).collect();
        all.into_iter().map(|one| one.join().expect("uploaded")).collect()
    });
    let grown = server.peak_memory().saturating_sub(before);
    let sent = 4 * SIZE as u64;
    assert!(grown < sent / 8, "{grown} bytes of memory for {sent} bytes of files");
    for id in ids {
        assert!(fetch(&agent, &id, &[]).body == bytes, "the same bytes");
    }
});

on_both_engines!(what_waits_for_a_message_is_bounded, |engine| {
    let bounds = "[limits]\nwaiting_files = 4\nwaiting_bytes = 300000\n";
    let server = Server::start_with(engine, bounds);
    let (agent, other) = (server.join("agent"), server.join("agent"));
    let upload =
        |client: &Client, size| client.upload("/attachments", "a.bin", "application/x", &vec![7; size]);
    upload(&agent, 100_000).expect(201);
    upload(&agent, 100_000).expect(201);
    upload(&agent, 100_001).problem(409, "too_many_uploads");
    assert_eq!(blob_files(&server).len(), 2, "what was refused left nothing");
    upload(&agent, 100_000).expect(201);
    upload(&agent, 1).problem(409, "too_many_uploads");
    let keyed = agent.with_header("idempotency-key", "leeg");
    let last = upload(&keyed, 0).expect(201);
    upload(&agent, 0).problem(409, "too_many_uploads");
    assert_eq!(upload(&keyed, 0).expect(201), last, "what is here already is told again");
    // Everybody has their own room, and it is free again when a message took what waited.
    let first = upload(&other, 200_000).expect(201);
    upload(&other, 200_000).problem(409, "too_many_uploads");
    inbox::account(&server, None);
    let conversation = inbox::receive(&server, "jan@klant.example", "Ketel", "Lekt.", &[]);
    let conversation = text(&conversation, "id");
    let answer = json!({ "kind": "note", "text": "Zie bijlage.", "attachment_ids": [first["id"]] });
    other.post(&format!("/conversations/{conversation}/messages"), answer).expect(201);
    upload(&other, 200_000).expect(201);
});
