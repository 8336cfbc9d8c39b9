// SPDX-License-Identifier: EUPL-1.2
//! Drafts over HTTP: kept through a kill of the server, told to one's own browsers alone, gone with the
//! message that they become; and no answer that overtakes one of a colleague unseen.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::inbox::{account, receive, text};
use crate::support::server::{Server, on_both_engines};
use crate::support::sink::Sink;

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().expect("items")
}

fn save(client: &Client, path: &str, kind: &str, version: &Value, content: Value) -> Value {
    client.patch(path, json!({ "kind": kind, "version": version, "content": content })).expect(200)["version"]
        .clone()
}

on_both_engines!(a_draft_outlives_a_kill_of_the_server_with_its_files, |engine| {
    let mut server = Server::start(engine);
    account(&server, None);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (agent, colleague) = (server.join("agent"), server.join("agent"));
    let path = format!("/conversations/{}/drafts", text(&row, "id"));
    assert_eq!(agent.get(&path).expect(200), json!({ "items": [] }));
    let file = agent.upload("/attachments", "bon.txt", "text/plain", b"de bon").expect(201);
    let foreign = colleague.upload("/attachments", "van een ander.txt", "text/plain", b"niets").expect(201);
    let content = json!({
        "text": "Beste Jan", "html": "<p>Beste <b>Jan</b></p>", "way": "all", "unsigned": true,
        "to": [{ "name": "Jan", "address": "jan@klant" }], "bcc": [{ "address": "piet@klant.example" }],
        "attachment_ids": [file["id"], foreign["id"]],
    });
    let version = save(&agent, &path, "reply", &json!(0), content.clone());
    let mail = json!({ "version": 0, "content": { "subject": "Afspraak", "text": "Komt dinsdag uit?" } });
    agent.patch("/drafts/mail", mail).expect(200);
    server.kill();
    server.boot();

    let found = agent.get(&path).expect(200);
    let [draft] = items(&found) else { panic!("{found}") };
    assert_eq!((&draft["kind"], &draft["version"]), (&json!("reply"), &version));
    for (field, value) in content.as_object().expect("fields").iter().filter(|(field, _)| *field != "bcc") {
        assert_eq!(draft["content"][field], *value, "{field}");
    }
    assert_eq!(items(&json!({ "items": draft["attachments"] })).len(), 1, "one's own alone: {draft}");
    assert_eq!(draft["attachments"][0]["name"], "bon.txt");
    assert_eq!(agent.get("/drafts/mail").expect(200)["items"][0]["content"]["subject"], "Afspraak");
    let all = agent.get("/drafts").expect(200);
    let told: Vec<_> = items(&all).iter().map(|one| (text(one, "kind"), text(one, "preview"))).collect();
    assert_eq!(told, [("mail", "Komt dinsdag uit?"), ("reply", "Beste Jan")]);
    assert_eq!(items(&all)[1]["conversation"]["subject"], "Factuur");
    // Nobody else has any of it: neither the words nor that there are some.
    assert_eq!(colleague.get(&path).expect(200), json!({ "items": [] }));
    assert_eq!(colleague.get("/drafts").expect(200), json!({ "items": [] }));
    assert_eq!(colleague.get("/drafts/mail").expect(200), json!({ "items": [] }));
    colleague.get(&format!("/attachments/{}", text(&file, "id"))).problem(404, "not_found");

    // Another window of the same user.
    let two = json!({ "kind": "reply", "version": 0, "content": { "text": "Iets anders" } });
    agent.patch(&path, two).problem(409, "draft_changed");
    assert_eq!(save(&agent, &path, "reply", &json!(0), content), version, "the same again is no other");
    agent
        .patch(
            &path,
            json!({ "kind": "reply", "version": version, "content": { "text": "x".repeat(200_001) } }),
        )
        .fields(&["content.text: too_long"]);
    agent.patch(&path, json!({ "kind": "mail", "version": 0 })).fields(&["kind: invalid"]);
    let gone =
        agent.patch(&path, json!({ "kind": "reply", "version": version, "content": null })).expect(200);
    assert_eq!(gone, json!({ "version": 0 }));
    assert_eq!(items(&agent.get("/drafts").expect(200)).len(), 1);
});

on_both_engines!(a_sent_draft_is_gone_with_the_message_and_ones_other_browsers_hear_of_it, |engine| {
    let sink = Sink::start();
    let mut server = Server::start(engine);
    let account = account(&server, Some(sink.port));
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (agent, colleague) = (server.join("agent"), server.join("agent"));
    let path = format!("/conversations/{}", text(&row, "id"));
    let drafts = format!("{path}/drafts");
    let [mut own, mut other] = [&agent, &colleague].map(|client| {
        let mut socket = client.live(None);
        socket.wait_for("hello");
        socket
    });
    let file = agent.upload("/attachments", "bon.txt", "text/plain", b"de bon").expect(201);
    let content = json!({ "text": "Dat klopt.", "attachment_ids": [file["id"]] });
    let version = save(&agent, &drafts, "reply", &json!(0), content);
    save(&agent, &drafts, "note", &json!(0), json!({ "text": "nog bellen" }));
    let told = own.wait_for("draft");
    let standing = json!({ "kind": "reply", "version": version });
    let bare = json!({ "kind": "draft", "conversation_id": row["id"], "draft": standing });
    assert_eq!(told, bare, "not a word of it");

    let reply = json!({
        "kind": "reply", "text": "Dat klopt.", "attachment_ids": [file["id"]], "draft_version": version,
    });
    let keyed = agent.with_header("idempotency-key", "concept-1");
    let message = keyed.post(&format!("{path}/messages"), reply.clone()).expect(201);
    server.kill();
    server.boot();
    assert_eq!(keyed.post(&format!("{path}/messages"), reply).expect(201)["id"], message["id"]);
    let left = agent.get(&drafts).expect(200);
    assert_eq!(items(&left).iter().map(|one| text(one, "kind")).collect::<Vec<_>>(), ["note"]);
    let messages = agent.get(&format!("{path}/messages")).expect(200);
    assert_eq!(items(&messages)[1]["attachments"][0]["id"], file["id"]);

    let mail = json!({ "version": 0, "content": { "subject": "Afspraak", "text": "Komt dinsdag uit?" } });
    let version = agent.patch("/drafts/mail", mail).expect(200)["version"].clone();
    let begun = json!({
        "account_id": account["id"], "to": ["els@klant.example"], "subject": "Afspraak", "text": "Komt dinsdag uit?",
        "draft_version": version,
    });
    agent.post("/conversations", begun).expect(201);
    assert_eq!(items(&agent.get("/drafts/mail").expect(200)).len(), 0);
    // A colleague heard of the messages and of no draft.
    while let Some(frame) = other.next(Duration::from_millis(500)) {
        assert_ne!(frame["kind"], "draft", "{frame}");
    }
});

on_both_engines!(a_reply_that_a_colleague_has_overtaken_is_refused_until_it_was_read, |engine| {
    let sink = Sink::start();
    let server = Server::start(engine);
    account(&server, Some(sink.port));
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (sanne, daan) = (server.join("agent"), server.join("agent"));
    let path = format!("/conversations/{}/messages", text(&row, "id"));
    let seen = items(&sanne.get(&path).expect(200))[0]["id"].clone();
    let reply =
        |words: &str, seen: &Value| json!({ "kind": "reply", "text": words, "seen_message_id": seen });
    let first = daan.post(&path, reply("Van Daan.", &seen)).expect(201);
    // One's own does not stand in one's way, nor does a note.
    daan.post(&path, reply("Nog iets.", &seen)).expect(201);
    let second = items(&sanne.get(&path).expect(200))[2]["id"].clone();
    sanne.post(&path, reply("Van Sanne.", &seen)).problem(409, "answered_meanwhile");
    sanne.post(&path, reply("Van Sanne.", &first["id"])).problem(409, "answered_meanwhile");
    assert_eq!(items(&sanne.get(&path).expect(200)).len(), 3, "nothing was stored");
    sanne
        .post(&path, json!({ "kind": "note", "text": "x", "seen_message_id": seen }))
        .fields(&["seen_message_id: invalid"]);
    sanne.post(&path, json!({ "kind": "note", "text": "Zie Daan." })).expect(201);
    let passed = json!({ "kind": "forward", "text": "Zie onder.", "to": ["els@klant.example"], "seen_message_id": seen });
    sanne.post(&path, passed).expect(201);
    sanne.post(&path, reply("Van Sanne.", &second)).expect(201);
    // Who says nothing of what they saw is taken at their word, as before.
    daan.post(&path, json!({ "kind": "reply", "text": "Van een programma." })).expect(201);
    let nowhere = json!("01890000-0000-7000-8000-000000000000");
    daan.post(&path, reply("Niets gezien.", &nowhere)).problem(409, "answered_meanwhile");
});
