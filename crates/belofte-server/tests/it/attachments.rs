// SPDX-License-Identifier: EUPL-1.2
//! Files over HTTP: uploads, downloads whole and in part, and what browsers may do with them.

use http::Method;
use serde_json::json;

use crate::support::client::{Client, Response};
use crate::support::inbox::text;
use crate::support::server::{Server, on_both_engines};

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
