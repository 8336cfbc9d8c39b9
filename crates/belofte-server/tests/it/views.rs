// SPDX-License-Identifier: EUPL-1.2
//! Views: whatever was shown stands in the ledger, also what was shown while the server stopped.

use std::time::Duration;

use serde_json::json;

use crate::support::inbox::{account, receive, text};
use crate::support::server::{Server, on_both_engines};
use crate::support::wait;

on_both_engines!(what_is_shown_while_the_server_stops_is_in_the_ledger, |engine| {
    let mut server = Server::start(engine);
    account(&server, None);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Vraag", "Dag.", &[]);
    let agent = server.join("agent");
    let me = agent.get("/session").expect(200);
    let path = format!("/conversations/{}", text(&row, "id"));
    let body = json!({ "assignee_id": me["user"]["id"] }).to_string();
    // The body is held back until the server is stopping, so that the answer comes after that.
    let head = format!(
        "PATCH /api/v1{path} HTTP/1.1\r\nHost: localhost:{}\r\nX-Belofte: 1\r\nCookie: {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.https.port(),
        agent.cookie_header().expect("signed in"),
        body.len(),
    );
    let stopping = || {
        server.terminate();
        wait::until("the stop to begin", Duration::from_secs(20), || {
            server.logs().contains("stopping: finishing what runs").then_some(())
        });
        // Longer than the task that gathers views takes to end.
        wait::pause(Duration::from_millis(300));
    };
    let heard = agent.raw_in_two(head.as_bytes(), stopping, body.as_bytes(), Duration::from_secs(10));
    let heard = String::from_utf8_lossy(&heard);
    assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
    assert!(heard.contains("Vraag"), "it shows the case: {heard}");
    server.stop();
    server.boot();
    let (who, seen) = (&me["user"]["id"], &row["id"]);
    let views = server.views();
    let shown = |view: &&serde_json::Value| {
        view["actor"]["id"] == *who && view["view"] == "conversation" && view["subject"] == *seen
    };
    assert!(views.iter().find(shown).is_some(), "{views:?}");
});
