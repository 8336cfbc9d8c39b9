// SPDX-License-Identifier: EUPL-1.2
//! Macros over HTTP: kept by who may, used as one change, taken back by one more, refused whole.

use std::time::Duration;

use belofte_server::api::time::Time;
use belofte_store::Clock;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::inbox::{account, receive, text};
use crate::support::server::{Server, on_both_engines};

const SOON: Duration = Duration::from_secs(10);

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().expect("items")
}

/// A moment that comes after so many seconds.
fn after(seconds: u64) -> Value {
    serde_json::to_value(Time(Clock::System.now() + Duration::from_secs(seconds))).expect("a time")
}

fn names(client: &Client) -> Vec<String> {
    items(&client.get("/macros").expect(200)).iter().map(|one| text(one, "name").to_owned()).collect()
}

on_both_engines!(a_macro_is_kept_for_oneself_or_by_who_may_for_everybody, |engine| {
    let server = Server::start(engine);
    let (agent, supervisor) = (server.join("agent"), server.join("supervisor"));
    let mut socket = agent.live(None);
    assert_eq!(socket.next(SOON).expect("hello")["kind"], "hello");
    let html = "<p>Beste {{contact.first_name|klant}},</p><script>alert(1)</script><p onclick=\"x()\">Dag <b>u</b></p>";
    let own = json!({
        "name": " Groet ", "actions": { "status": "snoozed", "snooze": { "days": 3, "time": "09:30" } },
        "texts": { "nl": { "html": html }, "en": { "text": "Dear {{contact.first_name}}," } },
    });
    let made = agent.post("/macros", own.clone()).expect(201);
    assert!(made["name"] == "Groet" && made["own"] == true && made["shared"] == false, "{made}");
    assert_eq!(made["languages"], json!(["nl", "en"]));
    let kept = text(&made["texts"]["nl"], "html").to_owned();
    assert!(!kept.contains("script") && !kept.contains("onclick"), "{kept}");
    assert!(kept.contains("{{contact.first_name|klant}}"), "what is to be filled in stays: {kept}");
    assert_eq!(made["texts"]["nl"]["text"], "Beste {{contact.first_name|klant}},\n\nDag u");
    assert_eq!(made["actions"]["snooze"], json!({ "days": 3, "time": "09:30" }));
    socket.wait_for("macros_changed");
    let path = format!("/macros/{}", text(&made, "id"));
    assert_eq!(agent.get(&path).expect(200), made);
    // A list tells what each is called and does, and opens no texts.
    assert!(agent.get("/macros").expect(200)["items"][0].get("texts").is_none());
    assert!(names(&supervisor).is_empty());
    supervisor.get(&path).problem(404, "not_found");
    supervisor.patch(&path, own.clone()).problem(404, "not_found");
    supervisor.delete(&path).problem(404, "not_found");

    let for_all = json!({ "name": "Van ons", "shared": true, "actions": { "assignee": "me" } });
    agent.post("/macros", for_all.clone()).problem(403, "forbidden");
    agent.patch(&path, for_all.clone()).problem(403, "forbidden");
    let shared = supervisor.post("/macros", for_all).expect(201);
    socket.wait_for("macros_changed");
    assert_eq!(names(&agent), ["Van ons", "Groet"]);
    agent.delete(&format!("/macros/{}", text(&shared, "id"))).problem(403, "forbidden");

    let changed =
        agent.patch(&path, json!({ "name": "Anders", "version": 1, "actions": { "status": "open" } }));
    assert_eq!(changed.expect(200)["version"], 2);
    agent
        .patch(&path, json!({ "name": "Laat", "version": 1, "actions": { "status": "open" } }))
        .problem(409, "conflict");
    agent.post("/macros", json!({ "name": "Niets" })).fields(&["texts: required"]);
    let id = uuid::Uuid::from_u128(7);
    let wrong = json!({
        "name": "", "texts": { "nl": { "text": " " }, "en": { "text": "x".repeat(10_001) } },
        "actions": {
            "status": "open", "snooze": { "hours": 1 }, "assignee": id, "queue_id": id,
            "add_tag_ids": [id], "remove_tag_ids": [id],
        },
    });
    agent.post("/macros", wrong).fields(&[
        "actions.add_tag_ids[0]: not_found",
        "actions.assignee: not_found",
        "actions.queue_id: not_found",
        "actions.remove_tag_ids: invalid",
        "actions.remove_tag_ids[0]: not_found",
        "actions.snooze: invalid",
        "name: required",
        "texts.en.text: too_long",
        "texts.nl.text: required",
    ]);
    for (snooze, code) in [
        (json!({ "hours": 0 }), "out_of_range"),
        (json!({ "days": 367, "time": "09:00" }), "out_of_range"),
        (json!({ "days": 1, "time": "25:00" }), "invalid"),
        (json!({ "days": 1, "hours": 1 }), "invalid"),
        (Value::Null, "required"),
    ] {
        let wrong = json!({ "name": "x", "actions": { "status": "snoozed", "snooze": snooze } });
        agent.post("/macros", wrong).fields(&[format!("actions.snooze: {code}").as_str()]);
    }
    agent.delete(&path).expect(204);
    agent.delete(&path).problem(404, "not_found");
});

on_both_engines!(what_a_macro_does_is_one_change_and_one_more_takes_it_back, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (admin, agent) = (server.admin(), server.join("agent"));
    let me = agent.get("/session").expect(200)["user"]["id"].clone();
    let path = format!("/conversations/{}", text(&row, "id"));
    let tag = |name: &str| admin.post("/tags", json!({ "name": name })).expect(201)["id"].clone();
    let (given, taken, stays) = (tag("Gegeven"), tag("Gehaald"), tag("Blijft"));
    let before = admin.patch(&path, json!({ "add_tag_ids": [taken, stays] })).expect(200);
    let actions = json!({
        "status": "snoozed", "snooze": { "hours": 2 }, "assignee": "me",
        "add_tag_ids": [given, stays], "remove_tag_ids": [taken],
    });
    let kept =
        admin.post("/macros", json!({ "name": "Alles", "shared": true, "actions": actions })).expect(201);
    let mut socket = agent.live(None);
    assert_eq!(socket.next(SOON).expect("hello")["kind"], "hello");
    let until = after(7_200);
    let asked = json!({
        "macro_id": kept["id"], "macro_version": 1, "version": before["version"], "snoozed_until": until,
    });
    let used = agent.post(&format!("{path}/macro"), asked.clone()).expect(200);
    let now = &used["conversation"];
    assert_eq!((&now["status"], &now["snoozed_until"]), (&json!("snoozed"), &until));
    assert_eq!(now["assignee"]["id"], me);
    let tags: Vec<_> = now["tags"].as_array().expect("tags").iter().map(|tag| &tag["id"]).collect();
    assert_eq!(tags, [&stays, &given]);
    assert_eq!(now["version"], json!(before["version"].as_i64().expect("a version") + 1), "one change");
    assert_eq!(socket.wait_for("conversation_changed")["conversation_id"], row["id"]);
    // Beside those by which it got its tags.
    let mut before_it = 2;
    let kinds = |client: &Client| {
        let page = client.get(&format!("{path}/activity")).expect(200);
        items(&page).iter().map(|one| text(one, "kind").to_owned()).collect::<Vec<_>>()
    };
    let mut told = kinds(&agent);
    told.retain(|kind| {
        let tagged_before = kind == "tagged" && before_it > 0;
        before_it -= i32::from(tagged_before);
        kind != "created" && !tagged_before
    });
    told.sort();
    assert_eq!(told, ["assigned", "snoozed", "tagged", "untagged"], "as each change by itself is told");
    // The same again changes nothing, but is a use.
    assert_eq!(agent.post(&format!("{path}/macro"), asked).expect(200)["changed"], false);
    let listed = agent.get("/macros").expect(200)["items"][0].clone();
    assert!(listed["uses"] == 2 && listed["used_on"].is_string() && listed["version"] == 1, "{listed}");

    // One request takes it back, as it came; nobody is named as `null`.
    assert_eq!(
        used["undo"],
        json!({ "status": "open", "assignee_id": null, "add_tag_ids": [taken], "remove_tag_ids": [given] })
    );
    let back = agent.patch(&path, used["undo"].clone()).expect(200);
    for field in ["status", "assignee", "tags", "queue", "snoozed_until", "placed_at"] {
        assert_eq!(back.get(field), before.get(field), "{field}");
    }
});

on_both_engines!(a_macro_that_names_what_is_gone_does_nothing_before_that_is_known, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (admin, agent, other) = (server.admin(), server.join("agent"), server.join("agent"));
    let path = format!("/conversations/{}", text(&row, "id"));
    let tag = |name: &str| admin.post("/tags", json!({ "name": name })).expect(201)["id"].clone();
    let (there, gone, merged) = (tag("Blijft"), tag("Weg"), tag("Opgegaan"));
    let colleague = other.get("/session").expect(200)["user"]["id"].clone();
    let actions = json!({
        "status": "resolved", "assignee": colleague, "add_tag_ids": [there, gone, merged],
    });
    let kept = agent.post("/macros", json!({ "name": "Alles", "actions": actions })).expect(201);
    let into = tag("Blijft ook");
    let as_text = |value: &Value| value.as_str().expect("an id").to_owned();
    admin.post(&format!("/tags/{}/merge", as_text(&merged)), json!({ "into_id": into })).expect(204);
    admin.patch(&format!("/tags/{}", as_text(&gone)), json!({ "archived": true })).expect(200);
    admin.patch(&format!("/users/{}", as_text(&colleague)), json!({ "state": "blocked" })).expect(200);
    // What a tag has become is what is meant.
    let told = agent.get(&format!("/macros/{}", text(&kept, "id"))).expect(200);
    assert_eq!(told["actions"]["add_tag_ids"], json!([there, gone, into]));

    let before = agent.get(&path).expect(200);
    let asked = json!({ "macro_id": kept["id"], "macro_version": 1 });
    let using = format!("{path}/macro");
    agent
        .post(&using, asked.clone())
        .fields(&["actions.add_tag_ids[1]: not_found", "actions.assignee_id: not_found"]);
    let mut wrong = asked.clone();
    wrong["snoozed_until"] = after(60);
    agent.post(&using, wrong).expect(422);
    agent.post(&using, json!({ "macro_id": kept["id"], "macro_version": 2 })).problem(409, "conflict");
    let old = json!({ "macro_id": kept["id"], "macro_version": 1, "version": 0, "skip_missing": true });
    agent.post(&using, old).problem(409, "conflict");
    // One's own is nobody else's, and of another tenant not even its place is there.
    admin.post(&using, asked.clone()).fields(&["macro_id: not_found"]);
    for field in ["status", "version", "tags"] {
        assert_eq!(agent.get(&path).expect(200)[field], before[field], "nothing was done: {field}");
    }
    assert_eq!(agent.get("/macros").expect(200)["items"][0]["uses"], 0);

    let mut rest = asked;
    rest["skip_missing"] = json!(true);
    let used = agent.post(&using, rest).expect(200);
    let tags: Vec<_> =
        used["conversation"]["tags"].as_array().expect("tags").iter().map(|tag| &tag["id"]).collect();
    assert_eq!((tags, &used["conversation"]["status"]), (vec![&there, &into], &json!("resolved")));
    assert!(used["conversation"].get("assignee").is_none());
});
