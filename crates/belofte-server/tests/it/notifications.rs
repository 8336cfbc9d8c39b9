// SPDX-License-Identifier: EUPL-1.2
//! Notes that name colleagues, and what users are told of, from the customer's mail to the open socket.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::{Client, Socket};
use crate::support::inbox::{account, receive, text};
use crate::support::refusing::refusing_server;
use crate::support::server::{Server, on_both_engines};
use crate::support::sink::Sink;
use crate::support::wait;

const SOON: Duration = Duration::from_secs(20);

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().expect("items")
}

/// What somebody has not read: kind, count and subject of each line.
fn unread(client: &Client) -> Vec<(String, i64, String)> {
    let all = client.get("/notifications").expect(200);
    let lines: Vec<_> = items(&all).iter().filter(|line| line["read"] == false).collect();
    assert_eq!(all["unread"], lines.len(), "{all}");
    let told = |line: &&Value| {
        let subject = text(&line["conversation"], "subject").to_owned();
        (text(line, "kind").to_owned(), line["count"].as_i64().expect("a count"), subject)
    };
    lines.iter().map(told).collect()
}

fn own(client: &Client) -> Value {
    client.get("/session").expect(200)["user"]["id"].clone()
}

fn listen(client: &Client) -> Socket {
    let mut socket = client.live(None);
    socket.wait_for("hello");
    socket
}

fn line(kind: &str, count: i64, subject: &str) -> (String, i64, String) {
    (kind.to_owned(), count, subject.to_owned())
}

on_both_engines!(a_note_names_colleagues_as_who_they_are_and_tells_them, |engine| {
    let mut server = Server::start(engine);
    account(&server, None);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (sanne, daan) = (server.join("agent"), server.join("agent"));
    let other = server.found_tenant("bakker").admin;
    let admin = server.admin();
    sanne.patch("/me", json!({ "name": "Sanne Visser" })).expect(200);
    let case = format!("/conversations/{}", text(&row, "id"));
    let may = admin.get(&format!("{case}/mentionable")).expect(200);
    assert_eq!(items(&may).len(), 2, "colleagues, without who asks: {may}");
    other.get(&format!("{case}/mentionable")).problem(404, "not_found");

    let (mut hers, mut his) = (listen(&sanne), listen(&daan));
    // A sign of two units stands before the name, as a browser counts.
    let words = "🙂 @Sanne Visser, kijk jij? geheimzinnig";
    let naming = |who: &Value| json!([{ "user_id": who, "starts_at": 3, "ends_at": 16 }]);
    let note = json!({ "kind": "note", "text": words, "mentions": naming(&own(&sanne)) });
    let written = admin.post(&format!("{case}/messages"), note.clone()).expect(201);
    let mention = &written["mentions"][0];
    assert_eq!((&mention["starts_at"], &mention["ends_at"]), (&json!(3), &json!(16)), "{written}");
    assert!(mention["user"]["name"] == "Sanne Visser" && written["undo_until"].is_string(), "{written}");
    let event = hers.wait_for("notifications_changed");
    assert_eq!(event["user_id"], own(&sanne));
    assert!(event.get("conversation_id").is_none() && event.get("message_id").is_none(), "{event}");
    assert_eq!(unread(&sanne), [line("mentioned", 1, "Factuur")]);
    let told = &sanne.get("/notifications").expect(200)["items"][0];
    assert!(told["message_id"] == written["id"] && told["by"]["id"] == own(admin), "{told}");
    assert!(unread(&daan).is_empty() && unread(admin).is_empty());

    // A colleague's socket heard of the note and of nothing else.
    while let Some(frame) = his.next(Duration::from_millis(300)) {
        assert_ne!(frame["kind"], "notifications_changed", "{frame}");
        assert!(!frame.to_string().contains("geheimzinnig"), "{frame}");
    }

    // Under the name of now; and one who cannot sign in any more is told to be so.
    sanne.patch("/me", json!({ "name": "Sanne de Wit" })).expect(200);
    server.kill();
    server.boot();
    let admin = server.admin();
    assert_eq!(unread(&sanne), [line("mentioned", 1, "Factuur")], "it outlives the server");
    let shown = items(&daan.get(&format!("{case}/messages")).expect(200))[1].clone();
    assert_eq!(shown["mentions"][0]["user"]["name"], "Sanne de Wit");
    let her = own(&sanne);
    let path = format!("/users/{}", her.as_str().expect("an id"));
    admin.patch(&path, json!({ "state": "blocked" })).expect(200);
    let shown = items(&daan.get(&format!("{case}/messages")).expect(200))[1].clone();
    assert_eq!(shown["mentions"][0]["user"]["state"], "blocked");

    // Nobody else is named: of another tenant, who cannot sign in, or who does not stand in the words.
    let messages = format!("{case}/messages");
    for (who, wrong) in
        [(&her, "not_found"), (&own(&other), "not_found"), (&json!(uuid::Uuid::nil()), "not_found")]
    {
        let note = json!({ "kind": "note", "text": words, "mentions": naming(who) });
        admin.post(&messages, note).fields(&[&format!("mentions[0]: {wrong}")]);
    }
    let elsewhere = json!([{ "user_id": own(&daan), "starts_at": 4, "ends_at": 16 }]);
    admin
        .post(&messages, json!({ "kind": "note", "text": words, "mentions": elsewhere }))
        .fields(&["mentions[0]: invalid"]);
    let many: Vec<_> = (0..21).map(|_| naming(&own(&daan))[0].clone()).collect();
    admin
        .post(&messages, json!({ "kind": "note", "text": words, "mentions": many }))
        .fields(&["mentions: too_long"]);
    let reply = json!({ "kind": "reply", "text": words, "mentions": naming(&own(&daan)) });
    admin.post(&messages, reply).fields(&["mentions: invalid"]);
    assert!(!server.logs().contains("geheimzinnig"));
});

on_both_engines!(a_note_leaves_in_no_mail_and_is_taken_back_with_its_draft_kept, |engine| {
    let sink = Sink::start();
    let server = Server::start(engine);
    account(&server, Some(sink.port));
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (sanne, daan) = (server.join("agent"), server.join("agent"));
    let case = format!("/conversations/{}", text(&row, "id"));
    let messages = format!("{case}/messages");
    let (name, drafts) = ("@Daan kijk: binnenskamers", format!("{case}/drafts"));
    let naming = json!([{ "user_id": own(&daan), "starts_at": 0, "ends_at": 5 }]);
    let content = json!({ "text": name, "mentions": naming });
    let draft = json!({ "kind": "note", "version": 0, "content": content });
    let version = sanne.patch(&drafts, draft).expect(200)["version"].clone();
    assert_eq!(
        items(&sanne.get(&drafts).expect(200))[0]["content"]["mentions"],
        naming,
        "kept with the draft"
    );
    assert!(unread(&daan).is_empty(), "a draft tells nobody");
    let note = json!({ "kind": "note", "text": name, "mentions": naming, "draft_version": version });
    let written = sanne.post(&messages, note).expect(201);
    assert!(items(&sanne.get(&drafts).expect(200)).is_empty());

    // Nothing that goes out knows of it: an answer, a message that is passed on, a mail to keep.
    sanne.post(&messages, json!({ "kind": "reply", "text": "Dat klopt." })).expect(201);
    let passed = json!({ "kind": "forward", "text": "Zie onder.", "to": ["els@klant.example"] });
    sanne.post(&messages, passed).expect(201);
    let answers = json!({ "kind": "reply", "text": "Nee.", "answers_id": written["id"] });
    sanne.post(&messages, answers).fields(&["answers_id: not_found"]);
    sanne.get(&format!("/messages/{}/eml", text(&written, "id"))).problem(404, "not_found");
    let sent = wait::until("both mails", SOON, || {
        let all = sink.handed();
        (all.len() >= 2).then_some(all)
    });
    for mail in sent {
        assert!(mail.data.contains("klopt") || mail.data.contains("onder"), "it can be read: {}", mail.data);
        assert!(!mail.data.contains("binnenskamers") && !mail.data.contains("Daan"), "{}", mail.data);
    }

    assert_eq!(unread(&daan), [line("mentioned", 1, "Factuur")]);
    let undo = format!("/messages/{}/undo", text(&written, "id"));
    daan.post_nothing(&undo).problem(404, "not_found");
    let gone = sanne.post_nothing(&undo).expect(200);
    assert!(
        gone["text"] == name && gone["mentions"][0]["user"]["id"] == own(&daan),
        "to write it again: {gone}"
    );
    assert!(unread(&daan).is_empty());
    let left = sanne.get(&messages).expect(200);
    assert!(items(&left).iter().all(|message| message["kind"] != "note"), "{left}");
    let found = daan.post("/search", json!({ "q": "binnenskamers" })).expect(200);
    assert!(items(&found).is_empty(), "{found}");
});

on_both_engines!(what_customers_write_counts_in_one_line_until_it_is_read, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let row = receive(
        &server,
        "Jan Jansen <jan@klant.example>",
        "Factuur",
        "Dag.",
        &["--h-Message-Id", "<1@klant.example>"],
    );
    let (sanne, daan) = (server.join("agent"), server.join("agent"));
    let case = format!("/conversations/{}", text(&row, "id"));
    let again = |number: u32| {
        let id = format!("<weer{number}@klant.example>");
        let more = ["--h-Message-Id", &id, "--h-In-Reply-To", "<1@klant.example>"];
        receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "En nu?", &more);
    };
    again(1);
    let mut hers = listen(&sanne);
    daan.patch(&case, json!({ "assignee_id": own(&sanne) })).expect(200);
    hers.wait_for("notifications_changed");
    assert_eq!(unread(&sanne), [line("assigned", 1, "Factuur")]);
    again(2);
    hers.wait_for("notifications_changed");
    again(3);
    let lines = wait::until("both mails", SOON, || {
        let lines = unread(&sanne);
        (lines.len() == 2 && lines[0].1 == 2).then_some(lines)
    });
    assert_eq!(lines, [line("customer_message", 2, "Factuur"), line("assigned", 1, "Factuur")]);
    assert!(unread(&daan).is_empty() && unread(server.admin()).is_empty());

    let mark = json!({ "read": true, "conversation_id": row["id"] });
    let marked = sanne.patch("/notifications", mark).expect(200)["ids"].clone();
    assert!(unread(&sanne).is_empty());
    let back = json!({ "read": false, "ids": marked });
    sanne.patch("/notifications", back.clone()).expect(200);
    assert_eq!(unread(&sanne).len(), 2, "taken back");
    daan.patch("/notifications", back).expect(200);
    assert_eq!(unread(&sanne).len(), 2, "nobody else's");
    let until = sanne.get("/notifications").expect(200)["items"][0]["at"].clone();
    sanne.patch("/notifications", json!({ "read": true, "until": until })).expect(200);
    assert!(unread(&sanne).is_empty());
    sanne.patch("/notifications", json!({ "read": true })).fields(&["ids: required"]);
    sanne
        .patch("/notifications", json!({ "read": true, "ids": [], "until": until }))
        .fields(&["ids: invalid"]);

    // Who wants to hear nothing of it does not.
    let quiet = json!({ "items": [{ "kind": "customer_message", "desk": false, "push": true }] });
    let now = sanne.patch("/me/notifications", quiet).expect(200);
    let kinds: Vec<_> = items(&now).iter().map(|item| text(item, "kind")).collect();
    assert_eq!(kinds, ["mentioned", "assigned", "customer_message", "delivery_failed"]);
    assert_eq!(items(&now)[2], json!({ "kind": "customer_message", "desk": false, "push": true }));
    assert_eq!(daan.get("/me/notifications").expect(200)["items"][2]["desk"], true);
    let twice = json!({ "kind": "assigned", "desk": true, "push": true });
    sanne.patch("/me/notifications", json!({ "items": [twice, twice] })).fields(&["items[1].kind: invalid"]);
    again(4);
    wait::until("the mail", SOON, || (sanne.get(&case).expect(200)["message_count"] == 5).then_some(()));
    assert!(unread(&sanne).is_empty());
});

on_both_engines!(who_sent_what_a_server_refused_is_told_of_it, |engine| {
    let server = Server::start(engine);
    account(&server, Some(refusing_server()));
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (sanne, daan) = (server.join("agent"), server.join("agent"));
    let case = format!("/conversations/{}", text(&row, "id"));
    sanne.post(&format!("{case}/messages"), json!({ "kind": "reply", "text": "Dat klopt." })).expect(201);
    let lines = wait::until("the refusal", SOON, || {
        let lines = unread(&sanne);
        (!lines.is_empty()).then_some(lines)
    });
    assert_eq!(lines, [line("delivery_failed", 1, "Factuur")]);
    assert!(unread(&daan).is_empty());
});
