// SPDX-License-Identifier: EUPL-1.2
//! Conversations that become one, are taken apart, stand beside each other and go on in another mailbox,
//! over HTTP.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::collector::Collector;
use crate::support::inbox::{DESK, account, receive, text};
use crate::support::server::{Server, on_both_engines};
use crate::support::wait;

const SOON: Duration = Duration::from_secs(10);

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().expect("items")
}

fn path(row: &Value, more: &str) -> String {
    format!("/conversations/{}{more}", text(row, "id"))
}

fn kinds(client: &Client, row: &Value) -> Vec<String> {
    let page = client.get(&path(row, "/activity")).expect(200);
    items(&page).iter().map(|one| text(one, "kind").to_owned()).collect()
}

fn subjects(client: &Client) -> Vec<String> {
    let page = client.get("/conversations?status=all").expect(200);
    let mut all: Vec<_> = items(&page).iter().map(|row| text(row, "subject").to_owned()).collect();
    all.sort();
    all
}

on_both_engines!(conversations_become_one_and_are_taken_apart, |engine| {
    let server = Server::start(engine);
    account(&server, Some(9));
    let one = receive(&server, "Jan Jansen <jan@klant.example>", "Ketel", "De ketel lekt.", &[]);
    let two = receive(&server, "Jan Jansen <jan@klant.example>", "Nogmaals", "Nu echt.", &[]);
    let three = receive(&server, "Piet <piet@klant.example>", "Pomp", "De pomp ook.", &[]);
    let agent = server.join("agent");
    let mut socket = agent.live(None);
    assert_eq!(socket.next(SOON).expect("hello")["kind"], "hello");

    let merge = |ids: &[&Value]| json!({ "conversation_ids": ids });
    agent.post(&path(&one, "/merge"), merge(&[&three["id"]])).problem(409, "other_contact");
    agent.post(&path(&one, "/merge"), merge(&[&one["id"]])).fields(&["conversation_ids: invalid"]);
    agent.post(&path(&one, "/merge"), merge(&[])).fields(&["conversation_ids: required"]);
    let nowhere = json!("01890000-0000-7000-8000-000000000000");
    agent.post(&path(&one, "/merge"), merge(&[&nowhere])).problem(404, "not_found");
    assert_eq!(subjects(&agent), ["Ketel", "Nogmaals", "Pomp"]);

    let keyed = agent.with_header("idempotency-key", "merge-1");
    let merged = keyed.post(&path(&one, "/merge"), merge(&[&two["id"]])).expect(200);
    assert_eq!((&merged["id"], &merged["message_count"]), (&one["id"], &json!(2)));
    assert_eq!(keyed.post(&path(&one, "/merge"), merge(&[&two["id"]])).expect(200), merged);
    // Both are told, without a word of what they say.
    for row in [&two, &one] {
        let told = socket.wait_for("conversation_changed");
        assert_eq!(told["conversation_id"], row["id"]);
    }
    assert_eq!(subjects(&agent), ["Ketel", "Pomp"]);
    // Its address leads to the other one, its number too, and an answer that was being written goes there.
    let led = agent.get(&path(&two, "")).expect(200);
    assert_eq!(led["id"], one["id"]);
    assert_eq!(items(&agent.get(&path(&two, "/messages")).expect(200)).len(), 2);
    let numbered = agent.get(&format!("/conversations/numbered?no={}", two["no"])).expect(200);
    assert_eq!(numbered["id"], one["id"]);
    agent.get("/conversations/numbered?no=999").problem(404, "not_found");
    agent.get("/conversations/numbered?no=x").problem(422, "invalid");
    let related = agent.get(&path(&one, "/related")).expect(200);
    assert_eq!(
        (&related["merged"][0]["id"], &related["merged"][0]["no"], &related["merged"][0]["subject"]),
        (&two["id"], &two["no"], &json!("Nogmaals"))
    );
    assert_eq!(kinds(&agent, &one), ["created", "merged"]);
    agent.patch(&path(&two, ""), json!({ "status": "resolved" })).problem(404, "not_found");

    let apart = agent.post(&path(&one, "/unmerge"), merge(&[&two["id"]])).expect(200);
    assert_eq!(apart["message_count"], 1);
    assert_eq!(subjects(&agent), ["Ketel", "Nogmaals", "Pomp"]);
    assert_eq!(agent.get(&path(&two, "")).expect(200)["preview"], "Nu echt.");

    // Somebody writes in what is one: then it stays one.
    let meant = json!({ "conversation_ids": [two["id"], three["id"]], "other_contacts": true });
    let all = agent.post(&path(&one, "/merge"), meant.clone()).expect(200);
    assert_eq!((&all["message_count"], &all["contact"]["name"]), (&json!(3), &json!("Jan Jansen")));
    let note = json!({ "kind": "note", "text": "Samen bekeken.", "attachment_ids": [] });
    let noted = agent.post(&path(&three, "/messages"), note).expect(201);
    assert_eq!(noted["conversation_id"], one["id"]);
    let late = json!({ "conversation_ids": meant["conversation_ids"] });
    agent.post(&path(&one, "/unmerge"), late).problem(409, "undo_too_late");
    assert_eq!(subjects(&agent), ["Ketel"]);
});

on_both_engines!(messages_become_a_conversation_of_their_own, |engine| {
    let server = Server::start(engine);
    account(&server, Some(9));
    let one = receive(
        &server,
        "Jan Jansen <jan@klant.example>",
        "Ketel",
        "De ketel lekt.",
        &["--header", "Message-Id: <een@klant.example>"],
    );
    receive(&server, "Piet <piet@klant.example>", "Pomp", "De pomp ook.", &[]);
    let agent = server.join("agent");
    let more = |id: &str, about: &str, body: &str| {
        let (id, about) = (format!("Message-Id: <{id}>"), format!("In-Reply-To: <{about}>"));
        let subject = "Subject: Re: Ketel";
        let sent = crate::support::swaks::swaks(
            server.smtp,
            &[
                "--from",
                "piet@klant.example",
                "--to",
                DESK,
                "--header",
                subject,
                "--header",
                &id,
                "--header",
                &about,
                "--body",
                body,
            ],
        );
        assert!(sent.ok, "{}", sent.transcript);
    };
    let count = |row: &Value, count: usize| {
        wait::until("the mail", SOON, || {
            let page = agent.get(&path(row, "/messages")).expect(200);
            (items(&page).len() == count).then(|| page.clone())
        })
    };
    more("twee@klant.example", "een@klant.example", "En de factuur?");
    let mails = count(&one, 2);
    let second = &items(&mails)[1]["id"];

    let out = |ids: &[&Value]| json!({ "message_ids": ids, "subject": " De  factuur" });
    agent.post(&path(&one, "/split"), out(&[])).fields(&["message_ids: required"]);
    agent
        .post(&path(&one, "/split"), out(&[&items(&mails)[0]["id"], second]))
        .fields(&["message_ids: invalid"]);
    let nowhere = json!("01890000-0000-7000-8000-000000000000");
    agent.post(&path(&one, "/split"), out(&[&nowhere])).fields(&["message_ids: not_found"]);
    let split = agent.post(&path(&one, "/split"), out(&[second])).expect(201);
    assert_eq!(
        (text(&split, "subject"), text(&split["contact"], "address"), &split["status"]),
        ("De factuur", "piet@klant.example", &json!("open"))
    );
    assert_eq!(kinds(&agent, &one).last().map(String::as_str), Some("split"));
    assert_eq!(kinds(&agent, &split).last().map(String::as_str), Some("split_from"));
    // Each is answered where it is.
    more("drie@klant.example", "twee@klant.example", "Dank.");
    count(&split, 2);
    more("vier@klant.example", "een@klant.example", "Wanneer?");
    let rest = count(&one, 2);
    agent.post(&path(&split, "/unsplit"), Value::Null).problem(409, "undo_too_late");

    let again = agent.post(&path(&one, "/split"), out(&[&items(&rest)[1]["id"]])).expect(201);
    let back = agent.post(&path(&again, "/unsplit"), Value::Null).expect(200);
    assert_eq!((&back["id"], &back["message_count"]), (&one["id"], &json!(2)));
    assert_eq!(agent.get(&path(&again, "")).expect(200)["id"], one["id"]);
    agent.post(&path(&one, "/unsplit"), Value::Null).problem(404, "not_found");

    // What stands beside it is seen from both sides.
    let link = |linked: bool| json!({ "conversation_id": split["id"], "linked": linked });
    agent.post(&path(&one, "/links"), link(true)).expect(204);
    agent.post(&path(&one, "/links"), link(true)).expect(204);
    for (row, other) in [(&one, &split), (&split, &one)] {
        let related = agent.get(&path(row, "/related")).expect(200);
        assert_eq!(related["linked"][0]["id"], other["id"]);
    }
    agent.post(&path(&split, "/links"), link(true)).fields(&["conversation_id: invalid"]);
    agent.post(&path(&one, "/links"), link(false)).expect(204);
    assert_eq!(agent.get(&path(&split, "/related")).expect(200)["linked"], json!([]));
});

on_both_engines!(a_conversation_goes_on_in_another_mailbox, |engine| {
    let mut server = Server::start_with(engine, "[outbound]\nallow_private = [\"127.0.0.0/8\"]\n");
    let customer = Collector::start(Duration::ZERO);
    let first = account(&server, Some(customer.port));
    let shop = json!({
        "kind": "email", "address": "winkel@winkel.example", "from_name": "De winkel",
        "submission": { "host": "127.0.0.1", "port": customer.port, "security": "none" },
    });
    let shop = server.admin().post("/channel-accounts", shop).expect(201);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Ketel", "De ketel lekt.", &[]);
    let agent = server.join("agent");
    let nowhere = json!({ "channel_account_id": "01890000-0000-7000-8000-000000000000" });
    agent.patch(&path(&row, ""), nowhere).fields(&["channel_account_id: not_found"]);
    let moved = agent
        .patch(&path(&row, ""), json!({ "channel_account_id": shop["id"], "version": row["version"] }))
        .expect(200);
    assert_eq!(moved["channel_account_id"], shop["id"]);
    let told = agent.get(&path(&row, "/activity")).expect(200);
    let told = items(&told).last().expect("one").clone();
    assert_eq!(
        (text(&told, "kind"), text(&told, "from"), text(&told, "to")),
        ("account", DESK, "winkel@winkel.example")
    );
    let reply = |text: &str| json!({ "kind": "reply", "text": text, "attachment_ids": [] });
    agent.post(&path(&row, "/messages"), reply("Vanuit de winkel.")).expect(201);
    let from = |sender: &str, count: usize| {
        wait::until(sender, SOON, || (customer.count(sender) == count).then_some(()));
    };
    from("<winkel@winkel.example>", 1);
    // Back where it was, by what undoes it.
    let back = json!({ "channel_account_id": first["id"], "queue_id": row["queue"]["id"] });
    agent.patch(&path(&row, ""), back).expect(200);
    agent.post(&path(&row, "/messages"), reply("Weer hier.")).expect(201);
    from(&format!("<{DESK}>"), 1);
    from("<winkel@winkel.example>", 1);
    server.stop();
});
