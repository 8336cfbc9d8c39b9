// SPDX-License-Identifier: EUPL-1.2
//! Canary: markers go in through every channel and field, and appear in no file, table, index,
//! log line or dump afterwards. A planted leak of each guise is found, so the search is alive.

use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::canary::Canary;
use crate::support::server::{Server, on_both_engines};
use crate::support::swaks::swaks;
use crate::support::wait;

#[test]
fn a_planted_leak_is_found_in_every_guise() {
    let folder = tempfile::tempdir().expect("a folder");
    let canary = Canary::new("geplant", 1);
    let marker = canary.marker.clone();
    let utf16: Vec<u8> = marker.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(format!("around {marker} around").as_bytes()).expect("memory");
    let hex: String = marker.bytes().map(|b| format!("{b:02x}")).collect();
    let quoted: String = marker.bytes().map(|b| format!("={b:02X}")).collect();
    let mut leaks = vec![
        ("plain", format!("before {marker} after").into_bytes()),
        ("lower", marker.to_lowercase().into_bytes()),
        ("utf16", utf16),
        ("gzip", [b"noise".to_vec(), gzip.finish().expect("memory")].concat()),
        ("hex", hex.into_bytes()),
        ("quoted", quoted.into_bytes()),
    ];
    for shift in 0..3 {
        let text = format!("{}{marker}tail", "x".repeat(shift));
        let output = Command::new("sh")
            .args(["-c", "printf %s \"$0\" | base64 -w0", &text])
            .output()
            .expect("base64 is part of every Debian");
        leaks.push(("base64", output.stdout));
    }
    for (name, leak) in leaks {
        let path = folder.path().join("leak");
        fs::write(&path, &leak).expect("our own folder");
        assert_eq!(canary.seen_below(folder.path()).len(), 1, "{name} is not found");
        fs::write(&path, b"nothing to see").expect("our own folder");
        assert!(canary.seen_below(folder.path()).is_empty());
    }
}

on_both_engines!(nothing_personal_lies_in_clear, |engine| {
    let mut server = Server::start(engine);
    let mut all: Vec<Canary> = Vec::new();
    let mut mark = |what: &str| -> String {
        let canary = Canary::new(what, all.len() as u32);
        let marker = canary.marker.clone();
        all.push(canary);
        marker
    };

    // Settings and people of the tenant.
    let account = json!({
        "kind": "email", "address": format!("{}@winkel.example", mark("adres").to_lowercase()),
        "from_name": mark("afzender"),
        "submission": {
            "host": "127.0.0.1", "port": 9, "security": "none",
            "username": mark("gebruiker"), "password": mark("wachtwoord"),
        },
    });
    let account = server.admin().post("/channel-accounts", account).expect(201);
    let address = account["address"].as_str().expect("an address").to_owned();
    server.admin().patch("/me", json!({ "name": mark("beheerder") })).expect(200);
    let expires =
        Command::new("date").args(["-u", "-d", "+30 days", "+%FT%T.000Z"]).output().expect("coreutils");
    let expires = String::from_utf8_lossy(&expires.stdout).trim().to_owned();
    let key = json!({ "name": mark("sleutel"), "scope": "read", "expires_at": expires });
    server.admin().post("/api-keys", key).expect(201);

    // A mail with everything that a mail can hold.
    let folder = server.scratch().join("mail");
    fs::create_dir_all(&folder).expect("our own folder");
    let attachment = folder.join(format!("{}.txt", mark("bestand")));
    fs::write(&attachment, format!("inhoud {}\n{}", mark("inhoud"), "vulling ".repeat(12_000)))
        .expect("a file");
    let (sender, name, subject, body) =
        (mark("van").to_lowercase(), mark("naam"), mark("onderwerp"), mark("tekst"));
    let sent = swaks(
        server.smtp,
        &[
            "--from",
            &format!("{sender}@klant.example"),
            "--to",
            &address,
            "--h-From",
            &format!("{name} <{sender}@klant.example>"),
            "--header",
            &format!("Subject: {subject} vraag"),
            "--header",
            &format!("Message-Id: <{}@klant.example>", mark("kenmerk")),
            "--body",
            &format!("Hallo {body} groet"),
            "--attach",
            &format!("@{}", attachment.display()),
        ],
    );
    assert!(sent.ok, "{}", sent.transcript);
    // The file of the sender is not the server's.
    fs::remove_dir_all(&folder).expect("our own folder");
    let case = wait::until("the conversation", Duration::from_secs(20), || {
        let page = server.admin().get("/conversations?status=all").expect(200);
        page["items"][0].is_object().then(|| page["items"][0].clone())
    });
    assert_eq!(case["subject"], format!("{subject} vraag"));
    let id = case["id"].as_str().expect("an id").to_owned();
    let contact = case["contact"]["id"].as_str().expect("an id").to_owned();

    // What is quarantined keeps its source.
    let odd = swaks(
        server.smtp,
        &[
            "--from",
            "x@klant.example",
            "--to",
            &address,
            "--data",
            &format!("{} zonder kop\\n", mark("rommel")),
        ],
    );
    assert!(odd.ok, "{}", odd.transcript);

    // The desk at work: an answer that cannot be delivered, a note, another name, a search.
    let path = format!("/conversations/{id}/messages");
    let reply = json!({ "kind": "reply", "text": mark("antwoord"), "attachment_ids": [] });
    server.admin().post(&path, reply).expect(201);
    let note = json!({ "kind": "note", "text": mark("notitie"), "attachment_ids": [] });
    server.admin().post(&path, note).expect(201);
    server.admin().patch(&format!("/contacts/{contact}"), json!({ "name": mark("hernoemd") })).expect(200);
    let found = server.admin().post("/search", json!({ "q": body })).expect(200);
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "it is stored and found, sealed");
    server.stranger().post(
        "/session",
        json!({ "email": format!("{}@x.example", mark("inlog")), "password": mark("poging") }),
    );
    server.stranger().get(&format!("/conversations/{}", mark("pad")));
    let upload = format!("upload {}", mark("opgeladen"));
    server
        .admin()
        .upload("/attachments", &format!("{}.txt", mark("naamvan")), "text/plain", upload.as_bytes())
        .expect(201);
    // Views are written to the ledger within a second; what they hold is looked for too.
    #[expect(clippy::disallowed_methods, reason = "another process is waited for in real time")]
    std::thread::sleep(Duration::from_millis(1_500));

    let logs = server.logs();
    // Everything still in the log files of the databases is on disk once it has stopped.
    let live = server.data_folder();
    for canary in &all {
        assert_eq!(canary.seen_below(&live), Vec::<String>::new(), "{} while it runs", canary.marker);
        assert_eq!(canary.seen_in(logs.as_bytes()), None, "{} in the log", canary.marker);
    }
    server.stop();
    for canary in &all {
        assert_eq!(canary.seen_below(&live), Vec::<String>::new(), "{} on disk", canary.marker);
    }
    if let (Engine::Postgres, Some(databases)) = (engine, server.databases()) {
        for database in databases {
            // The wall holds for a dump too, unless it says that it is the system's.
            let dump = Command::new("pg_dump")
                .args(["--inserts", "--enable-row-security", "--dbname", database.url()])
                .env("PGOPTIONS", "-c belofte.scope=system")
                .output();
            let dump = dump.expect("pg_dump comes with PostgreSQL");
            assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
            assert!(dump.stdout.len() > 1_000);
            for canary in &all {
                assert_eq!(canary.seen_in(&dump.stdout), None, "{} in a dump", canary.marker);
            }
        }
    }
});
