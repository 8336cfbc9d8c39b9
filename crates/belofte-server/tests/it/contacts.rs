// SPDX-License-Identifier: EUPL-1.2
//! People over the API: added, listed by what is known of them, page by page, and told what is wrong.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::server::{Server, on_both_engines};
use crate::support::swaks::swaks;
use crate::support::wait;

fn field(admin: &Client, label: &str, kind: &str, readers: &[&str]) -> String {
    let settings = json!({
        "kind": kind, "label": { "nl": label }, "purpose": "Terugvinden", "sensitivity": "ordinary",
        "readers": readers, "writers": readers,
    });
    let made = admin.post("/fields", json!({ "record": "contact", "settings": settings })).expect(201);
    made["id"].as_str().expect("an id").to_owned()
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().expect("items").iter().map(|one| one["name"].as_str().expect("a name")).collect()
}

on_both_engines!(people_are_added_and_listed_by_what_is_known_of_them, |engine| {
    let server = Server::start(engine);
    let (admin, agent) = (server.admin(), server.join("agent"));
    let points = field(admin, "Punten", "integer", &["agent", "admin"]);
    let secret = field(admin, "Kredietruimte", "integer", &["admin"]);
    let add = |name: &str, address: &str, number: i64| {
        let values = json!([{ "field_id": points, "value": number }]);
        json!({ "name": name, "addresses": [address], "values": values })
    };
    for (name, address, number) in
        [("Els", "Els@klant.example", 3), ("Jan", "jan@klant.example", 20), ("Wim", "wim@werk.example", 3)]
    {
        let made = agent.post("/contacts", add(name, address, number)).expect(201);
        assert_eq!((&made["name"], &made["identities"][0]["value"]), (&json!(name), &json!(address)));
        assert_eq!(made["conversation_count"], 0);
    }
    // An address is one person's, however it is written.
    agent.post("/contacts", add("Else", "ELS@KLANT.example", 3)).fields(&["addresses: taken"]);
    agent
        .post("/contacts", json!({ "name": "Els", "addresses": ["geen adres"] }))
        .fields(&["addresses[0]: invalid"]);
    agent.post("/contacts", json!({})).fields(&["name: required"]);
    let twice = json!({ "name": "Els", "addresses": ["a@b.example", "A@b.example"] });
    agent.post("/contacts", twice).fields(&["addresses[1]: taken"]);
    let hidden = json!({ "name": "Els", "values": [{ "field_id": secret, "value": 3 }] });
    agent.post("/contacts", hidden).fields(&["values[0].field_id: not_found"]);
    let wrong = json!({ "name": "Els", "values": [{ "field_id": points, "value": "drie" }] });
    agent.post("/contacts", wrong).fields(&["values[0].value: invalid"]);

    let find = |client: &Client, body: Value| client.post("/contacts/search", body);
    let all = find(&agent, json!({})).expect(200);
    assert_eq!((names(&all), &all["total"]), (vec!["Wim", "Jan", "Els"], &json!(3)));
    let by = |test: &str, value: Value| json!({ "subject": "field", "field_id": points, "test": test, "value": value });
    let found =
        find(&agent, json!({ "conditions": [by("is", json!(3))], "field_ids": [points] })).expect(200);
    assert_eq!(names(&found), ["Wim", "Els"]);
    assert_eq!(found["items"][0]["fields"], json!([{ "field_id": points, "value": 3 }]));
    let address = json!({ "subject": "address", "test": "contains", "value": "@werk" });
    let either = json!({ "any": true, "conditions": [address, by("at_least", json!(20))] });
    assert_eq!(names(&find(&agent, either).expect(200)), ["Wim", "Jan"]);
    assert_eq!(names(&find(&agent, json!({ "q": "KLANT els" })).expect(200)), ["Els"]);

    // Page by page, in an order.
    let order = json!({ "by": "field", "field_id": points, "descending": true });
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let mut body = json!({ "order": order, "limit": 1 });
        if !cursor.is_null() {
            body["cursor"] = cursor.clone();
        }
        let page = find(&agent, body).expect(200);
        assert_eq!(page["total"], 3);
        seen.extend(names(&page).into_iter().map(str::to_owned));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["Jan", "Wim", "Els"]);
    let gone = json!({ "order": order, "cursor": "01a20110-3f12-7d16-8a1d-92ee566f8c15" });
    find(&agent, gone).problem(409, "conflict");

    // What is wrong is told by its place, and what is not read is not there.
    let missing = json!({ "subject": "field", "test": "filled" });
    find(&agent, json!({ "conditions": [missing] })).fields(&["conditions[0].field_id: invalid"]);
    let condition = json!({ "subject": "field", "field_id": secret, "test": "filled" });
    find(&agent, json!({ "conditions": [condition] })).fields(&["conditions[0].field_id: not_found"]);
    assert_eq!(names(&find(admin, json!({ "conditions": [condition] })).expect(200)), Vec::<&str>::new());
    find(&agent, json!({ "conditions": [by("contains", json!("3"))] }))
        .fields(&["conditions[0].value: invalid"]);
    find(&agent, json!({ "field_ids": [secret] })).fields(&["field_ids[0]: not_found"]);
    find(&agent, json!({ "order": { "by": "field", "field_id": secret } }))
        .fields(&["order.field_id: not_found"]);
    find(&agent, json!({ "limit": 0 })).fields(&["limit: out_of_range"]);
    let many = vec![by("is", json!(3)); 21];
    find(&agent, json!({ "conditions": many })).fields(&["conditions: too_long"]);
    let fields = |client: &Client| {
        let list = client.get("/fields/readable?record=contact").expect(200);
        list["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|one| one["label"]["nl"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(fields(&agent), ["Punten"]);
    assert_eq!(fields(admin), ["Punten", "Kredietruimte"]);
    let of_cases = agent.get("/fields/readable?record=conversation").expect(200);
    assert_eq!(of_cases["items"], json!([]));
});

on_both_engines!(the_cases_of_a_person_are_listed_page_by_page, |engine| {
    let server = Server::start(engine);
    let (admin, agent) = (server.admin(), server.join("agent"));
    let account = json!({
        "kind": "email", "address": "info@winkel.example", "from_name": "Winkel",
        "submission": { "host": "127.0.0.1", "port": 9, "security": "none" },
    });
    admin.post("/channel-accounts", account).expect(201);
    for subject in ["een", "twee", "drie"] {
        let header = format!("Subject: {subject}");
        let mail = [
            "--from",
            "els@klant.example",
            "--to",
            "info@winkel.example",
            "--header",
            &header,
            "--body",
            "vraag",
        ];
        let sent = swaks(server.smtp, &mail);
        assert!(sent.ok, "{}", sent.transcript);
        wait::until("the case", Duration::from_secs(30), || {
            let cases = admin.get("/conversations").expect(200);
            (cases["items"][0]["subject"] == subject).then_some(())
        });
    }
    let found = agent.post("/contacts/search", json!({ "q": "els@" })).expect(200);
    assert_eq!(
        (&found["items"][0]["conversation_count"], found["items"].as_array().map(Vec::len)),
        (&json!(3), Some(1))
    );
    let contact = found["items"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/contacts/{contact}/conversations?limit=2");
    let subjects = |page: &Value| {
        let items = page["items"].as_array().expect("items");
        items.iter().map(|one| one["subject"].as_str().expect("one").to_owned()).collect::<Vec<_>>()
    };
    let first = agent.get(&path).expect(200);
    assert_eq!(subjects(&first), ["drie", "twee"]);
    let cursor = first["next_cursor"].as_str().expect("more");
    let second = agent.get(&format!("{path}&cursor={cursor}")).expect(200);
    assert_eq!((subjects(&second), &second["next_cursor"]), (vec!["een".to_owned()], &Value::Null));
    agent.get(&format!("{path}&cursor=zz")).fields(&["cursor: invalid"]);
    let other = server.found_tenant("bakker");
    other.admin.get(&path).expect(404);
});

/// The lines of a table, each as its cells.
fn lines(bytes: &[u8], separator: char) -> Vec<Vec<String>> {
    let text =
        std::str::from_utf8(bytes).expect("text").strip_prefix('\u{feff}').expect("it says that it is UTF-8");
    assert!(text.ends_with("\r\n"));
    text.lines().map(|line| line.split(separator).map(str::to_owned).collect()).collect()
}

on_both_engines!(people_are_taken_out_by_an_admin_and_the_ledger_says_whom, |engine| {
    let server = Server::start(engine);
    let (admin, supervisor) = (server.admin(), server.join("supervisor"));
    let points = field(admin, "=Punten", "decimal", &["agent", "admin"]);
    let phone = field(admin, "Telefoon", "phone", &["agent", "admin"]);
    let hidden = field(admin, "Kredietruimte", "integer", &["agent"]);
    let agent = server.join("agent");
    let mut ids = Vec::new();
    for (name, address) in
        [("Els", "els@klant.example"), ("=1+1", "=jan@klant.example"), ("Wim; de man", "wim@werk.example")]
    {
        let values = json!([
            { "field_id": points, "value": "-12.5" },
            { "field_id": phone, "value": "+31612345678" },
            { "field_id": hidden, "value": 7 },
        ]);
        let made = agent
            .post("/contacts", json!({ "name": name, "addresses": [address], "values": values }))
            .expect(201);
        ids.push(made["id"].clone());
    }
    let take = |client: &Client, body: Value| client.post("/contacts/export", body);
    // Everybody, by an admin alone, with what they read and nothing else.
    take(&supervisor, json!({ "format": "csv" })).problem(403, "forbidden");
    take(&agent, json!({ "format": "csv" })).problem(403, "forbidden");
    let table = take(admin, json!({ "format": "csv" }));
    assert_eq!(table.status.as_u16(), 200);
    assert_eq!(table.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(table.headers["content-disposition"], "attachment; filename=\"contacts.csv\"");
    let rows = lines(&table.body, ',');
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert_eq!(rows[0][..2], ["Name", "E-mail addresses"]);
    // What a spreadsheet would carry out is text, in headings too; a number with its sign is a number.
    assert_eq!(rows[0][5..], ["'=Punten", "Telefoon"]);
    let found: Vec<_> = rows[1..]
        .iter()
        .map(|row| (row[0].as_str(), row[1].as_str(), row[5].as_str(), row[6].as_str()))
        .collect();
    let expected = [
        ("Els", "els@klant.example", "-12.5", "+31612345678"),
        ("'=1+1", "'=jan@klant.example", "-12.5", "+31612345678"),
        ("Wim; de man", "wim@werk.example", "-12.5", "+31612345678"),
    ];
    assert_eq!(found, expected);
    // Those of a filter, with the columns that are asked for, as spreadsheets in Dutch want it.
    let some =
        take(admin, json!({ "q": "wim", "format": "csv", "separator": "semicolon", "field_ids": [points] }));
    let text = String::from_utf8(some.body.to_vec()).expect("text");
    assert!(text.contains("\"Wim; de man\";wim@werk.example;") && text.ends_with(";-12,5\r\n"), "{text}");
    assert_eq!(text.lines().count(), 2);
    let cards = take(admin, json!({ "q": "els", "format": "vcard" }));
    assert_eq!(cards.headers["content-type"], "text/vcard; charset=utf-8");
    let text = String::from_utf8(cards.body.to_vec()).expect("text");
    let uid = format!("UID:urn:uuid:{}", ids[0].as_str().expect("an id"));
    for line in [uid.as_str(), "FN:Els", "EMAIL:els@klant.example", "TEL;VALUE=uri:tel:+31612345678"] {
        assert!(text.lines().any(|one| one == line), "{line} is not in {text}");
    }
    // Nobody is no error, and what does not hold is told by its place.
    assert_eq!(lines(&take(admin, json!({ "q": "zzz", "format": "csv" })).body, ',').len(), 1);
    let nobody = take(admin, json!({ "q": "zzz", "format": "vcard" }));
    assert_eq!((nobody.status.as_u16(), nobody.body.len()), (200, 0));
    take(admin, json!({ "format": "csv", "field_ids": [hidden] })).fields(&["field_ids[0]: not_found"]);
    let condition = json!({ "subject": "field", "field_id": hidden, "test": "filled" });
    take(admin, json!({ "format": "csv", "conditions": [condition] }))
        .fields(&["conditions[0].field_id: not_found"]);

    let me = admin.get("/session").expect(200)["user"]["id"].clone();
    let views = server.views();
    let mine = |kind: &str| {
        views.iter().filter(|view| view["actor"]["id"] == me && view["view"] == kind).collect::<Vec<_>>()
    };
    // Each export, also of nobody, and everybody who went out in one: three, one and one.
    assert_eq!(mine("contact_export").len(), 5);
    let mut went: Vec<_> = mine("contact").iter().map(|view| view["subject"].clone()).collect();
    let mut expected = [ids.clone(), vec![ids[2].clone(), ids[0].clone()]].concat();
    went.sort_by_key(Value::to_string);
    expected.sort_by_key(Value::to_string);
    assert_eq!(went, expected);
});
