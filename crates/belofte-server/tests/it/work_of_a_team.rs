// SPDX-License-Identifier: EUPL-1.2
//! Tags, cases that are put off, changes of many cases and saved views, over HTTP.

use std::time::Duration;

use belofte_server::api::time::Time;
use belofte_store::Clock;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::inbox::{account, receive, text};
use crate::support::server::{Server, on_both_engines};
use crate::support::wait;

const SOON: Duration = Duration::from_secs(10);

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().expect("items")
}

/// A moment that comes after so many seconds.
fn after(seconds: u64) -> Value {
    serde_json::to_value(Time(Clock::System.now() + Duration::from_secs(seconds))).expect("a time")
}

fn subjects(client: &Client, query: &str) -> Vec<String> {
    let page = client.get(&format!("/conversations?{query}")).expect(200);
    items(&page).iter().map(|row| text(row, "subject").to_owned()).collect()
}

fn told(client: &Client, path: &str) -> Vec<String> {
    let page = client.get(&format!("{path}/activity")).expect(200);
    items(&page).iter().map(|one| text(one, "kind").to_owned()).collect()
}

on_both_engines!(a_tag_is_made_given_renamed_merged_and_told_to_everybody, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    receive(&server, "Piet <piet@klant.example>", "Levering", "Dag.", &[]);
    let (admin, agent) = (server.admin(), server.join("agent"));
    let path = format!("/conversations/{}", text(&row, "id"));
    let mut socket = agent.live(None);
    assert_eq!(socket.next(SOON).expect("hello")["kind"], "hello");

    let keyed = admin.with_header("idempotency-key", "tag-1");
    let tag = keyed.post("/tags", json!({ "name": " Met  spoed", "colour": "red" })).expect(201);
    assert_eq!(tag["name"], "Met spoed");
    assert_eq!(keyed.post("/tags", json!({ "name": " Met  spoed", "colour": "red" })).expect(201), tag);
    socket.wait_for("tags_changed");
    admin.post("/tags", json!({ "name": "met SPOED" })).fields(&["name: taken"]);
    admin.post("/tags", json!({ "name": " " })).fields(&["name: required"]);
    admin.post("/tags", json!({ "name": "x".repeat(41) })).fields(&["name: too_long"]);
    agent.post("/tags", json!({ "name": "Van mij" })).problem(403, "forbidden");

    // Who gives and takes tags need not be who makes them.
    let tagged = agent.patch(&path, json!({ "add_tag_ids": [tag["id"]] })).expect(200);
    assert_eq!(tagged["tags"], json!([{ "id": tag["id"], "name": "Met spoed", "colour": "red" }]));
    assert_eq!(socket.wait_for("conversation_changed")["conversation_id"], row["id"]);
    let of_tag = format!("status=open&tag={}", text(&tag, "id"));
    assert_eq!(subjects(&agent, &of_tag), ["Factuur"]);
    let found = agent.post("/search", json!({ "q": "factuur" })).expect(200);
    assert_eq!(found["items"][0]["conversation"]["tags"][0]["name"], "Met spoed");
    agent
        .patch(&path, json!({ "add_tag_ids": [tag["id"], "01890000-0000-7000-8000-000000000000"] }))
        .fields(&["add_tag_ids[1]: not_found"]);

    let tag_path = format!("/tags/{}", text(&tag, "id"));
    admin.patch(&tag_path, json!({ "name": "Spoed" })).expect(200);
    assert_eq!(agent.get(&path).expect(200)["tags"][0]["name"], "Spoed");
    let other = admin.post("/tags", json!({ "name": "Dringend" })).expect(201);
    admin.post(&format!("{tag_path}/merge"), json!({ "into_id": tag["id"] })).fields(&["into_id: not_found"]);
    let merge = admin.with_header("idempotency-key", "merge-1");
    for _ in 0..2 {
        assert_eq!(merge.post(&format!("{tag_path}/merge"), json!({ "into_id": other["id"] })).status, 204);
    }
    assert_eq!(agent.get(&path).expect(200)["tags"][0]["name"], "Dringend");
    assert_eq!(subjects(&agent, &of_tag), ["Factuur"], "who kept the old one finds them");
    assert_eq!(items(&agent.get("/tags").expect(200)).len(), 1);

    let other_path = format!("/tags/{}", text(&other, "id"));
    assert_eq!(admin.patch(&other_path, json!({ "archived": true })).expect(200)["archived"], true);
    agent.patch(&path, json!({ "remove_tag_ids": [other["id"]] })).expect(200);
    agent.patch(&path, json!({ "add_tag_ids": [other["id"]] })).fields(&["add_tag_ids[0]: not_found"]);
    assert_eq!(told(&agent, &path), ["created", "tagged", "untagged"]);
    let activity = agent.get(&format!("{path}/activity")).expect(200);
    // What it was called then is not kept; what it is called now is told.
    assert_eq!(items(&activity)[1]["to"], "Spoed");
    assert_eq!(items(&activity)[2]["from"], "Dringend");
});

on_both_engines!(a_case_that_is_put_off_comes_back_by_itself_and_is_told_to_everybody, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    receive(&server, "Piet <piet@klant.example>", "Levering", "Dag.", &[]);
    let agent = server.join("agent");
    let colleague = server.join("agent");
    let path = format!("/conversations/{}", text(&row, "id"));
    let snooze = |until: &Value| json!({ "status": "snoozed", "snoozed_until": until });
    agent.patch(&path, json!({ "status": "snoozed" })).fields(&["snoozed_until: required"]);
    agent
        .patch(&path, json!({ "status": "open", "snoozed_until": after(60) }))
        .fields(&["snoozed_until: invalid"]);
    agent.patch(&path, snooze(&json!("2020-01-01T09:00:00Z"))).fields(&["snoozed_until: out_of_range"]);
    agent.patch(&path, snooze(&after(400 * 24 * 3_600))).fields(&["snoozed_until: out_of_range"]);

    let until = after(24 * 3_600);
    let put_off = agent.patch(&path, snooze(&until)).expect(200);
    assert_eq!((&put_off["status"], &put_off["snoozed_until"]), (&json!("snoozed"), &until));
    assert_eq!(subjects(&colleague, "status=open"), ["Levering"]);
    assert_eq!(subjects(&colleague, "status=snoozed"), ["Factuur"]);
    let counts = colleague.get("/conversations/counts").expect(200);
    assert_eq!((&counts["open"], &counts["snoozed"]), (&json!(1), &json!(1)));
    // Undone.
    agent.patch(&path, json!({ "status": "open" })).expect(200);
    assert_eq!(subjects(&colleague, "status=open"), ["Levering", "Factuur"]);

    let mut socket = colleague.live(None);
    assert_eq!(socket.next(SOON).expect("hello")["kind"], "hello");
    agent.patch(&path, snooze(&after(2))).expect(200);
    assert_eq!(socket.wait_for("conversation_changed")["conversation_id"], row["id"]);
    let back = wait::until("the case to come back", SOON, || {
        let page = colleague.get("/conversations?status=open").expect(200);
        items(&page).iter().find(|one| one["id"] == row["id"]).cloned()
    });
    assert_eq!(socket.wait_for("conversation_changed")["conversation_id"], row["id"]);
    assert!(back["woken_at"].is_string() && back.get("snoozed_until").is_none(), "{back}");
    assert_eq!(subjects(&colleague, "status=open"), ["Factuur", "Levering"], "at the top");
    assert_eq!(told(&agent, &path), ["created", "snoozed", "status", "snoozed", "woken"]);
    let activity = agent.get(&format!("{path}/activity")).expect(200);
    assert_eq!(items(&activity)[1]["to"], until);
    assert_eq!(items(&activity)[4]["actor"]["kind"], "system");
});

on_both_engines!(many_cases_are_changed_at_once_and_each_goes_back_to_what_it_was, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let (agent, colleague) = (server.join("agent"), server.join("agent"));
    let me = agent.get("/session").expect(200)["user"]["id"].clone();
    let mut rows = Vec::new();
    for n in 0..4 {
        rows.push(receive(&server, "Jan <jan@klant.example>", &format!("Vraag {n}"), "Dag.", &[]));
    }
    let path = |row: &Value| format!("/conversations/{}", text(row, "id"));
    // One was somebody's, one was answered: each has its own way back.
    let taken = agent.patch(&path(&rows[0]), json!({ "assignee_id": me })).expect(200);
    let waiting = agent.patch(&path(&rows[1]), json!({ "status": "waiting" })).expect(200);
    colleague.patch(&path(&rows[2]), json!({ "assignee_id": me })).expect(200);
    let nowhere = "01890000-0000-7000-8000-000000000000";
    let done = |id: &Value, version: &Value| json!({ "id": id, "change": { "status": "resolved", "assignee_id": null, "version": version } });
    let all = json!({ "items": [
        done(&rows[0]["id"], &taken["version"]),
        done(&rows[1]["id"], &waiting["version"]),
        done(&rows[2]["id"], &rows[2]["version"]),
        done(&json!(nowhere), &json!(1)),
        done(&rows[3]["id"], &rows[3]["version"]),
    ] });
    let keyed = agent.with_header("idempotency-key", "bulk-1");
    let answer = keyed.post("/conversations/bulk", all.clone()).expect(200);
    let outcomes = |answer: &Value| -> Vec<String> {
        items(answer).iter().map(|one| text(one, "outcome").to_owned()).collect()
    };
    assert_eq!(outcomes(&answer), ["changed", "changed", "conflict", "not_found", "changed"]);
    assert_eq!(keyed.post("/conversations/bulk", all.clone()).expect(200), answer);
    // Without the key: what is done is not done again.
    let again = agent.post("/conversations/bulk", all).expect(200);
    assert_eq!(outcomes(&again), ["unchanged", "unchanged", "conflict", "not_found", "unchanged"]);
    assert_eq!(told(&agent, &path(&rows[3])), ["created", "status"]);

    // Somebody reopens one; the others go back to what they were.
    colleague.patch(&path(&rows[3]), json!({ "status": "open" })).expect(200);
    let back = |at: usize, mut change: Value| {
        change["version"] = items(&answer)[at]["version"].clone();
        json!({ "id": items(&answer)[at]["id"], "change": change })
    };
    let undo = json!({ "items": [
        back(0, json!({ "status": "open", "assignee_id": me })),
        back(1, json!({ "status": "waiting" })),
        back(4, json!({ "status": "waiting" })),
    ] });
    let undone = agent.post("/conversations/bulk", undo).expect(200);
    assert_eq!(outcomes(&undone), ["changed", "changed", "conflict"]);
    let row = agent.get(&path(&rows[0])).expect(200);
    assert!(row["status"] == "open" && row["assignee"]["id"] == me, "{row}");
    assert_eq!(agent.get(&path(&rows[1])).expect(200)["status"], "waiting");

    agent.post("/conversations/bulk", json!({ "items": [] })).fields(&["items: required"]);
    let one = json!({ "id": rows[0]["id"], "change": { "queue_id": nowhere, "add_tag_ids": [nowhere] } });
    agent.post("/conversations/bulk", json!({ "items": [one.clone(), one] })).fields(&[
        "items[0].change.add_tag_ids[0]: not_found",
        "items[0].change.queue_id: not_found",
        "items[1].change.add_tag_ids[0]: not_found",
        "items[1].change.queue_id: not_found",
        "items[1].id: invalid",
    ]);
    let many: Vec<_> =
        (0..201).map(|n: u128| json!({ "id": uuid::Uuid::from_u128(n), "change": {} })).collect();
    agent.post("/conversations/bulk", json!({ "items": many })).fields(&["items: too_long"]);
});

on_both_engines!(a_view_is_kept_for_oneself_or_by_who_may_for_everybody, |engine| {
    let server = Server::start(engine);
    let (agent, supervisor) = (server.join("agent"), server.join("supervisor"));
    let mut socket = agent.live(None);
    assert_eq!(socket.next(SOON).expect("hello")["kind"], "hello");
    let filter = json!({ "status": "waiting", "assignee": "me" });
    let own = json!({ "name": " Mijn wachtenden ", "filter": filter });
    let made = agent.post("/saved-views", own.clone()).expect(201);
    assert!(made["name"] == "Mijn wachtenden" && made["own"] == true && made["shared"] == false, "{made}");
    assert_eq!(made["filter"], filter);
    socket.wait_for("saved_views_changed");
    assert!(items(&supervisor.get("/saved-views").expect(200)).is_empty());
    let for_all =
        json!({ "name": "Van ons", "shared": true, "filter": { "status": "open", "assignee": "none" } });
    agent.post("/saved-views", for_all.clone()).problem(403, "forbidden");
    let path = format!("/saved-views/{}", text(&made, "id"));
    agent.patch(&path, for_all.clone()).problem(403, "forbidden");
    supervisor.patch(&path, own).problem(404, "not_found");

    let shared = supervisor.post("/saved-views", for_all).expect(201);
    socket.wait_for("saved_views_changed");
    let names: Vec<_> =
        items(&agent.get("/saved-views").expect(200)).iter().map(|view| view["name"].clone()).collect();
    assert_eq!(names, ["Van ons", "Mijn wachtenden"]);
    agent.delete(&format!("/saved-views/{}", text(&shared, "id"))).problem(403, "forbidden");
    agent.patch(&path, json!({ "name": "Anders", "filter": { "assignee": "none" } })).expect(200);
    agent.patch(&path, json!({ "name": "", "filter": {} })).fields(&["name: required"]);
    agent.delete(&path).expect(204);
    agent.delete(&path).problem(404, "not_found");
});
