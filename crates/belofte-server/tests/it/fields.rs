// SPDX-License-Identifier: EUPL-1.2
//! The tenant's own fields over the API: set up, filled in, told what is wrong, given another kind, and removed.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::server::{Server, on_both_engines};
use crate::support::swaks::swaks;
use crate::support::wait;
use std::time::Duration;

fn settings(label: &str, kind: &str, more: Value) -> Value {
    let mut all = json!({
        "kind": kind, "label": { "nl": label }, "purpose": "Terugvinden", "sensitivity": "ordinary",
        "readers": ["agent", "admin"], "writers": ["agent", "admin"],
    });
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        all[name] = value;
    }
    all
}

fn make(admin: &Client, record: &str, settings: Value) -> String {
    let made = admin.post("/fields", json!({ "record": record, "settings": settings })).expect(201);
    made["id"].as_str().expect("an id").to_owned()
}

/// The person of the first case that comes in.
fn contact(server: &Server) -> (String, String) {
    let account = json!({
        "kind": "email", "address": "info@winkel.example", "from_name": "Winkel",
        "submission": { "host": "127.0.0.1", "port": 9, "security": "none" },
    });
    server.admin().post("/channel-accounts", account).expect(201);
    let mail = ["--from", "els@klant.example", "--to", "info@winkel.example", "--body", "vraag"];
    let sent = swaks(server.smtp, &mail);
    assert!(sent.ok, "{}", sent.transcript);
    wait::until("the case", Duration::from_secs(30), || {
        let cases = server.admin().get("/conversations").expect(200);
        let case = cases["items"].as_array()?.first()?.clone();
        Some((case["contact"]["id"].as_str()?.to_owned(), case["id"].as_str()?.to_owned()))
    })
}

on_both_engines!(a_field_is_set_up_filled_in_and_told_what_is_wrong, |engine| {
    let server = Server::start(engine);
    let (admin, agent, supervisor) = (server.admin(), server.join("agent"), server.join("supervisor"));
    let (contact, case) = contact(&server);
    let number = make(
        admin,
        "contact",
        settings("Klantnummer", "text", json!({ "rules": { "pattern": "[0-9]{4}" } })),
    );
    let options =
        json!([{ "no": 1, "label": { "nl": "Fiets" } }, { "no": 2, "label": { "nl": "Band" }, "within": 1 }]);
    let what =
        make(admin, "conversation", settings("Onderdeel", "tree_choice", json!({ "options": options })));
    let amount = make(admin, "contact", settings("Krediet", "money", json!({ "writers": ["admin"] })));

    let path = format!("/contacts/{contact}/fields");
    let labels = |client: &Client, path: &str| {
        let items = client.get(path).expect(200)["items"].as_array().cloned().expect("items");
        items.iter().map(|one| one["label"]["nl"].as_str().expect("a label").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(labels(&agent, &path), ["Klantnummer", "Krediet"]);
    assert_eq!(labels(&supervisor, &path), Vec::<String>::new(), "who reads none is told of none");
    let change = |field: &str, value: Value| json!({ "values": [{ "field_id": field, "value": value }] });
    agent.patch(&path, change(&number, json!("12"))).fields(&["values[0].value: invalid"]);
    agent.patch(&path, change(&number, json!(12))).fields(&["values[0].value: invalid"]);
    agent
        .patch(&path, change(&amount, json!({ "amount": "1", "currency": "EUR" })))
        .fields(&["values[0].field_id: not_found"]);
    supervisor.patch(&path, change(&number, json!("1234"))).fields(&["values[0].field_id: not_found"]);
    agent.patch(&path, change(&what, json!(2))).fields(&["values[0].field_id: not_found"]);
    agent
        .patch(&path, json!({ "values": [{ "field_id": number, "value": { "straat": 1 } }] }))
        .fields(&["values[0].value: invalid"]);
    let filled = agent.patch(&path, change(&number, json!("1234"))).expect(200);
    assert_eq!(filled["items"][0]["value"], "1234");
    admin
        .patch(&path, change(&amount, json!({ "amount": "1,5", "currency": "EUR" })))
        .fields(&["values[0].value: invalid"]);
    let filled =
        admin.patch(&path, change(&amount, json!({ "amount": "1.50", "currency": "EUR" }))).expect(200);
    assert_eq!(filled["items"][1]["value"], json!({ "amount": "1.5", "currency": "EUR" }));
    assert_eq!(
        (&filled["items"][1]["writable"], agent.get(&path).expect(200)["items"][1]["writable"] == false),
        (&json!(true), true)
    );
    // What is left out of a change stays; a value that is left out is a mistake.
    agent.patch(&path, json!({ "values": [{ "field_id": number }] })).fields(&["values[0].value: required"]);
    assert_eq!(agent.get(&path).expect(200)["items"][0]["value"], "1234");
    // Somebody else was first.
    let stale = json!({ "values": [{ "field_id": number, "version": 1, "value": "4321" }] });
    agent.patch(&path, stale).problem(409, "conflict");
    let of_case = format!("/conversations/{case}/fields");
    agent.patch(&of_case, change(&what, json!(2))).expect(200);
    agent.patch(&of_case, change(&what, json!(3))).fields(&["values[0].value: not_found"]);

    // Another kind: what would not be one is said, and kept.
    let preview = format!("/fields/{number}/preview");
    let told = admin.post(&preview, json!({ "kind": "date" })).expect(200);
    assert_eq!((&told["values"], &told["convert"], &told["stay"]), (&json!(1), &json!(0), &json!(["1234"])));
    let row = format!("/fields/{number}");
    admin
        .patch(&row, json!({ "version": 1, "settings": settings("Klantnummer", "date", json!({})) }))
        .expect(200);
    let shown = agent.get(&path).expect(200)["items"][0].clone();
    assert_eq!((&shown["value"], &shown["was"]), (&Value::Null, &json!("1234")));
    admin.patch(&row, json!({ "version": 1, "archived": true })).problem(409, "conflict");
    admin.delete(&row).problem(409, "field_in_use");
    admin.patch(&row, json!({ "archived": true })).expect(200);
    admin.delete(&row).expect(204);
    assert_eq!(labels(&agent, &path), ["Krediet"]);
    agent.get("/fields").problem(403, "forbidden");
});

on_both_engines!(what_nobody_signed_for_is_refused_in_words, |engine| {
    let server = Server::start(engine);
    let admin = server.admin();
    let refused = settings("BSN", "text", json!({ "sensitivity": "national_identifier" }));
    let wanted = json!({ "record": "contact", "settings": refused });
    admin.post("/fields", wanted).fields(&["settings.override: required"]);
    let mut wrong = settings("", "choice", json!({ "rules": { "most": "veel" } }));
    admin
        .post("/fields", json!({ "record": "contact", "settings": wrong }))
        .fields(&["settings.rules.most: invalid"]);
    wrong["rules"] = json!({ "most": "12" });
    admin.post("/fields", json!({ "record": "contact", "settings": wrong })).fields(&[
        "settings.label: required",
        "settings.options: required",
        "settings.rules.most: invalid",
    ]);
    let (contact, _) = contact(&server);
    let ends_at =
        belofte_server::api::time::Time(belofte_store::Clock::System.now() + Duration::from_secs(3_600));
    let signed =
        json!({ "legal_basis": "Artikel 46 UAVG", "purpose": "Wettelijke plicht", "ends_at": ends_at });
    let of = |more: Value| settings("BSN", "text", more);
    let field = make(
        admin,
        "contact",
        of(json!({ "sensitivity": "national_identifier", "override": signed.clone() })),
    );
    // What was read can be written back, and moves nothing of the signature.
    let own = || {
        let all = admin.get("/fields").expect(200);
        all["items"]
            .as_array()
            .expect("items")
            .iter()
            .find(|one| one["id"] == field)
            .cloned()
            .expect("the field")
    };
    let read = own();
    let back = json!({ "version": read["version"], "settings": read["settings"] });
    admin.patch(&format!("/fields/{field}"), back).expect(200);
    assert_eq!(own()["settings"], read["settings"]);
    let path = format!("/contacts/{contact}/fields");
    admin.patch(&path, json!({ "values": [{ "field_id": field, "value": "999999990" }] })).expect(200);
    let plain = json!({ "settings": of(json!({})) });
    admin.patch(&format!("/fields/{field}"), plain).problem(409, "field_holds_refused");
    let entry =
        server.entries().into_iter().rfind(|entry| entry["detail"]["what"] == "field").expect("an entry");
    assert_eq!(entry["detail"]["after"]["settings"]["signed"]["legal_basis"], "Artikel 46 UAVG", "{entry}");
});
