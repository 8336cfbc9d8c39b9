// SPDX-License-Identifier: EUPL-1.2
//! Queues over HTTP: who sees what of them, when they are open, and where conversations are when one is archived.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::inbox::{account, text};
use crate::support::server::{Server, on_both_engines};
use crate::support::wait;

const SOON: Duration = Duration::from_secs(20);

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().expect("items")
}

fn make(client: &Client, name: &str) -> String {
    text(&client.post("/queues", json!({ "name": name })).expect(201), "id").to_owned()
}

fn names(client: &Client, path: &str) -> Vec<String> {
    items(&client.get(path).expect(200)).iter().map(|one| text(one, "name").to_owned()).collect()
}

/// A conversation that begins with a mail of the tenant's.
fn begin(server: &Server, account: &Value, no: usize) -> String {
    let mail = json!({
        "account_id": account["id"], "to": [format!("klant{no}@klant.example")], "subject": format!("Vraag {no}"),
        "text": "Dag", "attachment_ids": [],
    });
    text(&server.admin().post("/conversations", mail).expect(201), "conversation_id").to_owned()
}

fn queue_of(server: &Server, conversation: &str) -> String {
    let shown = server.admin().get(&format!("/conversations/{conversation}")).expect(200);
    text(&shown["queue"], "id").to_owned()
}

/// Waits until nothing is on its way out of a queue or back.
fn settled(server: &Server, queue: &str) {
    wait::until("nothing to move any more", Duration::from_secs(60), || {
        let shown = server.admin().get(&format!("/queues/{queue}")).expect(200);
        shown.get("moving").is_none().then_some(())
    });
}

on_both_engines!(a_queue_is_named_ordered_and_open_at_its_hours, |engine| {
    let server = Server::start(engine);
    let (admin, agent, supervisor) = (server.admin(), server.join("agent"), server.join("supervisor"));
    let mut socket = agent.live(None);
    assert_eq!(socket.next(SOON).expect("hello")["kind"], "hello");
    let first = text(&items(&admin.get("/queues").expect(200))[0], "id").to_owned();
    let made =
        admin.post("/queues", json!({ "name": " Winkel ", "description": "Aan de toonbank" })).expect(201);
    assert!(made["name"] == "Winkel" && made["open_now"] == true && made.get("hours").is_none(), "{made}");
    assert_eq!(made["holidays"].as_array().map(Vec::len), Some(12));
    socket.wait_for("queues_changed");
    let path = format!("/queues/{}", text(&made, "id"));
    let second = make(admin, "Balie");
    admin.post("/queues/order", json!({ "ids": [second, made["id"], first] })).expect(204);
    let order = names(&agent, "/queues");
    assert_eq!(order[..2], ["Balie", "Winkel"]);
    admin.post("/queues/order", json!({ "ids": [second, made["id"]] })).problem(409, "conflict");
    let renamed = admin.patch(&path, json!({ "name": "Toonbank", "version": 1 })).expect(200);
    assert!(renamed["name"] == "Toonbank" && renamed["description"] == "Aan de toonbank", "{renamed}");
    admin.patch(&path, json!({ "name": "Laat", "version": 1 })).problem(409, "conflict");
    admin.post("/queues", json!({ "name": " " })).fields(&["name: required"]);
    let long = json!({ "name": "x".repeat(81), "description": "x".repeat(501) });
    admin.post("/queues", long).fields(&["description: too_long", "name: too_long"]);

    let never = json!({ "week": [[], [], [], [], [], [], []], "holidays": ["easter"] });
    let shut = admin.patch(&format!("{path}/hours"), json!({ "hours": never })).expect(200);
    assert!(shut["open_now"] == false && shut.get("next_opening").is_none(), "{shut}");
    assert_eq!(shut["hours"]["zone"], "Europe/Amsterdam");
    let day = json!([{ "from": "00:00", "to": "24:00" }]);
    let always = json!({ "zone": "America/New_York", "week": [day, day, day, day, day, day, day] });
    let open = admin.patch(&format!("{path}/hours"), json!({ "hours": always, "version": 3 })).expect(200);
    assert_eq!(open["open_now"], true);
    let wrong = json!({
        "zone": "Europe/Utrecht", "week": [[{ "from": "9:00", "to": "17:00" }], [], [], [], [], [], []],
        "exceptions": [{ "date": "2026-02-29" }],
    });
    admin.patch(&format!("{path}/hours"), json!({ "hours": wrong })).fields(&[
        "hours.exceptions[0].date: invalid",
        "hours.week[0][0]: invalid",
        "hours.zone: invalid",
    ]);
    admin
        .patch(&format!("{path}/hours"), json!({ "hours": { "week": [[]] } }))
        .fields(&["hours.week: invalid"]);
    let days: Vec<_> = (0..401).map(|_| json!({ "date": "2026-03-01" })).collect();
    let many = json!({ "week": [[], [], [], [], [], [], []], "exceptions": days });
    assert!(admin.patch(&format!("{path}/hours"), json!({ "hours": many })).status == 422);

    // Who answers is told whether somebody is there, and no more.
    let listed = agent.get("/queues").expect(200);
    let told: Vec<_> = items(&listed)[1].as_object().expect("a queue").keys().cloned().collect();
    assert_eq!(told, ["archived", "id", "is_default", "name", "open_now"]);
    agent.get(&path).problem(403, "forbidden");
    assert_eq!(supervisor.get(&path).expect(200)["hours"]["zone"], "America/New_York");
    supervisor.patch(&path, json!({ "name": "x" })).problem(403, "forbidden");
});

on_both_engines!(an_archived_queue_says_where_its_conversations_go, |engine| {
    let server = Server::start(engine);
    let admin = server.admin();
    let (shop, desk) = (make(admin, "Winkel"), make(admin, "Balie"));
    let mailbox = account(&server, None);
    let own = format!("/channel-accounts/{}", text(&mailbox, "id"));
    admin.patch(&own, json!({ "queue_id": shop })).expect(200);
    // Nothing can be sent without a server that takes it, so that a queue with a mailbox alone is not empty either.
    admin.post(&format!("/queues/{shop}/archive"), json!({})).problem(409, "queue_not_empty");
    let first =
        items(&admin.get("/queues").expect(200)).iter().find(|one| one["is_default"] == true).cloned();
    let first = text(&first.expect("a default"), "id").to_owned();
    admin
        .post(&format!("/queues/{first}/archive"), json!({ "into_id": shop }))
        .problem(409, "queue_is_default");
    let nothing = uuid::Uuid::from_u128(7);
    for wrong in [json!(nothing), json!(shop)] {
        admin
            .post(&format!("/queues/{shop}/archive"), json!({ "into_id": wrong }))
            .fields(&["into_id: not_found"]);
    }
    let archive = json!({ "into_id": desk });
    let archived = admin.post(&format!("/queues/{shop}/archive"), archive.clone()).expect(200);
    assert!(archived["archived"] == true && archived["archived_into_id"] == desk, "{archived}");
    assert_eq!(admin.get(&own).expect(200)["queue_id"], desk);
    // Asked for again it is done.
    admin.post(&format!("/queues/{shop}/archive"), archive).expect(200);
    assert!(!names(admin, "/queues").contains(&"Winkel".to_owned()));
    assert!(names(admin, "/queues?archived=true").contains(&"Winkel".to_owned()));
    admin.patch(&own, json!({ "queue_id": shop })).fields(&["queue_id: not_found"]);
    admin
        .post(&format!("/queues/{desk}/archive"), json!({ "into_id": shop }))
        .fields(&["into_id: not_found"]);
    admin.patch(&format!("/queues/{shop}"), json!({ "make_default": true })).problem(409, "conflict");
    let by_macro = json!({ "name": "Weg", "actions": { "queue_id": shop } });
    admin.post("/macros", by_macro).fields(&["actions.queue_id: not_found"]);
    admin.post(&format!("/queues/{shop}/restore"), json!({})).expect(200);
    admin.post(&format!("/queues/{shop}/restore"), json!({})).expect(200);
    assert!(names(admin, "/queues").contains(&"Winkel".to_owned()));
});

on_both_engines!(conversations_go_out_of_an_archived_queue_and_come_back_whoever_is_killed, |engine| {
    let mut server = Server::start(engine);
    let (shop, desk) = (make(server.admin(), "Winkel"), make(server.admin(), "Balie"));
    let sink = crate::support::collector::Collector::start(Duration::ZERO);
    let mailbox = account(&server, Some(sink.port));
    let own = format!("/channel-accounts/{}", text(&mailbox, "id"));
    server.admin().patch(&own, json!({ "queue_id": shop })).expect(200);
    let cases: Vec<_> = (0..60).map(|no| begin(&server, &mailbox, no)).collect();
    let (by_hand, solved) = (&cases[0], &cases[1]);
    server.admin().post(&format!("/queues/{shop}/archive"), json!({ "into_id": desk })).expect(200);
    server.kill();
    server.boot();
    // Once more, when some have gone.
    wait::until("some to go", Duration::from_secs(60), || {
        let shown = server.admin().get(&format!("/queues/{shop}")).expect(200);
        (shown.get("moving").is_none() || shown["moving"]["moved"].as_i64() > Some(0)).then_some(())
    });
    server.kill();
    server.boot();
    settled(&server, &shop);
    for case in &cases {
        assert_eq!(queue_of(&server, case), desk);
        let told = server.admin().get(&format!("/conversations/{case}/activity")).expect(200);
        let moves: Vec<_> = items(&told).iter().filter(|one| one["kind"] == "queue").collect();
        assert_eq!(moves.len(), 1, "{told}");
        assert_eq!(moves[0]["to"], "Balie", "{told}");
    }
    let first = items(&server.admin().get("/queues").expect(200))
        .iter()
        .find(|one| one["is_default"] == true)
        .cloned();
    let first = text(&first.expect("a default"), "id").to_owned();
    let refused = json!({ "queue_id": shop });
    server.admin().patch(&format!("/conversations/{by_hand}"), refused).fields(&["queue_id: not_found"]);
    server.admin().patch(&format!("/conversations/{by_hand}"), json!({ "queue_id": first })).expect(200);
    server.admin().patch(&format!("/conversations/{solved}"), json!({ "status": "resolved" })).expect(200);
    let mut socket = server.admin().live(None);
    assert_eq!(socket.next(SOON).expect("hello")["kind"], "hello");
    server.admin().post(&format!("/queues/{shop}/restore"), json!({})).expect(200);
    socket.wait_for("queues_changed");
    socket.wait_for("conversation_changed");
    settled(&server, &shop);
    assert_eq!(queue_of(&server, by_hand), first);
    assert_eq!(queue_of(&server, solved), desk);
    for case in &cases[2..] {
        assert_eq!(queue_of(&server, case), shop);
    }
    let listed = server.admin().get(&format!("/conversations?status=all&limit=100&queue={shop}")).expect(200);
    assert_eq!(items(&listed).len(), 58);
});
