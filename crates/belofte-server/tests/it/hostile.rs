// SPDX-License-Identifier: EUPL-1.2
//! Hostile: another tenant at every outlet, injection, floods, guesses, and requests that no
//! honest client sends.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::server::{ADMIN, Engine, PASSWORD, Server, Tenant, on_both_engines};
use crate::support::sink::Sink;
use crate::support::swaks::swaks;
use crate::support::wait;

const WORD: &str = "zonnebloempitten";
const NOWHERE: &str = "01890000-0000-7000-8000-000000000000";

/// Another process has no clock to inject: how long it takes is real time.
#[allow(clippy::disallowed_methods, reason = "measures another process in real time")]
fn now() -> Instant {
    Instant::now()
}

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

fn submission(port: u16) -> Value {
    json!({ "host": "127.0.0.1", "port": port, "security": "none" })
}

fn open_account(admin: &Client, address: &str, port: u16) -> String {
    let account =
        json!({ "kind": "email", "address": address, "from_name": "Zaak", "submission": submission(port) });
    id(&admin.post("/channel-accounts", account).expect(201))
}

/// Sends a mail to `to` and gives the conversation that it became.
fn mail(server: &Server, admin: &Client, to: &str, more: &[&str]) -> Value {
    let count = || {
        let page = admin.get("/conversations?status=all").expect(200);
        page["items"].as_array().cloned().expect("items")
    };
    let before = count().len();
    let sent = swaks(server.smtp, &[&["--from", "jan@klant.example", "--to", to], more].concat());
    assert!(sent.ok, "{}", sent.transcript);
    wait::until("the conversation", Duration::from_secs(20), || {
        let items = count();
        (items.len() > before).then(|| items[0].clone())
    })
}

fn user_id(client: &Client) -> String {
    client.get("/session").expect(200)["user"]["id"].as_str().expect("an id").to_owned()
}

/// Two tenants with an account and a conversation each.
struct Two {
    server: Server,
    other: Tenant,
    account: String,
    ours: Value,
    theirs: Value,
}

fn two(engine: Engine) -> Two {
    let server = Server::start(engine);
    let other = server.found_tenant("bakker");
    let account = open_account(server.admin(), "info@winkel.example", 9);
    open_account(&other.admin, "info@bakker.example", 9);
    let subject = format!("Subject: {WORD} vraag");
    let body = format!("Hebt u {WORD} van Appelscha?");
    let ours = mail(&server, server.admin(), "info@winkel.example", &["--header", &subject, "--body", &body]);
    let theirs = mail(&server, &other.admin, "info@bakker.example", &["--body", "Brood"]);
    Two { server, other, account, ours, theirs }
}

on_both_engines!(another_tenant_finds_nothing_and_can_refer_to_nothing, |engine| {
    let Two { server, other, account, ours, theirs } = two(engine);
    let (owner, stranger) = (server.admin(), &other.admin);
    let found = owner.post("/search", json!({ "q": WORD })).expect(200);
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "it is there to be found");

    // What looks for something finds nothing.
    let empty = |answer: Value| assert_eq!(answer["items"], json!([]), "{answer}");
    empty(stranger.post("/search", json!({ "q": WORD })).expect(200));
    empty(stranger.post("/search", json!({ "q": "Appelsch" })).expect(200));
    let words = stranger.post("/search/suggest", json!({ "prefix": &WORD[..4] })).expect(200);
    assert_eq!((&words["words"], &words["contacts"]), (&json!([]), &json!([])));
    let counts = stranger.get("/conversations/counts").expect(200);
    assert_eq!(counts["open"], 1, "their own alone: {counts}");
    let queue = ours["queue"]["id"].as_str().expect("an id");
    empty(stranger.get(&format!("/conversations?status=all&queue={queue}")).expect(200));
    empty(stranger.get(&format!("/conversations?status=all&assignee={}", user_id(owner))).expect(200));
    empty(stranger.get(&format!("/quarantine?account={account}")).expect(200));

    // What refers to something is told that it is not there, as for what never was.
    let case = format!("/conversations/{}", id(&theirs));
    let upload = id(&owner.upload("/attachments", "brief.txt", "text/plain", b"geheim").expect(201));
    for file in [upload.as_str(), NOWHERE] {
        let reply = json!({ "kind": "note", "text": "x", "attachment_ids": [file] });
        stranger.post(&format!("{case}/messages"), reply).fields(&["attachment_ids[0]: not_found"]);
    }
    for user in [&user_id(owner), NOWHERE] {
        stranger.patch(&case, json!({ "assignee_id": user })).fields(&["assignee_id: not_found"]);
    }
    for queue in [queue, NOWHERE] {
        stranger.patch(&case, json!({ "queue_id": queue })).fields(&["queue_id: not_found"]);
        let account =
            json!({ "kind": "email", "address": "b@bakker.example", "from_name": "x", "queue_id": queue });
        stranger.post("/channel-accounts", account).fields(&["queue_id: not_found"]);
    }
    let mine = id(&stranger.get("/channel-accounts").expect(200)["items"][0]);
    stranger
        .patch(&format!("/channel-accounts/{mine}"), json!({ "queue_id": queue }))
        .fields(&["queue_id: not_found"]);

    // The upload is still its owner's to use, once.
    let reply = json!({ "kind": "note", "text": "x", "attachment_ids": [upload] });
    let path = format!("/conversations/{}/messages", id(&ours));
    owner.post(&path, reply.clone()).expect(201);
    owner.post(&path, reply).fields(&["attachment_ids[0]: not_found"]);

    // A colleague's waiting upload is a colleague's.
    let agent = server.join("agent");
    let waiting = id(&owner.upload("/attachments", "brief.txt", "text/plain", b"concept").expect(201));
    let taken = json!({ "kind": "note", "text": "x", "attachment_ids": [waiting] });
    let answer = agent.post(&path, taken);
    assert!(matches!(answer.status.as_u16(), 201 | 422), "{}", answer.status);
});

on_both_engines!(an_address_that_is_taken_does_not_tell_by_whom, |engine| {
    let Two { server, other, .. } = two(engine);
    for address in ["info@winkel.example", "INFO@Winkel.Example"] {
        let account = json!({ "kind": "email", "address": address, "from_name": "x" });
        let told = other.admin.post("/channel-accounts", account).expect(409).to_string().to_lowercase();
        for secret in ["winkel", &server.tenant.id, "zaak", "admin"] {
            assert!(!told.contains(secret), "tells {secret}: {told}");
        }
    }
    let before = server.admin().get("/channel-accounts").expect(200);
    assert_eq!(before["items"].as_array().map(Vec::len), Some(1));
    // A detail after a plus belongs to the address before it: nobody else can take a part of it.
    let plus = json!({ "kind": "email", "address": "info+facturen@winkel.example", "from_name": "x" });
    other.admin.post("/channel-accounts", plus.clone()).problem(409, "conflict");
    let body = ["--header", "Subject: voor de winkel", "--body", "detail"];
    mail(&server, server.admin(), "info+facturen@winkel.example", &body);
    server.admin().post("/channel-accounts", plus).expect(201);
});

on_both_engines!(live_facts_stay_with_their_tenant, |engine| {
    let Two { server, other, ours, .. } = two(engine);
    let mut own = server.admin().live(None);
    let mut foreign = other.admin.live(Some(0));
    own.wait_for("hello");
    let note = json!({ "kind": "note", "text": "x", "attachment_ids": [] });
    server.admin().post(&format!("/conversations/{}/messages", id(&ours)), note).expect(201);
    own.wait_for("message_created");
    let mut seen = Vec::new();
    while let Some(frame) = foreign.next(Duration::from_millis(1_500)) {
        seen.push(frame.to_string());
    }
    assert!(seen.len() > 1, "their own past is there: {seen:?}");
    let theirs = [id(&ours), user_id(server.admin())];
    assert!(!seen.iter().any(|frame| theirs.iter().any(|id| frame.contains(id))), "{seen:?}");

    // Another site's page gets no line at all, and the end of a session ends it.
    let site = server.stranger().with_header("cookie", &server.admin().cookie_header().expect("signed in"));
    let asks = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("origin", "https://evil.example"),
    ];
    site.exchange(Method::GET, "/api/v1/live", &asks, Vec::new()).problem(403, "forbidden");
});

on_both_engines!(an_idempotency_key_is_its_owners, |engine| {
    let Two { server, other, ours, theirs, .. } = two(engine);
    let agent = server.join("agent");
    let note = |text: &str| json!({ "kind": "note", "text": text, "attachment_ids": [] });
    let with_key = |client: &Client| client.with_header("idempotency-key", "dezelfde");
    let path = format!("/conversations/{}/messages", id(&ours));
    let first = with_key(server.admin()).post(&path, note("eerste")).expect(201);
    assert_eq!(with_key(server.admin()).post(&path, note("eerste")).expect(201), first, "the first answer");
    with_key(server.admin()).post(&path, note("tweede")).problem(422, "idempotency_key_reused");
    // The same key of somebody else, here or elsewhere, meets nothing.
    let colleagues = with_key(&agent).post(&path, note("eerste")).expect(201);
    assert_ne!(colleagues["id"], first["id"]);
    let elsewhere = format!("/conversations/{}/messages", id(&theirs));
    let strangers = with_key(&other.admin).post(&elsewhere, note("eerste")).expect(201);
    assert_ne!(strangers["id"], first["id"]);
    // Whoever may no longer do it gets no old answer either.
    let wanted = json!({ "role": "agent" });
    let admin = server.join("admin");
    with_key(&admin).post("/invitations", wanted.clone()).expect(201);
    server.admin().patch(&format!("/users/{}", user_id(&admin)), json!({ "role": "agent" })).expect(200);
    with_key(&admin).post("/invitations", wanted).problem(403, "forbidden");
    for odd in ["", " ", "a b", &"x".repeat(65), "ü"] {
        if odd.is_empty() {
            continue;
        }
        let answer = server.admin().with_header("idempotency-key", odd).post(&path, note("x"));
        answer.problem(400, "malformed");
    }
});

on_both_engines!(nothing_that_anybody_writes_becomes_a_header, |engine| {
    let server = Server::start(engine);
    let sink = Sink::start();
    let account = open_account(server.admin(), "info@winkel.example", sink.port);
    // The customer's own words carry line ends, encoded as RFC 2047 allows.
    let evil = "=?utf-8?q?Vraag=0D=0ABcc:_evil@evil.example=0D=0AX-Evil:_1?=";
    let (subject, from) = (format!("Subject: {evil}"), format!("{evil} <jan@klant.example>"));
    let folder = server.scratch().join("mail");
    std::fs::create_dir_all(&folder).expect("our own folder");
    let data = folder.join("mail.eml");
    let text = format!(
        "From: {from}\n{subject}\nMessage-ID: <a@klant.example>\nTo: info@winkel.example\n\
         MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n\
         Hallo\n--b\nContent-Type: text/html; name=\"x\"\nContent-Disposition: attachment;\n \
         filename*=utf-8''a%0D%0ASet-Cookie%3A%20x%3D1%22.html\n\n<script>alert(1)</script>\n--b--\n"
    );
    std::fs::write(&data, text).expect("our own folder");
    let case =
        mail(&server, server.admin(), "info@winkel.example", &["--data", &format!("@{}", data.display())]);
    let path = format!("/conversations/{}/messages", id(&case));

    // Recipients are addresses or nothing.
    for odd in [
        "a@klant.example\r\nBcc: evil@evil.example",
        "a@klant.example\nRCPT TO:<evil@evil.example>",
        "a@klant.example, evil@evil.example",
        "a@klant.example>",
        "\"a\r\nb\"@klant.example",
        "a@klant.example\0",
        "@evil.example:a@klant.example",
    ] {
        let reply = json!({ "kind": "reply", "text": "x", "to": [odd], "attachment_ids": [] });
        server.admin().post(&path, reply).fields(&["to[0]: invalid"]);
        let reply = json!({ "kind": "reply", "text": "x", "cc": [odd], "attachment_ids": [] });
        server.admin().post(&path, reply).fields(&["cc[0]: invalid"]);
    }
    // A sender's name with line ends is refused or harmless.
    let name = json!({ "from_name": "Winkel\r\nBcc: evil@evil.example" });
    let renamed = server.admin().patch(&format!("/channel-accounts/{account}"), name);
    assert!(matches!(renamed.status.as_u16(), 200 | 422), "{}", renamed.status);
    server.admin().patch("/me", json!({ "name": "Beheer\r\nX-Evil: 1" }));

    let file = server.admin().upload("/attachments", "a%0d%0aX-Evil: 1.txt", "text/plain\t; x=\"", b"inhoud");
    let files = if file.status == 201 { vec![id(&file.json())] } else { Vec::new() };
    let reply = json!({
        "kind": "reply", "text": "Dag\r\n.\r\nMAIL FROM:<evil@evil.example>\r\n", "attachment_ids": files,
    });
    server.admin().post(&path, reply).expect(201);
    let handed = wait::until("the answer", Duration::from_secs(20), || sink.handed().into_iter().next());
    assert_eq!(handed.recipients.len(), 1, "{handed:?}");
    assert!(handed.recipients[0].contains("jan@klant.example"), "{handed:?}");
    assert_eq!(sink.handed().len(), 1, "one mail, not two");
    for field in handed.header() {
        let name = field.split(':').next().unwrap_or_default().to_ascii_lowercase();
        assert!(!matches!(name.as_str(), "bcc" | "x-evil"), "{}", handed.data);
        assert!(!name.contains(' '), "no field: {field}");
    }

    // The attachment's name stays in its header when it is fetched, and nothing in it runs.
    let messages = server.admin().get(&path).expect(200);
    let attachment = id(&messages["items"][0]["attachments"][0]);
    let fetched = server.admin().get(&format!("/attachments/{attachment}"));
    let header = |name: &str| fetched.headers[name].to_str().expect("text").to_owned();
    assert!(!fetched.headers.contains_key("set-cookie"));
    assert!(header("content-disposition").starts_with("attachment"), "{:?}", fetched.headers);
    assert!(header("content-security-policy").contains("sandbox"));
    assert!(!header("content-type").contains("html"), "{:?}", fetched.headers);
    assert_eq!(header("x-content-type-options"), "nosniff");
});

#[test]
fn bodies_that_are_no_bodies() {
    let server = Server::start_with(Engine::Sqlite, "[limits]\nbody_s = 1\nhead_s = 1\n");
    let admin = server.admin();
    let post = |client: &Client, path: &str, kind: &str, body: &[u8]| {
        client.exchange(Method::POST, &format!("/api/v1{path}"), &[("content-type", kind)], body.to_vec())
    };
    let json = "application/json";
    // Giants.
    // Just beyond the bound.
    let giant = format!("{{\"q\":\"{}\"}}", "x".repeat(4_194_304));
    // Who sends several times of what is allowed still hears why: nobody breaks the line in the middle of it.
    let several = format!("{{\"q\":\"{}\"}}", "x".repeat(6 << 20));
    post(admin, "/search", json, several.as_bytes()).problem(413, "too_large");
    post(admin, "/search", json, giant.as_bytes()).problem(413, "too_large");
    let stranger = server.stranger();
    let long = format!("{{\"email\":\"a@b.example\",\"password\":\"{}\"}}", "x".repeat(17_000));
    post(&stranger, "/session", json, long.as_bytes()).problem(413, "too_large");
    post(&stranger, "/invitations/accept", json, long.as_bytes()).problem(413, "too_large");
    // Who is refused for something else than the body hears it, too, when the body is long.
    let wide = format!("{{\"kind\":\"note\",\"text\":\"{}\"}}", "x".repeat(3 << 20));
    for _ in 0..10 {
        post(admin, "/conversations/no-id/messages", json, wide.as_bytes()).problem(404, "not_found");
        post(admin, "/search", "text/plain", wide.as_bytes()).problem(415, "unsupported_media_type");
    }
    // Somebody unknown is not listened to at all where one must be known.
    post(&stranger, "/search", json, long.as_bytes()).problem(401, "not_signed_in");
    // Deep ones.
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let refused = post(admin, "/search", json, deep.as_bytes());
        assert!(matches!(refused.status.as_u16(), 400 | 422), "{}", refused.status);
    }
    let deep = format!("{{\"q\":{}1{}}}", "[".repeat(2_000), "]".repeat(2_000));
    assert!(post(admin, "/search", json, deep.as_bytes()).status.is_client_error());
    // Odd ones.
    for (kind, body, status) in [
        (json, &b""[..], 400),
        (json, b"{", 400),
        (json, b"{\"q\":\"\xff\xfe\"}", 400),
        (json, b"{\"q\":\"a\"} {}", 400),
        (json, b"\"q\"", 422),
        (json, b"{\"q\":\"a\",\"q\":\"b\"}", 422),
        (json, b"{\"q\":\"a\",\"tenant_id\":\"x\"}", 422),
        (json, b"{\"q\":\"a\\u0000b\"}", 422),
        (json, b"{\"q\":1e999}", 400),
        (json, b"{\"q\":\"a\",\"limit\":99999999999999999999}", 422),
        (json, b"{\"q\":\"a\",\"limit\":-1}", 422),
        ("text/plain", b"{\"q\":\"a\"}", 415),
        ("application/x-www-form-urlencoded", b"q=a", 415),
        ("", b"{\"q\":\"a\"}", 415),
        ("application/jsonp", b"{\"q\":\"a\"}", 415),
    ] {
        let answer = post(admin, "/search", kind, body);
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{kind} {}: {told}", String::from_utf8_lossy(body));
    }
    // Slow ones: the head arrives, the body never ends.
    let began = now();
    let slow = "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nX-Belofte: 1\r\n\
                Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"email\"";
    let heard = String::from_utf8_lossy(&stranger.raw(slow.as_bytes(), Duration::from_secs(10))).into_owned();
    assert!(heard.starts_with("HTTP/1.1 408 "), "{heard}");
    let heard = stranger.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", Duration::from_secs(10));
    assert!(!String::from_utf8_lossy(&heard).contains(" 200 "));
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // Two lengths, or a length and chunks: one reader must not see two requests where another
    // sees one (RFC 9112, section 6.3).
    for odd in ["Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5\r\nTransfer-Encoding: chunked"] {
        let request = format!(
            "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n{odd}\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
        let heard = stranger.raw(request.as_bytes(), Duration::from_secs(3));
        assert!(
            !String::from_utf8_lossy(&heard).contains("ok\n"),
            "{odd}: {}",
            String::from_utf8_lossy(&heard)
        );
    }
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "x".repeat(200_000));
    let heard = String::from_utf8_lossy(&stranger.raw(head.as_bytes(), Duration::from_secs(5))).into_owned();
    assert!(!heard.contains(" 200 "), "{heard}");
    // After all that the house stands.
    admin.get("/session").expect(200);
}

on_both_engines!(a_thousand_guesses_are_refused_unread_and_disturb_nobody, |engine| {
    const GUESSES: u32 = 1_000;
    let server = Server::start(engine);
    server.join("agent");
    let victim = json!({ "email": ADMIN, "password": "niet het wachtwoord" });
    let (wrong, refused, next) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    let began = now();
    let mut longest = Duration::ZERO;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < GUESSES {
                    let answer = server.stranger().post("/session", victim.clone());
                    match answer.status.as_u16() {
                        401 => wrong.fetch_add(1, Ordering::Relaxed),
                        429 => {
                            let wait = answer.json()["retry_after_s"].as_u64().expect("how long");
                            assert_eq!(answer.headers["retry-after"], wait.to_string().as_str());
                            refused.fetch_add(1, Ordering::Relaxed)
                        }
                        other => panic!("{other}"),
                    };
                }
            });
        }
        // From the same network, at the same time.
        let other = server.found_tenant("bakker");
        let email = other.admin.get("/session").expect(200)["user"]["email"].clone();
        while next.load(Ordering::Relaxed) < GUESSES {
            let asked = now();
            let body = json!({ "email": email, "password": PASSWORD });
            server.stranger().post("/session", body).expect(201);
            longest = longest.max(asked.elapsed());
        }
    });
    let (wrong, refused) = (wrong.into_inner(), refused.into_inner());
    assert_eq!(wrong + refused, GUESSES);
    assert!((1..=6).contains(&wrong), "{wrong} passwords were looked at");
    assert!(longest < Duration::from_secs(5), "somebody else waited {longest:?}");
    assert!(began.elapsed() < Duration::from_secs(120), "{:?}", began.elapsed());
    // Locked is locked, also for the right password: otherwise the answer tells that it was right.
    let right = json!({ "email": ADMIN, "password": PASSWORD });
    server.stranger().post("/session", right).problem(429, "too_many_tries");
    // Who is in stays in.
    server.admin().get("/session").expect(200);
    // An unknown address is locked in the same way: no answer tells who exists.
    let unknown = json!({ "email": "niemand@nergens.example", "password": "niet het wachtwoord" });
    let told: Vec<u16> =
        (0..8).map(|_| server.stranger().post("/session", unknown.clone()).status.as_u16()).collect();
    assert_eq!(told, [401, 401, 401, 401, 401, 429, 429, 429]);
});

on_both_engines!(a_session_is_made_by_the_server_and_ends_there, |engine| {
    let server = Server::start(engine);
    let own = |client: &Client| client.cookie_header().expect("signed in");
    // Fixation: a cookie that somebody planted is not the one that counts afterwards.
    let planted = format!("__Host-belofte={}", "B".repeat(43));
    let victim = server.stranger().with_header("cookie", &planted);
    let body = json!({ "email": ADMIN, "password": PASSWORD });
    let signed = victim.post("/session", body.clone());
    let told = signed.expect(201).to_string();
    let line = signed.headers["set-cookie"].to_str().expect("text").to_owned();
    let (token, flags) = line.split_once(';').expect("flags");
    let token = token.strip_prefix("__Host-belofte=").expect("its name");
    assert!(token.len() >= 43 && !planted.contains(token) && !told.contains(token), "{line}");
    let flags: Vec<&str> = flags.split(';').map(str::trim).collect();
    for flag in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(flags.contains(&flag), "{line}");
    }
    assert!(!line.to_lowercase().contains("domain"), "{line}");
    server.stranger().with_header("cookie", &planted).get("/session").problem(401, "not_signed_in");
    let again = server.sign_in(ADMIN);
    assert_ne!(own(&again), own(&victim));

    // What was ended elsewhere has ended here; another password ends the others.
    let thief = server.stranger().with_header("cookie", &own(&again));
    thief.get("/session").expect(200);
    let left = again.delete("/session");
    left.expect(204);
    assert!(left.headers["set-cookie"].to_str().expect("text").contains("Max-Age=0"));
    thief.get("/session").problem(401, "not_signed_in");
    let thief = server.stranger().with_header("cookie", &own(&victim));
    let change = json!({ "current": PASSWORD, "new": "een heel ander wachtwoord" });
    server.admin().post("/me/password", change).expect(204);
    thief.get("/session").problem(401, "not_signed_in");
    server.admin().get("/session").expect(200);
    server.stranger().post("/session", body).problem(401, "sign_in_failed");
    // A blocked user's line and session end.
    let agent = server.join("agent");
    server.admin().patch(&format!("/users/{}", user_id(&agent)), json!({ "state": "blocked" })).expect(200);
    agent.get("/session").problem(401, "not_signed_in");
});

#[test]
fn every_answer_is_hardened_and_none_is_for_other_sites() {
    let server = Server::start(Engine::Sqlite);
    let admin = server.admin();
    let upload =
        id(&admin.upload("/attachments", "a.svg", "image/svg+xml", b"<svg onload=alert(1)>").expect(201));
    let attachment = format!("/api/v1/attachments/{upload}");
    let check = |what: &str, headers: &HeaderMap| {
        let has = |name: &str, part: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            assert!(value.contains(part), "{what}: {name} is {value:?}");
        };
        has("content-security-policy", "default-src 'none'");
        has("x-content-type-options", "nosniff");
        has("x-frame-options", "DENY");
        has("referrer-policy", "no-referrer");
        has("strict-transport-security", "max-age=");
        has("cross-origin-opener-policy", "same-origin");
        has("cross-origin-resource-policy", "same-origin");
        has("permissions-policy", "microphone=()");
        has("x-request-id", "-");
        assert!(headers.contains_key("cache-control"), "{what}");
        for name in headers.keys() {
            let name = name.as_str();
            assert!(!name.starts_with("access-control-") && name != "server", "{what}: {name}");
        }
    };
    let origin = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::TRACE] {
        for path in [
            "/",
            "/healthz",
            "/readyz",
            "/openapi.json",
            "/index.html",
            "/assets/weg.js",
            "/conversations/1",
            "/api",
            "/api/v1",
            "/api/v1/weg",
            "/api/v1/session",
            "/api/v1/conversations",
            "/api/v1/live",
            &attachment,
        ] {
            let answer = admin.exchange(method.clone(), path, &origin, Vec::new());
            check(&format!("{method} {path}"), &answer.headers);
            assert!(!answer.status.is_server_error(), "{method} {path}: {}", answer.status);
            if path.starts_with("/api/") && answer.status.is_success() {
                let caching = &answer.headers["cache-control"];
                assert!(caching.to_str().expect("text").contains("no-store"), "{path}: {caching:?}");
            }
        }
    }
    // A picture that is a program is bytes.
    let svg = admin.exchange(Method::GET, &attachment, &[], Vec::new());
    assert!(!svg.headers["content-type"].to_str().expect("text").contains("svg"), "{:?}", svg.headers);
    assert!(svg.headers["content-security-policy"].to_str().expect("text").contains("sandbox"));
}

#[test]
fn no_path_leads_out_of_the_desk() {
    let server = Server::start(Engine::Sqlite);
    let stranger = server.stranger();
    for target in [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/../../root.key",
        "/assets/..%5c..%5croot.key",
        "//etc/passwd",
        "///etc/passwd",
        "/assets//etc/passwd",
        "/assets/%00",
        "/%c0%ae%c0%ae/etc/passwd",
        "/root.key",
        "/data/root.key",
        "/.git/config",
        "/api/v1/../../root.key",
        "/api/v1/attachments/..%2f..%2froot.key",
        "/api/v1/conversations/%2e%2e/session",
        "https://localhost/root.key",
        "*",
        "/index.html;/../root.key",
        "/?../../etc/passwd",
        "/#/../etc/passwd",
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let heard = stranger.raw(request.as_bytes(), Duration::from_secs(5));
        let heard = String::from_utf8_lossy(&heard);
        let status = heard.split(' ').nth(1).unwrap_or_default().to_owned();
        assert!(matches!(status.as_str(), "200" | "400" | "401" | "404" | "405"), "{target}: {status}");
        for leak in ["root:", "[core]", "PRIVATE KEY", "[server]"] {
            assert!(!heard.contains(leak), "{target} leads to {leak}");
        }
        if status == "200" {
            assert!(heard.to_lowercase().contains("<!doctype html"), "{target}: {heard}");
        }
    }
}

on_both_engines!(ranges_give_what_they_say_and_no_more, |engine| {
    let server = Server::start(engine);
    let bytes: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
    let upload = server.admin().upload("/attachments", "a.bin", "application/octet-stream", &bytes);
    let path = format!("/api/v1/attachments/{}", id(&upload.expect(201)));
    let many = format!("bytes={}", ["0-"; 1_500].join(","));
    let whole = 0..bytes.len();
    for (range, status, part) in [
        ("bytes=0-0", 206, 0..1),
        ("bytes=65535-65536", 206, 65_535..65_537),
        ("bytes=199999-", 206, 199_999..200_000),
        ("bytes=-1", 206, 199_999..200_000),
        ("bytes=0-99999999999999999999999", 206, whole.clone()),
        ("bytes=-18446744073709551615", 206, whole.clone()),
        ("bytes=200000-", 416, 0..0),
        ("bytes=18446744073709551615-18446744073709551615", 416, 0..0),
        ("bytes=-0", 416, 0..0),
        ("bytes=9-2", 200, whole.clone()),
        ("bytes=a-b", 200, whole.clone()),
        ("bytes=--1", 200, whole.clone()),
        ("bytes=0-1,5-6", 200, whole.clone()),
        (many.as_str(), 200, whole.clone()),
        ("lines=0-1", 200, whole.clone()),
    ] {
        let answer = server.admin().exchange(Method::GET, &path, &[("range", range)], Vec::new());
        let shown = &range[..range.len().min(60)];
        assert_eq!(answer.status, status, "{shown}");
        if status == 416 {
            answer.problem(416, "range_not_satisfiable");
            assert_eq!(answer.headers["content-range"], "bytes */200000");
        } else {
            assert!(answer.body == bytes[part.clone()], "{shown}: {} bytes", answer.body.len());
            assert_eq!(answer.headers["content-length"], part.len().to_string().as_str());
        }
    }
});

on_both_engines!(no_host_that_a_tenant_names_lies_inside_the_house, |engine| {
    // As it is by default: no private network is allowed.
    let server = Server::start_with(engine, "[outbound]\n");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let six = TcpListener::bind(("::1", listener.local_addr().expect("bound").port()));
    let port = listener.local_addr().expect("bound").port();
    let hosts = [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "[::1]",
        "::1",
        "0.0.0.0",
        "::",
        "[::]",
        "169.254.169.254",
        "[::ffff:127.0.0.1]",
        "::ffff:169.254.169.254",
        "[::ffff:7f00:1]",
        "64:ff9b::7f00:1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "0",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "fd00::1",
        "fe80::1",
        "[fe80::1%25lo]",
        "ip6-localhost",
        "localhost.localdomain",
        "127.0.0.1:25",
        "127.0.0.1/",
        "a@127.0.0.1",
        "127.0.0.1\0.mail.example",
        "１２７.0.0.1",
        "127。0。0。1",
        "",
    ];
    for host in hosts {
        for security in ["none", "starttls", "tls"] {
            if security != "none" && host != "127.0.0.1" && host != "localhost" {
                continue;
            }
            let server_named = json!({ "host": host, "port": port, "security": security });
            let account = json!({
                "kind": "email", "address": "info@winkel.example", "from_name": "x", "submission": server_named,
            });
            let answer = server.admin().post("/channel-accounts/test", account);
            match answer.status.as_u16() {
                200 => {
                    let steps = answer.json();
                    let first = &steps["steps"][0];
                    assert_eq!(first["step"], "resolve", "{host}: {steps}");
                    assert_eq!(first["ok"], false, "{host}: {steps}");
                    assert_eq!(steps["steps"].as_array().map(Vec::len), Some(1), "{host}: {steps}");
                }
                422 => {}
                other => panic!("{host}: {other}"),
            }
        }
    }
    // Nor when it is stored and mail is to be sent through it.
    let account = json!({
        "kind": "email", "address": "info@winkel.example", "from_name": "x",
        "submission": { "host": "localhost", "port": port, "security": "none" },
    });
    if server.admin().post("/channel-accounts", account).status == 201 {
        let case = mail(&server, server.admin(), "info@winkel.example", &["--body", "x"]);
        let path = format!("/conversations/{}/messages", id(&case));
        let reply = json!({ "kind": "reply", "text": "x", "attachment_ids": [] });
        server.admin().post(&path, reply).expect(201);
        wait::until("a delivery that did not go", Duration::from_secs(20), || {
            let page = server.admin().get(&path).expect(200);
            let all = page["items"].as_array().cloned().expect("items");
            let code = &all.last().expect("the reply")["deliveries"][0]["code"];
            code.is_string().then_some(())
        });
    }
    for listener in [Some(listener), six.ok()].into_iter().flatten() {
        listener.set_nonblocking(true).expect("a socket");
        assert!(listener.accept().is_err(), "somebody inside was called");
    }
});

on_both_engines!(a_password_goes_to_no_other_server, |engine| {
    let server = Server::start(engine);
    let secret = "geheim van de zaak";
    let with =
        |host: &str, port: u16| json!({ "host": host, "port": port, "security": "none", "username": "u" });
    let mut first = with("127.0.0.1", 9);
    first["password"] = json!(secret);
    let account =
        json!({ "kind": "email", "address": "info@winkel.example", "from_name": "x", "submission": first });
    let made = server.admin().post("/channel-accounts", account).expect(201);
    assert!(!made.to_string().contains(secret), "never shown again");
    assert_eq!(made["submission"]["password_set"], true);
    let path = format!("/channel-accounts/{}", id(&made));
    // Whoever names another server, to keep or to try, must know the password.
    let thief = Sink::start();
    for elsewhere in [with("127.0.0.1", thief.port), with("localhost", 9)] {
        let tried = json!({ "id": id(&made), "submission": elsewhere.clone() });
        let told = server.admin().post("/channel-accounts/test", tried);
        assert!(!String::from_utf8_lossy(&told.body).contains(secret));
        let changed = server.admin().patch(&path, json!({ "submission": elsewhere }));
        if changed.status == 200 {
            assert_eq!(changed.json()["submission"]["password_set"], false, "it stayed behind");
            server.admin().patch(&path, json!({ "submission": first })).expect(200);
        } else {
            changed.expect(422);
        }
    }
    let all = server.admin().get("/channel-accounts").expect(200).to_string();
    assert!(!all.contains(secret) && !server.logs().contains(secret));
});
