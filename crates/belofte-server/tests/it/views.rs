// SPDX-License-Identifier: EUPL-1.2
//! Views: whatever was shown stands in the ledger, also what was shown while the server stopped.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::inbox::{DESK, account, receive, text};
use crate::support::server::{Server, on_both_engines};
use crate::support::swaks::swaks;
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
        // The head has to be there, also on a busy machine: a line without a request is closed.
        wait::pause(Duration::from_millis(500));
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
    let shown = |view: &&Value| {
        view["actor"]["id"] == *who && view["view"] == "conversation" && view["subject"] == *seen
    };
    assert!(views.iter().find(shown).is_some(), "{views:?}");
});

on_both_engines!(whatever_shows_content_leaves_a_view, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let file = ["--attach-type", "text/plain", "--attach-name", "bon.txt", "--attach", "Bon 48213"];
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Vraag", "Zilverpopulier.", &file);
    let odd = ["--from", "x@klant.example", "--to", DESK, "--data", "zonder kop\\n"];
    assert!(swaks(server.smtp, &odd).ok);
    let admin = server.admin();
    let kept = wait::until("the quarantine", Duration::from_secs(20), || {
        let page = admin.get("/quarantine").expect(200);
        page["items"][0]["id"].as_str().map(str::to_owned)
    });
    let case = text(&row, "id");
    let page = admin.get(&format!("/conversations/{case}/messages")).expect(200);
    let message = &page["items"][0];
    let (id, writer) = (text(message, "id"), text(&message["author"], "id"));
    let bill = text(&message["attachments"][0], "id");
    let nobody = "00000000-0000-0000-0000-000000000000";
    let shown = [
        ("/conversations?status=all".to_owned(), "conversation_list", nobody),
        (format!("/conversations/{case}"), "conversation", case),
        (format!("/conversations/{case}/messages"), "conversation", case),
        (format!("/conversations/{case}/activity"), "conversation", case),
        (format!("/contacts/{writer}"), "contact", writer),
        (format!("/attachments/{bill}"), "attachment", bill),
        (format!("/messages/{id}/source"), "message_source", id),
        (format!("/messages/{id}/eml"), "message_source", id),
        (format!("/quarantine/{kept}/source"), "quarantine_source", kept.as_str()),
        ("/search".to_owned(), "search_result", case),
        ("/search/suggest".to_owned(), "contact", writer),
    ];
    // Each is looked at by somebody of their own, so that no view stands in for another.
    let mut wanted = Vec::new();
    for (path, kind, subject) in &shown {
        // The bytes of a mail are an admin's.
        let bytes = path.starts_with("/messages/") && path.ends_with("/source");
        let who = server.join(if bytes { "admin" } else { "supervisor" });
        let me = who.get("/session").expect(200)["user"]["id"].clone();
        let answer = match path.as_str() {
            "/search" => who.post(path, json!({ "q": "zilverpopulier" })),
            "/search/suggest" => who.post(path, json!({ "prefix": "jansen" })),
            _ => who.get(path),
        };
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        wanted.push((path, me, kind, subject));
    }
    let mut looks = 0;
    let missing = wait::until("the views to be committed", Duration::from_secs(20), || {
        let views = server.views();
        let noted = |(_, me, kind, subject): &&(&String, Value, &&str, &&str)| {
            !views.iter().any(|view| {
                view["actor"]["id"] == *me && view["view"] == ***kind && view["subject"] == ***subject
            })
        };
        let missing: Vec<&String> = wanted.iter().filter(noted).map(|(path, ..)| *path).collect();
        // Views are committed a second later at the latest; what is missing then stays missing.
        looks += 1;
        let done = missing.is_empty() || looks > 6;
        if !done {
            wait::pause(Duration::from_millis(700));
        }
        done.then_some(missing)
    });
    assert_eq!(missing, Vec::<&String>::new(), "content was shown, and no view tells of it");
});
