// SPDX-License-Identifier: EUPL-1.2
//! The operator: numbers, never content; and the commands for whoever runs the machine.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::inbox;
use crate::support::server::{ADMIN, Engine, PASSWORD, Server, on_both_engines};
use crate::support::sink::Sink;
use crate::support::wait;

const OPERATOR: &str = "beheer@operator.example";

fn create_operator(server: &Server) {
    let file = server.scratch().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let file = file.display().to_string();
    server.command_json(&["operator", "create", OPERATOR, "--name", "Beheer", "--password-file", &file]);
}

on_both_engines!(the_operator_sees_numbers_and_no_content, |engine| {
    let server = Server::start(engine);
    create_operator(&server);
    let credentials = json!({ "email": OPERATOR, "password": PASSWORD });
    server.stranger().post("/session", credentials.clone()).problem(401, "sign_in_failed");
    let operator = server.stranger();
    let as_user = json!({ "email": ADMIN, "password": PASSWORD });
    operator.post("/operator/session", as_user).problem(401, "sign_in_failed");
    let signed_in = operator.post("/operator/session", credentials);
    assert_eq!(signed_in.expect(201)["user"]["name"], "Beheer");
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-belofte-operator="), "{cookie}");
    operator.get("/operator/session").expect(200);

    server.join("agent");
    let tenants = operator.get("/operator/tenants").expect(200);
    let tenant = &tenants["items"][0];
    assert_eq!((&tenant["slug"], &tenant["users"]), (&json!("winkel"), &json!(2)));
    assert_eq!(operator.get("/operator/dead-letters").expect(200)["items"], json!([]));
    for path in ["/conversations", "/users", "/session", "/ledger", "/quarantine"] {
        operator.get(path).problem(401, "not_signed_in");
    }
    server.admin().get("/operator/tenants").problem(401, "not_signed_in");

    operator.delete("/operator/session").expect(204);
    operator.get("/operator/tenants").problem(401, "not_signed_in");
});

on_both_engines!(what_is_done_for_the_operator_stands_in_a_ledger_of_its_own, |engine| {
    let mut server = Server::start(engine);
    create_operator(&server);
    let credentials = json!({ "email": OPERATOR, "password": PASSWORD });
    let wrong = json!({ "email": OPERATOR, "password": "een gok of twee" });
    server.stranger().post("/operator/session", wrong).problem(401, "sign_in_failed");
    let nobody = json!({ "email": "niemand@operator.example", "password": "een gok of twee" });
    server.stranger().post("/operator/session", nobody).problem(401, "sign_in_failed");
    let operator = server.stranger();
    let id = operator.post("/operator/session", credentials).expect(201)["user"]["id"].clone();
    server.command_json(&["keys", "rotate", "winkel"]);

    let page = operator.get("/operator/log?limit=100").expect(200);
    let items = page["items"].as_array().unwrap();
    let acts: Vec<_> = items.iter().rev().map(|item| item["act"].as_str().unwrap()).collect();
    let signed = ["create_operator", "sign_in_refused", "sign_in_refused", "signed_in", "rotate_keys"];
    assert_eq!(acts, [&["create_tenant"][..], &signed].concat());
    assert_eq!(page["size"], 6);
    assert_eq!(items[1]["operator"], id);
    assert_eq!((&items[2]["details"]["operator"], &items[3]["details"]["operator"]), (&Value::Null, &id));
    assert_eq!(items[1]["details"]["network"], "127.0.0.0/24");
    assert_eq!(items[5]["details"]["tenant"], "winkel");
    assert_eq!(items[0]["details"]["tenant"], json!(server.tenant.id));
    let older = operator.get("/operator/log?limit=1&before=1").expect(200);
    assert_eq!(older["items"][0]["act"], "create_tenant");
    operator.get("/operator/log?before=-1").fields(&["before: out_of_range"]);
    operator.delete("/operator/session").expect(204);

    // On the command line it is the same, signed, and anybody verifies it offline.
    let told = server.command_json(&["operator", "log", "--limit", "2"]);
    assert_eq!((&told["size"], &told["items"][0]["act"]), (&json!(7), &json!("signed_out")));
    let folder = server.scratch().join("log");
    let exported = server.command_json(&["operator", "export-log", &folder.display().to_string()]);
    assert_eq!(exported["size"], 8, "that it was exported stands in it");
    let verify = |server: &Server| {
        let output = server.command(&["ledger", "verify", &folder.display().to_string()]);
        output.status.success()
    };
    assert!(verify(&server));
    let lines = std::fs::read_to_string(folder.join("entries.jsonl")).unwrap();
    std::fs::write(folder.join("entries.jsonl"), lines.replace("signed_out", "signed_up?")).unwrap();
    assert!(!verify(&server), "a change is seen");

    // A leaf that somebody took out of the database is missed by the next signature.
    server.stop();
    const LAST: &str = "DELETE FROM ledger_leaf WHERE no = 7 AND kind = 'views'";
    match server.databases() {
        Some([content, _]) => drop(content.query_all_tenants(LAST)),
        None => {
            let content = rusqlite::Connection::open(server.data_folder().join("content.db")).unwrap();
            assert_eq!(content.execute(LAST, []).unwrap(), 1);
        }
    }
    server.boot();
    let again = server.scratch().join("again").display().to_string();
    let refused = server.command(&["operator", "export-log", &again]);
    assert!(!refused.status.success());
});

on_both_engines!(the_register_says_to_whom_something_goes_and_nothing_goes_to_others, |engine| {
    let more = "[outbound]\nallow_private = [\"127.0.0.0/8\"]\n\
                sub_processors = [\"Kluis BV; back-ups; NL; kluis.example twee.kluis.example\"]\n";
    let server = Server::start_with(engine, more);
    let sink = Sink::start();
    let account = inbox::account(&server, Some(sink.port));
    create_operator(&server);
    let kluis = json!({
        "name": "Kluis BV", "purpose": "back-ups", "country": "NL",
        "hosts": ["kluis.example", "twee.kluis.example"],
    });
    let admin = server.admin();
    let register = admin.get("/recipients").expect(200);
    assert_eq!(register["sub_processors"], json!([kluis]));
    let [chosen] = &register["chosen"].as_array().unwrap()[..] else { panic!("one: {register}") };
    assert_eq!((&chosen["host"], &chosen["account_id"]), (&json!("127.0.0.1"), &account["id"]));
    assert!(chosen["first_at"].is_string() && chosen["ended_at"].is_null());

    let row = inbox::receive(&server, "jan@klant.example", "Ketel", "Lekt.", &[]);
    let path = format!("/conversations/{}/messages", inbox::text(&row, "id"));
    admin.post(&path, json!({ "kind": "reply", "text": "Wij komen." })).expect(201);
    wait::until("the answer", Duration::from_secs(20), || (sink.handed().len() == 1).then_some(()));
    let counts = || server.command_json(&["operator", "recipients"]);
    let one =
        json!([{ "tenant_id": server.tenant.id, "chosen_hosts": 1, "mailed": 1, "push_allowed": false }]);
    wait::until("the count", Duration::from_secs(20), || (counts()["tenants"] == one).then_some(()));
    assert_eq!(counts()["sub_processors"], json!([kluis]));
    assert_eq!(counts()["name_servers"], json!(["127.0.0.1:9"]));
    let operator = server.stranger();
    operator.post("/operator/session", json!({ "email": OPERATOR, "password": PASSWORD })).expect(201);
    let seen = operator.get("/operator/recipients").expect(200);
    assert_eq!((&seen["tenants"], &seen["sub_processors"]), (&one, &json!([kluis])));
    assert_eq!(seen["name_servers"], json!(["127.0.0.1:9"]), "who learns the domains of those who mail");
    let doctor = server.command(&["doctor"]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("Kluis BV (NL, back-ups)"));

    // Another host ends the one before. What does not stand in the register gets nothing.
    let change = json!({ "submission": { "host": "localhost", "port": sink.port, "security": "none" } });
    admin.patch(&format!("/channel-accounts/{}", inbox::text(&account, "id")), change).expect(200);
    let register = admin.get("/recipients").expect(200);
    let ended = register["chosen"].as_array().unwrap().iter().find(|one| one["host"] == "127.0.0.1");
    assert!(ended.unwrap()["ended_at"].is_string(), "{register}");
    const OUT: &str = "DELETE FROM recipient";
    match server.databases() {
        Some([content, _]) => drop(content.query_all_tenants(OUT)),
        None => {
            let content = rusqlite::Connection::open(server.data_folder().join("content.db")).unwrap();
            content.busy_timeout(Duration::from_secs(20)).unwrap();
            assert_eq!(content.execute(OUT, []).unwrap(), 2);
        }
    }
    let answer = admin.post(&path, json!({ "kind": "reply", "text": "Toch niet." })).expect(201);
    wait::until("the refusal", Duration::from_secs(20), || {
        let page = admin.get(&path).expect(200);
        let of = page["items"].as_array().unwrap().iter().find(|one| one["id"] == answer["id"]).cloned();
        let delivery = of.unwrap()["deliveries"][0].clone();
        (delivery["state"] == "failed" && delivery["code"] == "host_not_allowed").then_some(())
    });
    assert_eq!(sink.handed().len(), 1);
});

#[test]
fn a_sub_processor_outside_the_eea_keeps_the_server_from_starting() {
    let server = Server::start(Engine::Sqlite);
    let file = server.scratch().join("belofte.toml");
    std::fs::write(&file, "[outbound]\nsub_processors = [\"Cloud Inc; hosting; US; cloud.example\"]\n")
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_belofte"))
        .args(["config", "check", "--config"])
        .arg(&file)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && told.contains(":2: outbound.sub_processors"), "{told}");
    assert!(told.contains("Cloud Inc is in US, outside the European Economic Area"), "{told}");
}

on_both_engines!(the_operators_account_locks_for_itself, |engine| {
    let server = Server::start(engine);
    create_operator(&server);
    let guess = json!({ "email": OPERATOR, "password": "een gok of twee" });
    for _ in 0..5 {
        server.stranger().post("/operator/session", guess.clone()).problem(401, "sign_in_failed");
    }
    let right = json!({ "email": OPERATOR, "password": PASSWORD });
    server.stranger().post("/operator/session", right).problem(429, "too_many_tries");
    server.sign_in(ADMIN);
});

#[test]
fn an_operator_is_made_from_standard_input_too_and_not_with_a_weak_password() {
    let server = Server::start(Engine::Sqlite);
    let create = |password: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_belofte"))
            .args(["operator", "create", "tweede@operator.example", "--config"])
            .arg(server.config_file())
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (made, told) = create("te kort\n");
    assert!(!made && told.contains("12"), "{told}");
    assert!(create(&format!("{PASSWORD}\n")).0);
    let (made, told) = create(&format!("{PASSWORD}\n"));
    assert!(!made && told.contains("already"), "{told}");
}

fn examined(server: &Server) -> (bool, Value) {
    let output = server.command(&["doctor", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.success(), told["ok"] == true, "{told}");
    (output.status.success(), told)
}

fn state(told: &Value, check: &str) -> String {
    let checks = told["checks"].as_array().unwrap();
    let found =
        checks.iter().find(|one| one["check"] == check).unwrap_or_else(|| panic!("{check} in {told}"));
    found["state"].as_str().unwrap().to_owned()
}

on_both_engines!(the_doctor_finds_what_is_wrong, |engine| {
    let server = Server::start(engine);
    let (_, told) = examined(&server);
    for check in ["configuration", "root_key", "content", "keys", "apart", "disk", "clock", "indexes"] {
        assert_eq!(state(&told, check), "good", "{check} in {told}");
    }
    assert_eq!(state(&told, "key_backup"), "finding");
    match engine {
        Engine::Sqlite => assert_eq!(state(&told, "role"), "skipped"),
        // The role of the test run's own cluster is a plain one; a given cluster may differ.
        Engine::Postgres => {
            let [content, _] = server.databases().unwrap();
            let sees_all =
                content.query("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user");
            assert_eq!(state(&told, "role"), if sees_all == "t" { "finding" } else { "good" });
        }
    }

    let key = server.data_folder().join("root.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let idx = server.data_folder().join("idx");
    std::fs::create_dir_all(&idx).unwrap();
    std::fs::write(idx.join("stuk.db"), vec![7; 8_192]).unwrap();
    let (good, told) = examined(&server);
    assert!(!good);
    assert_eq!((state(&told, "root_key"), state(&told, "indexes")), ("finding".into(), "finding".into()));

    if let Some([content, keys]) = server.databases() {
        content.query("DELETE FROM refinery_schema_history WHERE version = (SELECT max(version) FROM refinery_schema_history)");
        keys.query("DROP TABLE refinery_schema_history");
        let (_, told) = examined(&server);
        assert_eq!((state(&told, "content"), state(&told, "keys")), ("finding".into(), "finding".into()));
    }
});

on_both_engines!(a_tenants_key_is_renewed_while_the_server_runs, |engine| {
    let server = Server::start(engine);
    let before = server.command_json(&["keys", "status"])["tenants"][0].clone();
    assert_eq!((&before["tenant"], &before["epoch"]), (&json!("winkel"), &json!(0)));
    let begun = server.command_json(&["keys", "rotate", "winkel"]);
    assert_eq!(begun["rotations"], json!([{ "tenant": "winkel", "begun": true }]));
    wait::until("the rotation to end", Duration::from_secs(60), || {
        let now = server.command_json(&["keys", "status"])["tenants"][0].clone();
        (now["epoch"] == 1 && now["under_way"] == false).then_some(())
    });
    let summary = wait::until("the ledger to tell", Duration::from_secs(20), || {
        let page = server.admin().get("/ledger?limit=100").expect(200);
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["summary"].clone())
            .find(|told| told["code"] == "key_rotated")
    });
    assert_eq!(summary["params"]["epoch"], "1");
    assert!(!server.command(&["keys", "rotate", "niemand"]).status.success());
});

/// What openapi.json describes is there: nobody forgot to mount a handler.
#[test]
fn every_endpoint_that_is_described_answers() {
    let server = Server::start(Engine::Sqlite);
    let stranger = server.stranger();
    let described = stranger.exchange(http::Method::GET, "/openapi.json", &[], Vec::new()).expect(200);
    let mut count = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let Ok(method) = http::Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            if !["GET", "POST", "PATCH", "DELETE"].contains(&method.as_str()) {
                continue;
            }
            let there = if path.starts_with("/api/v1") { path.clone() } else { format!("/api/v1{path}") };
            let there = there.replace("{id}", &uuid::Uuid::nil().to_string());
            let answer = stranger.exchange(method.clone(), &there, &[], Vec::new());
            let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
            assert!(
                !matches!(code.as_str(), "not_found" | "method_not_allowed" | "internal"),
                "{method} {there}: {code}"
            );
            count += 1;
        }
    }
    assert!(count >= 54, "{count}");
}

#[test]
fn the_doctor_tells_a_broken_configuration() {
    let server = Server::start(Engine::Sqlite);
    let file = server.config_file();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n[limits]\nhead_s = \"lang\"\n")).unwrap();
    let (good, told) = examined(&server);
    assert!(!good);
    assert_eq!(state(&told, "configuration"), "finding");
}
