// SPDX-License-Identifier: EUPL-1.2
//! Conversations and messages over HTTP: lists by cursor, changes with versions, answers, notes.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::inbox::{account, receive, text};
use crate::support::server::{Server, on_both_engines};

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().expect("items")
}

on_both_engines!(pages_follow_each_other_without_gap_or_repetition, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    for n in 0..7 {
        receive(&server, "Jan Jansen <jan@klant.example>", &format!("Vraag {n}"), "Dag.", &[]);
    }
    let agent = server.join("agent");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..5 {
        let page = agent.get(&format!("/conversations?status=open&limit=3{cursor}")).expect(200);
        seen.extend(items(&page).iter().map(|row| text(row, "subject").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (0..7).rev().map(|n| format!("Vraag {n}")).collect::<Vec<_>>());
    // A page that ends exactly with the last row names no next one.
    let whole = agent.get("/conversations?status=all&limit=7").expect(200);
    assert!(items(&whole).len() == 7 && whole.get("next_cursor").is_none());
    assert!(items(&agent.get("/conversations?assignee=me").expect(200)).is_empty());
    assert_eq!(items(&agent.get("/conversations?assignee=none").expect(200)).len(), 7);
    agent.get("/conversations?limit=0").fields(&["limit: out_of_range"]);
    agent.get("/conversations?cursor=xyz").fields(&["cursor: invalid"]);
    agent.get("/conversations?status=odd").fields(&["status: invalid"]);
    let counts = agent.get("/conversations/counts").expect(200);
    assert_eq!(
        counts,
        json!({ "open": 7, "mine": 0, "unassigned": 7, "waiting": 0, "snoozed": 0, "resolved": 0 })
    );
});

on_both_engines!(a_case_is_opened_taken_and_resolved_and_tells_who_did_it, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let quoted = "Dank, € 5 klopt.\n\nOp 3 mei 2026 om 10:00 schreef Winkel:\n> Wat klopt er?\n";
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", quoted, &[]);
    let other = receive(&server, "Jan Jansen <jan@klant.example>", "Nog iets", "Dag.", &[]);
    let agent = server.join("agent");
    let (me, path) = (agent.get("/session").expect(200), format!("/conversations/{}", text(&row, "id")));

    let open = agent.get(&path).expect(200);
    assert_eq!(open["contact"]["name"], "Jan Jansen");
    assert_eq!(open["contact"]["identities"][0]["value"], "jan@klant.example");
    assert_eq!(open["contact"]["conversation_count"], 2);
    assert_eq!(open["participants"], json!([{ "name": "Jan Jansen", "address": "jan@klant.example" }]));
    assert_eq!(open["threads"].as_array().map(Vec::len), Some(1));
    assert_eq!(open["other_conversations"][0]["id"], other["id"]);
    assert!(open["unread"] == true && open["queue"]["name"].as_str().is_some_and(|name| !name.is_empty()));

    let messages = agent.get(&format!("{path}/messages")).expect(200);
    let message = &items(&messages)[0];
    assert_eq!(message["author"]["name"], "Jan Jansen");
    // Counted as JavaScript counts: the sign of the euro is three octets, one unit.
    let words: Vec<u16> = text(message, "text").encode_utf16().collect();
    let from = usize::try_from(message["quoted_from"].as_u64().expect("a place")).expect("small");
    assert!(String::from_utf16(&words[from..]).expect("text").starts_with("Op 3 mei"), "{message}");

    assert_eq!(agent.post_nothing(&format!("{path}/seen")).status, 204);
    let (user, version) = (&me["user"]["id"], &agent.get(&path).expect(200)["version"]);
    let taken = agent.patch(&path, json!({ "assignee_id": user, "version": version })).expect(200);
    assert!(taken["unread"] == false && taken["assignee"]["id"] == *user, "{taken}");
    // Somebody else worked on what they saw before.
    let stale = agent.patch(&path, json!({ "status": "resolved", "version": version }));
    stale.problem(409, "conflict");
    agent.patch(&path, json!({ "status": "resolved", "assignee_id": null })).expect(200);
    agent.patch(&path, json!({ "assignee_id": Uuid::from_u128(7) })).fields(&["assignee_id: not_found"]);
    agent.patch(&path, json!({ "queue_id": Uuid::from_u128(7) })).fields(&["queue_id: not_found"]);

    let activity = agent.get(&format!("{path}/activity")).expect(200);
    let told: Vec<_> =
        items(&activity).iter().map(|one| (text(one, "kind"), one["actor"]["name"].clone())).collect();
    let name = &me["user"]["name"];
    assert_eq!(told[0], ("created", "Jan Jansen".into()));
    assert_eq!(told[1], ("assigned", name.clone()));
    assert_eq!(items(&activity)[1]["to"], *name);
    let mut last: Vec<_> = told[2..].iter().map(|(kind, _)| *kind).collect();
    last.sort_unstable();
    assert_eq!(last, ["status", "unassigned"]);
    for path in ["/conversations/nonsense", &format!("/conversations/{}", Uuid::from_u128(7))] {
        agent.get(path).problem(404, "not_found");
        agent.get(&format!("{path}/messages")).problem(404, "not_found");
        agent.get(&format!("{path}/activity")).problem(404, "not_found");
    }
    agent.post_nothing(&format!("/conversations/{}/seen", Uuid::from_u128(7))).problem(404, "not_found");
});

on_both_engines!(an_answer_is_written_once_however_often_it_is_sent, |engine| {
    let server = Server::start(engine);
    // Nobody listens there: the answer stays queued.
    server.leaves("deliver");
    account(&server, Some(1));
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let agent = server.join("agent");
    let path = format!("/conversations/{}/messages", text(&row, "id"));
    let file = agent.upload("/attachments", "kaart.txt", "text/plain", b"Hierheen").expect(201);
    let body = json!({
        "kind": "reply", "text": "Dat klopt.", "html": "<p onclick=x()>Dat <b>klopt</b>.<script>x()</script></p>",
        "cc": ["piet@klant.example"], "attachment_ids": [file["id"]],
    });
    let keyed = agent.with_header("idempotency-key", "0f5b6c1e");
    let first = keyed.post(&path, body.clone()).expect(201);
    assert_eq!(keyed.post(&path, body).expect(201), first);
    keyed.post(&path, json!({ "kind": "note", "text": "x" })).problem(422, "idempotency_key_reused");
    assert_eq!(first["to"], json!([{ "name": "Jan Jansen", "address": "jan@klant.example" }]));
    assert_eq!(first["attachments"][0]["name"], "kaart.txt");
    assert_eq!(first["deliveries"].as_array().map(Vec::len), Some(2));
    let html = text(&first, "html");
    assert!(html.contains("<b>klopt</b>") && !html.contains("script") && !html.contains("onclick"), "{html}");
    let note = agent.post(&path, json!({ "kind": "note", "text": "Even nagaan." })).expect(201);
    assert!(note["author"]["kind"] == "user" && note["deliveries"] == json!([]));
    let all = agent.get(&path).expect(200);
    let kinds: Vec<_> = items(&all).iter().map(|message| text(message, "kind")).collect();
    assert_eq!(kinds, ["incoming", "reply", "note"]);
    let older = agent.get(&format!("{path}?limit=2")).expect(200);
    let next = text(&older, "next_cursor");
    let oldest = agent.get(&format!("{path}?limit=2&before={next}")).expect(200);
    assert_eq!(items(&oldest)[0]["kind"], "incoming");
    assert!(oldest.get("next_cursor").is_none());

    let state = agent.get(&format!("/conversations/{}", text(&row, "id"))).expect(200);
    assert!(state["status"] == "waiting" && state["preview"] == "Dat klopt.", "{state}");
    agent.post(&path, json!({ "kind": "reply", "text": " " })).fields(&["text: required"]);
    agent
        .post(&path, json!({ "kind": "reply", "text": "x", "to": ["jan@", "a@b.example"] }))
        .fields(&["to[0]: invalid"]);
    // Bound to an answer already; of nobody.
    let strange = json!([file["id"], Uuid::from_u128(7)]);
    agent
        .post(&path, json!({ "kind": "reply", "text": "x", "attachment_ids": strange }))
        .fields(&["attachment_ids[0]: not_found", "attachment_ids[1]: not_found"]);
    agent.post(&path, json!({ "kind": "note", "text": "x", "to": ["a@b.example"] })).fields(&["to: invalid"]);
    let retry = format!("/messages/{}/retry", text(&first, "id"));
    agent.post(&retry, json!({})).problem(409, "conflict");
    agent.post(&retry, json!({ "delivery_ids": [Uuid::from_u128(7)] })).fields(&["delivery_ids: not_found"]);
});

on_both_engines!(an_answer_that_cannot_go_out_is_refused_with_a_reason, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let agent = server.join("agent");
    let path = format!("/conversations/{}/messages", text(&row, "id"));
    let refused = agent.post(&path, json!({ "kind": "reply", "text": "Dat klopt." }));
    let problem = refused.problem(409, "account_cannot_send");
    assert!(text(&problem, "detail").contains("Nothing was sent"), "{problem}");
    assert_eq!(items(&agent.get(&path).expect(200)).len(), 1);
});

on_both_engines!(the_source_is_for_those_who_watch_over_mail, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag allemaal.", &[]);
    let admin = server.admin();
    let messages = admin.get(&format!("/conversations/{}/messages", text(&row, "id"))).expect(200);
    let message = &items(&messages)[0];
    assert_eq!(message["source_available"], true);
    let path = format!("/messages/{}/source", text(message, "id"));
    let source = admin.get(&path);
    assert_eq!(source.status, 200);
    assert_eq!(source.headers["content-type"], "message/rfc822");
    assert!(source.headers["content-security-policy"].to_str().expect("text").contains("sandbox"));
    let bytes = String::from_utf8_lossy(&source.body);
    assert!(bytes.contains("Subject: Factuur\r\n") && bytes.contains("Dag allemaal."), "{bytes}");
    server.join("agent").get(&path).problem(403, "forbidden");
});

on_both_engines!(a_contact_can_be_renamed, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let agent = server.join("agent");
    let path = format!("/contacts/{}", text(&row["contact"], "id"));
    assert_eq!(agent.get(&path).expect(200)["name"], "Jan Jansen");
    assert_eq!(agent.patch(&path, json!({ "name": " Jan de Vries " })).expect(200)["name"], "Jan de Vries");
    let open = agent.get(&format!("/conversations/{}", text(&row, "id"))).expect(200);
    assert_eq!(open["contact"]["name"], "Jan de Vries");
    // Every list has the new name at once, and so has what the same person writes next.
    let named = |path: &str| {
        let page = agent.get(path).expect(200);
        let rows = items(&page);
        assert!(!rows.is_empty(), "{path}");
        rows.iter().all(|row| row["contact"]["name"] == "Jan de Vries")
    };
    assert!(named("/conversations?status=open"));
    let later = receive(&server, "Jan Jansen <jan@klant.example>", "Nog een vraag", "Dag.", &[]);
    assert_eq!(later["contact"]["name"], "Jan de Vries");
    assert!(named("/conversations?status=open") && named("/conversations?assignee=none&status=open"));
    let open = agent.get(&format!("/conversations/{}", text(&later, "id"))).expect(200);
    assert_eq!(open["other_conversations"][0]["contact"]["name"], "Jan de Vries");
    let found = agent.post("/search", json!({ "q": "factuur" })).expect(200);
    assert_eq!(found["items"][0]["conversation"]["contact"]["name"], "Jan de Vries");
    agent.patch(&path, json!({ "name": "x".repeat(201) })).fields(&["name: too_long"]);
    agent.patch(&path, json!({ "name": "x\u{0}" })).fields(&["name: invalid", "name: invalid"]);
    agent.get(&format!("/contacts/{}", Uuid::from_u128(7))).problem(404, "not_found");
});
