// SPDX-License-Identifier: EUPL-1.2
//! The live socket: facts as they happen, resumption by number, and its end.

use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::support::client::Socket;
use crate::support::inbox::{account, receive, text};
use crate::support::server::{PASSWORD, Server, on_both_engines};

const SOON: Duration = Duration::from_secs(10);

on_both_engines!(what_happens_is_told_and_what_was_missed_is_told_later, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let agent = server.join("agent");
    let neighbour = server.found_tenant("buren").admin;
    let since = agent.get("/session").expect(200)["live_seq"].as_i64().expect("a number");
    let mut socket = agent.live(Some(since));
    let mut other = neighbour.live(None);
    assert_eq!(socket.next(SOON).expect("hello")["kind"], "hello");
    assert_eq!(other.next(SOON).expect("hello")["kind"], "hello");
    socket.say("{\"ping\":1}");
    assert_eq!(socket.next(SOON).expect("a pong"), json!({ "pong": 1 }));

    let row = receive(&server, "jan@klant.example", "Factuur", "Dag.", &[]);
    let created = socket.wait_for("conversation_created");
    assert_eq!(created["conversation_id"], row["id"]);
    let message = socket.wait_for("message_created");
    assert!(message["message_id"].is_string() && message.to_string().find("Factuur").is_none());
    assert!(other.next(Duration::from_millis(500)).is_none(), "nothing of another tenant is told");

    // Another browser was away: it hears the same again, in order.
    let mut resumed = agent.live(created["seq"].as_i64());
    assert!(resumed.next(SOON).expect("hello")["seq"].as_i64() >= message["seq"].as_i64());
    assert_eq!(resumed.next(SOON).expect("what was missed"), message);
    agent.patch(&format!("/conversations/{}", text(&row, "id")), json!({ "status": "resolved" })).expect(200);
    let changed = resumed.wait_for("conversation_changed");
    assert_eq!(changed, socket.wait_for("conversation_changed"));
    // A number that was never given out cannot be resumed from.
    let mut ahead = agent.live(Some(1_000_000));
    assert_eq!(ahead.next(SOON).expect("hello")["kind"], "hello");
    assert_eq!(ahead.next(SOON).expect("a word")["kind"], "resync");
});

on_both_engines!(who_is_blocked_hears_nothing_more, |engine| {
    let server = Server::start(engine);
    let agent = server.join("agent");
    let id = agent.get("/session").expect(200)["user"]["id"].clone();
    let mut socket = agent.live(None);
    assert_eq!(socket.next(SOON).expect("hello")["kind"], "hello");
    let path = format!("/users/{}", id.as_str().expect("an id"));
    server.admin().patch(&path, json!({ "state": "blocked" })).expect(200);
    socket.wait_for("user_changed");
    assert!(socket.next(SOON).is_none(), "the socket is closed at once");
    agent.get("/conversations").problem(401, "not_signed_in");
});

on_both_engines!(a_session_that_ends_takes_its_socket_along, |engine| {
    let server = Server::start(engine);
    let agent = server.join("agent");
    let email = agent.get("/session").expect(200)["user"]["email"].as_str().expect("an address").to_owned();
    // Much sooner than the half minute after which a session is looked at anyway.
    let ends = |socket: &mut Socket| {
        socket.wait_for("user_changed");
        assert!(socket.next(SOON).is_none(), "the socket is closed at once");
    };
    let open = || {
        let browser = server.sign_in(&email);
        let mut socket = browser.live(None);
        assert_eq!(socket.next(SOON).expect("hello")["kind"], "hello");
        (browser, socket)
    };

    let (browser, mut socket) = open();
    browser.delete("/session").expect(204);
    ends(&mut socket);
    let (browser, mut socket) = open();
    let sessions = browser.get("/sessions").expect(200);
    let current = sessions["items"].as_array().expect("a list").iter().find(|one| one["current"] == true);
    let id = text(current.expect("this one"), "id");
    agent.delete(&format!("/sessions/{id}")).expect(204);
    ends(&mut socket);
    let (_browser, mut socket) = open();
    let mut own = agent.live(None);
    assert_eq!(own.next(SOON).expect("hello")["kind"], "hello");
    let change = json!({ "current": PASSWORD, "new": "een heel nieuw wachtwoord" });
    agent.post("/me/password", change).expect(204);
    ends(&mut socket);
    own.wait_for("user_changed");
    own.say("{\"ping\":1}");
    assert_eq!(own.next(SOON).expect("the session that changed it stays"), json!({ "pong": 1 }));
});

on_both_engines!(only_our_own_page_opens_the_socket, |engine| {
    let server = Server::start(engine);
    let open = |origin: &str| {
        let upgrade = [
            ("origin", origin),
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        server.admin().exchange(Method::GET, "/api/v1/live", &upgrade, Vec::new())
    };
    open("https://evil.example").problem(403, "forbidden");
    let own = format!("https://localhost:{}", server.https.port());
    assert_eq!(open(&own).status, 101);
    server.admin().get("/live").problem(400, "malformed");
    server.stranger().get("/live").problem(401, "not_signed_in");
});
