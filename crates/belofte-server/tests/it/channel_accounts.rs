// SPDX-License-Identifier: EUPL-1.2
//! Channel accounts, the test of their mail server, and where their mail went.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::dovecot::Dovecot;
use crate::support::postfix::{Options, Postfix};
use crate::support::server::{Server, on_both_engines};
use crate::support::swaks::swaks;
use crate::support::wait;

const DESK: &str = "info@winkel.example";

fn account() -> Value {
    json!({
        "kind": "email", "address": DESK, "from_name": "Winkel",
        "submission": {
            "host": "mail.winkel.example", "port": 587, "security": "starttls",
            "username": "desk", "password": "geheim",
        },
    })
}

fn path_of(account: &Value) -> String {
    format!("/channel-accounts/{}", account["id"].as_str().unwrap())
}

on_both_engines!(an_account_is_added_changed_and_removed, |engine| {
    let server = Server::start(engine);
    let admin = server.admin();
    let made = admin.post("/channel-accounts", account()).expect(201);
    let path = path_of(&made);
    assert_eq!(made["submission"]["password_set"], true);
    assert!(!made.to_string().contains("geheim"), "a password never comes back");
    assert_eq!(admin.get(&path).expect(200), made);
    admin.post("/channel-accounts", account()).problem(409, "conflict");
    server.found_tenant("bakker").admin.get(&path).problem(404, "not_found");

    let agent = server.join("agent");
    agent.get("/channel-accounts").problem(403, "forbidden");
    let supervisor = server.join("supervisor");
    supervisor.get("/channel-accounts").expect(200);
    supervisor.patch(&path, json!({ "state": "paused" })).problem(403, "forbidden");

    let changed = admin.patch(&path, json!({ "from_name": "Winkel & Zn", "state": "paused" })).expect(200);
    assert_eq!((&changed["from_name"], &changed["state"]), (&json!("Winkel & Zn"), &json!("paused")));
    assert_eq!(changed["submission"], made["submission"], "what is left out stays");
    // A stored password goes to no other server than the one it was given for.
    let elsewhere = json!({ "submission": {
        "host": "mail.elders.example", "port": 587, "security": "starttls", "username": "desk",
    }});
    admin.patch(&path, elsewhere).fields(&["submission.password: required"]);
    let none = admin.patch(&path, json!({ "submission": null })).expect(200);
    assert!(none.get("submission").is_none());
    admin.patch(&path, json!({ "queue_id": uuid::Uuid::nil() })).fields(&["queue_id: not_found"]);
    admin.patch(&path, json!({ "state": "removed" })).fields(&["state: invalid"]);

    admin.delete(&path).expect(204);
    admin.delete(&path).problem(404, "not_found");
    assert_eq!(admin.get("/channel-accounts").expect(200)["items"], json!([]));
    // The address is free again.
    admin.post("/channel-accounts", account()).expect(201);
});

on_both_engines!(every_field_that_does_not_hold_is_named, |engine| {
    let server = Server::start(engine);
    let wrong = json!({
        "kind": "email", "address": "geen adres", "from_name": "x".repeat(101),
        "submission": { "host": "mail server", "port": 0, "security": "tls", "username": "desk" },
    });
    server.admin().post("/channel-accounts", wrong).fields(&[
        "address: invalid",
        "from_name: too_long",
        "submission.host: invalid",
        "submission.password: required",
        "submission.port: out_of_range",
    ]);
    let mut unknown = account();
    unknown["kind"] = json!("fax");
    server.admin().post("/channel-accounts", unknown).fields(&["kind: invalid"]);
});

on_both_engines!(a_test_tells_how_far_it_came, |engine| {
    let dovecot = Dovecot::start(&[(DESK, "geheim van de zaak")]);
    let options = Options { auth: Some(dovecot.auth), ..Options::default() };
    let Some(postfix) = Postfix::start(&options) else { return };
    let trusted = format!(
        "[outbound]\nallow_private = [\"127.0.0.0/8\"]\nroot_certs_file = {:?}\n",
        postfix.certificate.authority
    );
    let server = Server::start_with(engine, &trusted);
    let admin = server.admin();
    let with = |port: u16, password: Option<&str>| {
        json!({
            "host": "localhost", "port": port, "security": "starttls", "username": DESK, "password": password,
        })
    };
    let test = |body: Value| {
        let told = admin.post("/channel-accounts/test", body).expect(200);
        let steps = told["steps"].as_array().unwrap().clone();
        steps
            .iter()
            .map(|step| {
                let code = step["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
                format!("{}{code}", step["step"].as_str().unwrap())
            })
            .collect::<Vec<_>>()
    };
    let good = ["resolve", "connect", "greeting", "tls", "authentication", "sender"];
    let new = |submission: Value| json!({ "address": DESK, "submission": submission });
    let mut passed = test(new(with(postfix.smtp, Some("geheim van de zaak"))));
    passed.sort_unstable();
    let mut expected = good;
    expected.sort_unstable();
    assert_eq!(passed, expected);
    let wrong = test(new(with(postfix.smtp, Some("niet het wachtwoord"))));
    assert_eq!(wrong.last().unwrap(), "authentication authentication_failed");
    let [nobody] = crate::support::free_port::free_ports();
    assert_eq!(test(new(with(nobody, Some("x")))), ["resolve", "connect connection_failed"]);

    // The stored password is used for the server that it was given for, and for no other.
    let stored = json!({
        "kind": "email", "address": DESK, "from_name": "Winkel",
        "submission": with(postfix.smtp, Some("geheim van de zaak")),
    });
    let made = admin.post("/channel-accounts", stored).expect(201);
    assert_eq!(test(json!({ "id": made["id"] })).len(), good.len());
    assert_eq!(test(json!({ "id": made["id"], "submission": with(postfix.smtp, None) })).len(), good.len());
    let elsewhere = json!({ "id": made["id"], "submission": with(nobody, None) });
    admin.post("/channel-accounts/test", elsewhere).fields(&["submission.password: required"]);
    let foreign =
        server.found_tenant("bakker").admin.post("/channel-accounts/test", json!({ "id": made["id"] }));
    foreign.problem(404, "not_found");
});

on_both_engines!(private_networks_are_out_of_reach_unless_the_operator_allows_them, |engine| {
    let server = Server::start_with(engine, "[outbound]\nallow_private = []\n");
    let body = json!({
        "address": DESK, "submission": { "host": "127.0.0.1", "port": server.smtp, "security": "none" },
    });
    let told = server.admin().post("/channel-accounts/test", body).expect(200);
    assert_eq!(told["steps"], json!([{ "step": "resolve", "ok": false, "code": "host_not_allowed" }]));
});

on_both_engines!(what_cannot_be_filed_is_accounted_for_shown_and_tried_again, |engine| {
    let server = Server::start(engine);
    let admin = server.admin();
    let made = admin.post("/channel-accounts", account()).expect(201);
    let sums = format!("{}/accounting", path_of(&made));
    let zero = json!({ "received": 0, "imported": 0, "duplicates": 0, "quarantined": 0, "pending": 0 });
    assert_eq!(admin.get(&sums).expect(200), zero);

    let file = server.scratch().join("mail.eml");
    std::fs::write(&file, "Subject: Geen afzender\r\n\r\nWie ben ik?\r\n").unwrap();
    let data = format!("@{}", file.display());
    let sent = swaks(server.smtp, &["--to", DESK, "--from", "<>", "--data", &data]);
    assert!(sent.ok, "{}", sent.transcript);
    let quarantined = wait::until("the mail in quarantine", Duration::from_secs(20), || {
        admin.get("/quarantine").expect(200)["items"].as_array().unwrap().first().cloned()
    });
    assert_eq!(quarantined["reason"], "no_sender");
    assert_eq!(quarantined["channel_account_id"], made["id"]);
    let told = admin.get(&sums).expect(200);
    assert_eq!((&told["received"], &told["quarantined"]), (&json!(1), &json!(1)));

    let path = format!("/quarantine/{}", quarantined["id"].as_str().unwrap());
    let source = admin.get(&format!("{path}/source"));
    assert_eq!(source.status.as_u16(), 200);
    assert!(source.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert!(source.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    assert!(String::from_utf8_lossy(&source.body).contains("Wie ben ik?"));
    server.join("agent").get(&format!("{path}/source")).problem(403, "forbidden");
    let other = server.found_tenant("bakker").admin;
    other.get(&format!("{path}/source")).problem(404, "not_found");
    other.post_nothing(&format!("{path}/retry")).problem(404, "not_found");
    assert_eq!(other.get("/quarantine").expect(200)["items"], json!([]));

    let retried = admin.post_nothing(&format!("{path}/retry")).expect(202);
    assert_eq!(retried, json!({ "id": quarantined["id"], "state": "received" }));
    // It still has no sender: back it comes, and it says that it was tried.
    wait::until("the mail back in quarantine", Duration::from_secs(20), || {
        let items = admin.get("/quarantine").expect(200)["items"].clone();
        items[0].get("retried_at").is_some().then_some(())
    });
    let told = admin.get(&sums).expect(200);
    assert_eq!(
        (&told["received"], &told["quarantined"], &told["pending"]),
        (&json!(1), &json!(1), &json!(0))
    );
});

on_both_engines!(quarantine_has_pages, |engine| {
    let server = Server::start(engine);
    let admin = server.admin();
    admin.post("/channel-accounts", account()).expect(201);
    for number in 0..3 {
        let file = server.scratch().join("mail.eml");
        std::fs::write(&file, format!("Subject: {number}\r\n\r\nWie ben ik?\r\n")).unwrap();
        let data = format!("@{}", file.display());
        assert!(swaks(server.smtp, &["--to", DESK, "--from", "<>", "--data", &data]).ok);
    }
    wait::until("three mails in quarantine", Duration::from_secs(20), || {
        (admin.get("/quarantine").expect(200)["items"].as_array().unwrap().len() == 3).then_some(())
    });
    let first = admin.get("/quarantine?limit=2").expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = admin.get(&format!("/quarantine?limit=2&cursor={cursor}")).expect(200);
    assert!(second.get("next_cursor").is_none());
    let mut ids: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap().iter().map(|item| item["id"].to_string()))
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    // An idempotency key belongs to the path too: these requests have the same, empty body.
    let keyed = admin.with_header("idempotency-key", "nog-eens");
    let retry =
        |item: &Value| keyed.post_nothing(&format!("/quarantine/{}/retry", item["id"].as_str().unwrap()));
    let (one, other) = (&first["items"][0], &first["items"][1]);
    assert_eq!(retry(one).expect(202), retry(one).expect(202));
    retry(other).problem(422, "idempotency_key_reused");
    admin.get("/quarantine?cursor=zo%20maar").fields(&["cursor: invalid"]);
    admin.get("/quarantine?limit=101").fields(&["limit: out_of_range"]);
});
