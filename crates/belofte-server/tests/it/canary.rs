// SPDX-License-Identifier: EUPL-1.2
//! Canary: markers go in through every channel and field, and appear in no file, table, index, log
//! line, figure, trace, back-up or temporary file afterwards. A planted leak of each guise is found,
//! so the search is alive; every sealed column of the data map has been written to, so that no field
//! is left out.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use belofte_store::data_map::{DATA_MAP, Holds};
use serde_json::json;

use crate::support::authenticator::{Authenticator, recovery_codes};
use crate::support::canary::{Canaries, Canary};
use crate::support::dovecot::Dovecot;
use crate::support::free_port::free_ports;
use crate::support::inbox::until_listed;
use crate::support::keeper_of_traces::KeeperOfTraces;
use crate::support::pictures::Pictures;
use crate::support::provider::Provider;
use crate::support::refusing::refusing_server;
use crate::support::server::{PASSWORD, Server, on_both_engines};
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
    // Among others, as they are looked for.
    let canaries = Canaries::new(vec![Canary::new("anders", 2), canary, Canary::new("anders", 3)]);
    for (name, leak) in leaks {
        let path = folder.path().join("leak");
        fs::write(&path, &leak).expect("our own folder");
        let found = canaries.seen_below(folder.path());
        assert!(found.len() == 1 && found[0].contains(&marker), "{name} is not found: {found:?}");
        fs::write(&path, b"nothing to see").expect("our own folder");
        assert_eq!(canaries.seen_below(folder.path()), Vec::<String>::new());
    }
}

/// Copies the databases as a back-up does, while the server runs, and looks whether every sealed
/// column of the data map holds something.
fn back_up(server: &Server, folder: &Path) {
    let sealed = DATA_MAP.iter().flat_map(|table| {
        let columns = table.columns.iter().filter(|column| matches!(column.holds, Holds::Sealed { .. }));
        columns.map(|column| (table.name, column.name))
    });
    let mut empty = Vec::new();
    let mut look = |count: &dyn Fn(&str) -> i64| {
        for (table, column) in sealed.clone() {
            let rows = format!("SELECT COUNT(*) FROM \"{table}\" WHERE length({column}) > 0");
            let name = format!("{table}.{column}");
            if count(&rows) == 0 {
                empty.push(name);
            }
        }
    };
    match server.databases() {
        None => {
            for name in ["content.db", "keys.db"] {
                let database =
                    rusqlite::Connection::open(server.data_folder().join(name)).expect("a database");
                let copy = folder.join(name).display().to_string();
                database.execute("VACUUM INTO ?1", [copy]).expect("a back-up");
            }
            let copy = rusqlite::Connection::open(folder.join("content.db")).expect("a back-up");
            look(&|rows| copy.query_row(rows, [], |row| row.get(0)).expect("a count"));
        }
        // Dumps of both databases are looked through when the server has stopped.
        Some([content, _]) => look(&|rows| content.query_all_tenants(rows).trim().parse().expect("a count")),
    }
    assert_eq!(empty, Vec::<String>::new(), "no marker went into these sealed columns");
}

on_both_engines!(nothing_personal_lies_in_clear, |engine| {
    let [metrics, lmtp] = free_ports();
    let traces = KeeperOfTraces::start();
    let provider = Provider::start("");
    let beyond = Canary::new("plaatje", 900);
    let pictures = Pictures::that_says(&beyond.marker);
    let image_server = format!("localhost:{}", pictures.port);
    let more = format!(
        "[outbound]\nallow_private = [\"127.0.0.0/8\"]\nimages_from = [{image_server:?}]\nroot_certs_file = {:?}\n[observability]\nlog = \"debug,async_imap=trace\"\nmetrics_listen = \"127.0.0.1:{metrics}\"\n\
         otlp_endpoint = \"http://127.0.0.1:{}\"\n[push]\nservices = [\"localhost:9\"]\n",
        provider.certificate.authority, traces.port
    );
    let mut server = Server::start_with(engine, &more);
    server.stop();
    let config = fs::read_to_string(server.config_file()).expect("our own folder");
    let both = config.replace("[smtp]\n", &format!("[smtp]\nlmtp_listen = \"127.0.0.1:{lmtp}\"\n"));
    fs::write(server.config_file(), both).expect("our own folder");
    let temporary = server.scratch().join("tmp");
    fs::create_dir(&temporary).expect("our own folder");
    let shown = temporary.display().to_string();
    server.boot_with(&[("TMPDIR", shown.as_str()), ("SQLITE_TMPDIR", shown.as_str())]);
    let mut all: Vec<Canary> = vec![beyond];
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
            "host": "127.0.0.1", "port": refusing_server(), "security": "none",
            "username": mark("gebruiker"), "password": mark("wachtwoord"),
        },
    });
    // Over a line in clear no password is sent, so the answer goes by way of an account without one.
    let plain = json!({
        "kind": "email", "address": "klaar@winkel.example", "from_name": mark("winkel"),
        "submission": { "host": "127.0.0.1", "port": refusing_server(), "security": "none" },
    });
    let plain = server.admin().post("/channel-accounts", plain).expect(201);
    server.command_json(&["tenant", "create", "tweede", "--queue", &mark("wachtrij")]);
    let operator = format!("{}@wacht.example", mark("wacht").to_lowercase());
    server.make_operator(&operator);
    let invited = format!("{}@winkel.example", mark("genodigde").to_lowercase());
    let agent = server.invite(server.admin(), json!({ "role": "agent" }), &invited);
    let browser = server.stranger().with_header("user-agent", &mark("browser"));
    browser.post("/session", json!({ "email": invited, "password": PASSWORD })).expect(201);
    agent.get("/session").expect(200);
    // A second factor, a sign-in that waits for its code, and a second factor that is being set up.
    let secret = agent.post("/me/second-factor", json!({})).expect(200);
    let code = Authenticator::reads(&secret).next();
    let confirm = json!({ "password": PASSWORD, "code": code });
    let codes = agent.post("/me/second-factor/confirm", confirm).expect(200);
    let asked = browser.post("/session", json!({ "email": invited, "password": PASSWORD })).expect(202);
    let begun = server.admin().post("/me/second-factor", json!({})).expect(200);
    let mut told = recovery_codes(&codes);
    told.extend(told.clone().into_iter().map(|code| code.replace('-', "").to_uppercase()));
    told.extend(
        [&secret["secret"], &begun["secret"], &asked["step"]]
            .map(|one| one.as_str().expect("a text").to_owned()),
    );
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
            "--helo",
            &format!("{}.klant.example", mark("helo").to_lowercase()),
            "--h-From",
            &format!("{name} <{sender}@klant.example>"),
            "--header",
            &format!("Subject: {subject} vraag"),
            "--header",
            &format!("Message-Id: <{}@klant.example>", mark("kenmerk")),
            "--header",
            &format!("Cc: {} <{}@klant.example>", mark("meelezer"), mark("kopie").to_lowercase()),
            "--header",
            &format!("Reply-To: {} <{}@klant.example>", mark("terug"), mark("antwoordaan").to_lowercase()),
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

    // Another road in, with a body of HTML.
    let newsletter = mark("lmtponderwerp");
    let html = format!(
        "From: {} <l@klant.example>\\nTo: {address}\\nSubject: {}\\nMessage-Id: <lmtp@klant.example>\\n\
         MIME-Version: 1.0\\nContent-Type: text/html; charset=utf-8\\n\\n<p>Dag <b>{}</b></p><img src='http://{image_server}/beeld.gif?{}'>\\n",
        mark("lmtpnaam"),
        newsletter,
        mark("opmaak"),
        mark("teller")
    );
    let delivered =
        swaks(lmtp, &["--protocol", "LMTP", "--from", "l@klant.example", "--to", &address, "--data", &html]);
    assert!(delivered.ok, "{}", delivered.transcript);
    let news = until_listed(server.admin(), &newsletter);
    let messages =
        server.admin().get(&format!("/conversations/{}/messages", news["id"].as_str().expect("an id")));
    let message = messages.expect(200)["items"][0]["id"].as_str().expect("an id").to_owned();
    let shown = server.admin().post_nothing(&format!("/messages/{message}/remote-images")).expect(200);
    assert_eq!(shown["items"][0]["state"], "shown", "{shown}");

    let ready = ["--from", "k@klant.example", "--to", "klaar@winkel.example", "--body", "Dag"];
    let header = format!("Subject: {} klaar", mark("klaar"));
    assert!(swaks(server.smtp, &[&ready[..], &["--header", &header]].concat()).ok);

    // A third one: a mailbox whose password, folder and mail are read over a line in clear, while the library
    // that speaks there says all that it can.
    let mailbox = format!("{}@winkel.example", mark("postbus").to_lowercase());
    let (secret, shelf) = (mark("postgeheim"), mark("map"));
    let dovecot = Dovecot::start(&[(&mailbox, &secret)]);
    let (read, said) = (mark("opgehaald"), mark("gelezen"));
    dovecot.deliver(&mailbox, "m@klant.example", &["--header", &format!("Subject: {read}"), "--body", &said]);
    let reads = json!({
        "kind": "email", "address": mailbox, "from_name": "Postbus",
        "retrieval": {
            "host": "127.0.0.1", "port": dovecot.imap, "security": "none", "username": mailbox,
            "password": secret, "existing": true, "after": "move", "move_to": shelf,
        },
    });
    let reads = server.admin().post("/channel-accounts", reads).expect(201);
    let reads = format!("/channel-accounts/{}", reads["id"].as_str().expect("an id"));
    wait::until("the mailbox to be read", Duration::from_secs(20), || {
        let account = server.admin().get(&reads).expect(200);
        let sums = server.admin().get(&format!("{reads}/accounting")).expect(200);
        (account["retrieval"]["status"]["state"] == "current" && sums["imported"] == 1).then_some(())
    });

    // What a provider gave for it, and who is under way there.
    provider.mark(&mark("token"));
    let client = (mark("klant"), mark("klantgeheim"));
    provider.know(&client.0, &client.1);
    server.admin().patch(&reads, json!({ "authorisation": provider.settings() })).expect(200);
    let begin = || {
        let begun = server.admin().post(&format!("{reads}/authorisation"), json!({})).expect(200);
        provider.consent(begun["authorization_url"].as_str().expect("an address"))
    };
    server.admin().post(&format!("{reads}/authorisation/code"), begin()).expect(200);
    begin();

    // A browser that is told when something is new; its push service is not there.
    server.admin().patch("/push", json!({ "allowed": true })).expect(200);
    let endpoint = json!({ "endpoint": format!("https://localhost:9/{}", mark("apparaat")) });
    let device = server.admin().post("/push/devices", endpoint).expect(201);
    let test = format!("/push/devices/{}/test", device["id"].as_str().expect("an id"));
    assert_eq!(server.admin().post_nothing(&test).expect(200)["result"], "unreachable");

    // A key that is to sign what goes out.
    let domains = server.admin().get("/signing-keys").expect(200);
    let domain = json!({ "domain": domains["items"][0]["domain"] });
    server.admin().post("/signing-keys", domain).expect(201);

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
    let keyed = server.admin().with_header("idempotency-key", "kanarie-1");
    keyed.post(&path, reply).expect(201);
    let note = json!({ "kind": "note", "text": mark("notitie"), "attachment_ids": [] });
    server.admin().post(&path, note).expect(201);
    server.admin().patch(&format!("/contacts/{contact}"), json!({ "name": mark("hernoemd") })).expect(200);
    let queue = json!({ "name": mark("wachtrij"), "description": mark("omschrijving") });
    let queue = server.admin().post("/queues", queue).expect(201);
    let hours = json!({ "hours": { "week": [[], [], [], [], [], [], []], "exceptions": [{ "date": "2031-07-19" }] } });
    server
        .admin()
        .patch(&format!("/queues/{}/hours", queue["id"].as_str().expect("an id")), hours)
        .expect(200);
    server.admin().post("/teams", json!({ "name": mark("ploeg") })).expect(201);
    for (record, path) in [
        ("contact", format!("/contacts/{contact}/fields")),
        ("conversation", format!("/conversations/{id}/fields")),
    ] {
        let (all, mut word) = (json!(["agent", "admin"]), |what: &str| mark(&format!("{what}{record}")));
        let options = json!([{ "no": 1, "label": { "nl": word("optie"), "en": word("option") } }]);
        let settings = json!({
            "kind": "text", "label": { "nl": word("veld"), "en": word("label") }, "help": { "nl": word("uitleg") },
            "purpose": word("doel"), "sensitivity": "ordinary", "options": options, "default": word("vooraf"),
            "readers": all, "writers": all,
        });
        let made =
            server.admin().post("/fields", json!({ "record": record, "settings": settings })).expect(201);
        let value = json!({ "values": [{ "field_id": made["id"], "value": word("waarde") }] });
        server.admin().patch(&path, value).expect(200);
    }
    let tag = server.admin().post("/tags", json!({ "name": mark("etiket") })).expect(201);
    let tagging = json!({ "add_tag_ids": [tag["id"]] });
    server.admin().patch(&format!("/conversations/{id}"), tagging).expect(200);
    let draft = json!({ "kind": "reply", "version": 0, "content": {
        "text": mark("concept"), "to": [{ "name": mark("aan"), "address": mark("half") }], "subject": mark("over"),
    } });
    server.admin().patch(&format!("/conversations/{id}/drafts"), draft).expect(200);
    let mail = json!({ "version": 0, "content": { "text": mark("begin"), "subject": mark("kop") } });
    server.admin().patch("/drafts/mail", mail).expect(200);
    let view = json!({ "name": mark("weergave"), "shared": true, "filter": { "tag": tag["id"] } });
    server.admin().post("/saved-views", view).expect(201);
    let html = format!("<p>{} {{{{contact.name|{}}}}}</p>", mark("macrohtml"), mark("anders"));
    let kept = json!({
        "name": mark("macro"), "shared": true, "actions": { "add_tag_ids": [tag["id"]] },
        "texts": { "nl": { "text": mark("macrotekst") }, "en": { "html": html } },
    });
    let kept = server.admin().post("/macros", kept).expect(201);
    let used = json!({ "macro_id": kept["id"], "macro_version": kept["version"] });
    server.admin().post(&format!("/conversations/{id}/macro"), used).expect(200);
    // A conversation with a name of its own becomes part of it, and stands beside it no more.
    let mail = json!({
        "account_id": plain["id"], "to": [format!("{}@x.example", mark("tweede"))], "subject": mark("erbij"),
        "text": mark("samen"), "attachment_ids": [],
    });
    let second = server.admin().post("/conversations", mail).expect(201)["conversation_id"].clone();
    let merge = json!({ "conversation_ids": [second], "other_contacts": true });
    server.admin().post(&format!("/conversations/{id}/merge"), merge).expect(200);
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

    let answered = wait::until("the answer to be refused", Duration::from_secs(30), || {
        let page = server.admin().get("/conversations?status=all").expect(200);
        let cases = page["items"].as_array().expect("a list").clone();
        let case =
            cases.into_iter().find(|case| case["subject"].as_str().is_some_and(|s| s.ends_with("klaar")))?;
        let path = format!("/conversations/{}/messages", case["id"].as_str()?);
        let reply = json!({ "kind": "reply", "text": "Dag", "attachment_ids": [] });
        server.admin().post(&path, reply).expect(201);
        Some(path)
    });
    wait::until("the refusal", Duration::from_secs(30), || {
        let page = server.admin().get(&answered).expect(200);
        page.to_string().contains("\"failed\"").then_some(())
    });
    all.extend(told.into_iter().map(Canary::of));
    let figures = Command::new("curl").args(["-s", &format!("http://127.0.0.1:{metrics}/metrics")]).output();
    let figures = figures.expect("curl is there").stdout;
    assert!(memchr::memmem::find(&figures, b"belofte_intake_total").is_some(), "the figures are read");
    let spans = wait::until("the traces to be sent", Duration::from_secs(30), || {
        let taken = traces.taken();
        memchr::memmem::find(&taken, b"request").is_some().then_some(taken)
    });
    let backups = server.scratch().join("backup");
    fs::create_dir(&backups).expect("our own folder");
    back_up(&server, &backups);

    let logs = server.logs();
    // Everything still in the log files of the databases is on disk once it has stopped.
    let live = server.data_folder();
    let none = Vec::<String>::new();
    let canaries = Canaries::new(all);
    assert_eq!(canaries.seen_below(&live), none, "while it runs");
    assert_eq!(canaries.seen_in(logs.as_bytes()), none, "in the log");
    assert_eq!(canaries.seen_in(&figures), none, "in the figures");
    assert_eq!(canaries.seen_in(&spans), none, "in the traces");
    assert_eq!(canaries.seen_below(&temporary), none, "in TMPDIR");
    assert_eq!(canaries.seen_below(&backups), none, "in a back-up");
    server.stop();
    assert_eq!(canaries.seen_below(&live), none, "on disk");
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
            assert_eq!(canaries.seen_in(&dump.stdout), none, "in a dump");
        }
    }
});
