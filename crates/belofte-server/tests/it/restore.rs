// SPDX-License-Identifier: EUPL-1.2
//! Back-up and restore as docs/operate/backup.md says, step by step; a restored database that does
//! not fit its keys; and a root key that is changed, also when the change is cut off.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::support::lane::{Lane, Mail};
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::wait;

const DESK: &str = "info@winkel.example";
const LIMIT: Duration = Duration::from_secs(30);

fn open_shop(server: &Server) {
    let account = json!({ "kind": "email", "address": DESK, "from_name": "Winkel" });
    server.admin().post("/channel-accounts", account).expect(201);
}

/// Sends `mail` and waits until it is a case.
fn deliver(server: &Server, mail: &Mail) {
    let mut lane = Lane::connect(server.smtp).expect("it listens");
    assert_eq!(lane.send(mail, DESK).expect("it runs"), 250);
    wait::until("the mail to be filed", LIMIT, || found(server, mail));
}

/// The first message of the case that the word of `mail` finds.
fn found(server: &Server, mail: &Mail) -> Option<Value> {
    let found = server.admin().post("/search", json!({ "q": mail.word })).expect(200);
    let case = found["items"][0]["conversation"]["id"].as_str()?.to_owned();
    let page = server.admin().get(&format!("/conversations/{case}/messages")).expect(200);
    (page["items"][0]["subject"] == mail.subject()).then(|| page["items"][0].clone())
}

/// It is found, and its attachment opens.
fn reads(server: &Server, mail: &Mail) {
    let message = wait::until("the mail to be found", LIMIT, || found(server, mail));
    if let Some(expected) = mail.attached() {
        let id = message["attachments"][0]["id"].as_str().expect("an attachment");
        let path = format!("/api/v1/attachments/{id}");
        let file = server.admin().exchange(Method::GET, &path, &[], Vec::new());
        assert!(file.body == expected, "the attachment of {} has other bytes", mail.word);
    }
}

fn shell(command: &str) {
    let done = Command::new("sh").args(["-ec", command]).output().expect("a shell");
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
}

fn ready(server: &Server) -> String {
    let answer = server.stranger().exchange(Method::GET, "/readyz", &[], Vec::new());
    String::from_utf8(answer.body.to_vec()).expect("text")
}

fn tell(server: &Server, arguments: &[&str]) -> (bool, Value) {
    let output = server.command(&[arguments, &["--json"]].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}")))
}

fn with_second_place(place: &Path) -> String {
    format!("[vault]\nkey_backup_dir = {:?}\n", place)
}

#[test]
fn the_document_brings_everything_back() {
    let (place, safe) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut server = Server::start_with(Engine::Sqlite, &with_second_place(place.path()));
    assert!(!ready(&server).contains("no_key_backup_dir"));
    open_shop(&server);
    let mail = Mail::new("bewaard0x", 100_000);
    deliver(&server, &mail);

    // Every day, while it runs.
    let (data, copy) = (server.data_folder(), safe.path().join("content"));
    let made = server.command_json(&["backup", &copy.display().to_string()]);
    assert_eq!((made["database"].clone(), made["copied"].clone()), (json!(true), json!(2)), "{made}");
    let again = server.command_json(&["backup", &copy.display().to_string()]);
    assert_eq!((again["copied"].clone(), again["kept"].clone()), (json!(0), json!(2)), "{again}");
    let keys = server.command_json(&["keys", "backup"]);
    assert!(Path::new(keys["file"].as_str().expect("a file")).starts_with(place.path()), "{keys}");
    shell(&format!("cp -p '{0}/root.key' '{1}/root.key'", data.display(), safe.path().display()));
    assert!(
        !copy.join("keys.db").exists() && !copy.join("root.key").exists(),
        "no key lies with the content"
    );
    assert!(tell(&server, &["keys", "status"]).1["backups"].as_array().is_some_and(|all| !all.is_empty()));

    // The machine is lost.
    server.kill();
    fs::remove_dir_all(&data).expect("our own folder");
    // 1 to 3: an empty data folder, the root key, the content.
    shell(&format!(
        "mkdir -m 700 '{data}'; cp -p '{safe}/root.key' '{data}/root.key'; cp '{safe}/content/content.db' \
         '{data}/content.db'; cp -r '{safe}/content/blobs' '{data}/blobs'; rm -f '{data}/node'",
        data = data.display(),
        safe = safe.path().display()
    ));
    // 4: the keys, without what was erased.
    let restored = server.command_json(&["keys", "restore", &place.path().display().to_string()]);
    assert!(restored["keys"].as_u64().is_some_and(|keys| keys > 10), "{restored}");
    // 5: whether they belong together.
    let together = || {
        let (_, looked) = tell(&server, &["doctor"]);
        let checks = looked["checks"].as_array().expect("checks");
        checks.iter().find(|check| check["check"] == "restored").expect("it was looked at")["state"].clone()
    };
    if together() != "good" {
        // Something happened between the two back-ups: 7 comes first.
        assert!(tell(&server, &["restore", "accept"]).0);
        assert_eq!(together(), "good");
    }
    // 6: serve, and read.
    server.boot();
    reads(&server, &mail);
    deliver(&server, &Mail::new("daarna00x", 0));
    server.stop();
}

#[test]
fn older_content_is_told_of_at_the_start_and_accepted_by_a_person() {
    let mut server = Server::start(Engine::Sqlite);
    assert!(ready(&server).contains("attention: no_key_backup_dir"));
    assert!(server.logs().contains("vault.key_backup_dir is niet ingesteld"), "both languages");
    open_shop(&server);
    deliver(&server, &Mail::new("eerste00x", 0));
    server.stop();
    let (content, old) = (server.data_folder().join("content.db"), server.scratch().join("old.db"));
    fs::copy(&content, &old).expect("our own folder");
    server.boot();
    let late = Mail::new("tweede00x", 100_000);
    deliver(&server, &late);
    server.stop();
    let new = server.scratch().join("new.db");
    fs::rename(&content, &new).expect("our own folder");
    fs::copy(&old, &content).expect("our own folder");
    server.boot();
    let logs = server.logs();
    assert!(
        logs.contains("the content is older than its keys") && logs.contains("de inhoud is ouder"),
        "{logs}"
    );
    assert!(ready(&server).contains("attention: content_and_keys_apart"));
    let (well, told) = tell(&server, &["restore", "status"]);
    assert!(!well && told["doubts"][0]["doubt"] == "content_older", "{told}");
    let (well, told) = tell(&server, &["doctor"]);
    assert!(!well && told.to_string().contains("the content is older than its keys"), "{told}");
    server.stop();

    // The right content comes back, and everything opens.
    fs::rename(&content, server.scratch().join("wrong.db")).expect("our own folder");
    fs::copy(&new, &content).expect("our own folder");
    server.boot();
    assert!(!ready(&server).contains("content_and_keys_apart"));
    reads(&server, &late);
    server.stop();

    // Or there is none, and somebody says so.
    fs::copy(&old, &content).expect("our own folder");
    server.boot();
    let (well, told) = tell(&server, &["restore", "accept"]);
    assert!(well && told["accepted"][0]["tenant"] == "winkel", "{told}");
    assert!(tell(&server, &["restore", "status"]).0);
    server.stop();
}

on_both_engines!(the_root_key_is_changed_and_a_change_that_was_cut_off_is_finished, |engine| {
    let mut server = Server::start(engine);
    open_shop(&server);
    let mail = Mail::new("wortel00x", 100_000);
    deliver(&server, &mail);
    let output = server.command(&["keys", "rotate", "--root"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("stop the server"), "{told}");
    server.stop();

    let (file, next) = (server.data_folder().join("root.key"), server.data_folder().join("root.key.next"));
    let before = fs::read(&file).expect("a root key");
    let done = server.command_json(&["keys", "rotate", "--root"]);
    assert_eq!(done["rewrapped"], 2, "the tenant's and the installation's own: {done}");
    let (after, old) = (fs::read(&file).expect("a root key"), done["old_file"].as_str().expect("a file"));
    assert!(after != before && fs::read(old).expect("it is kept") == before && !next.exists());
    for path in [file.display().to_string(), old.to_owned()] {
        let mode = Command::new("stat").args(["-c", "%a", &path]).output().expect("stat");
        assert_eq!(String::from_utf8_lossy(&mode.stdout).trim(), "600", "{path}");
    }
    server.boot();
    reads(&server, &mail);
    server.kill();

    // Cut off when the keys had changed hands and the files had not.
    fs::rename(&file, &next).expect("our own folder");
    fs::copy(old, &file).expect("our own folder");
    server.boot();
    assert!(server.logs().contains("was finished"), "{}", server.logs());
    assert!(fs::read(&file).expect("a root key") == after && !next.exists());
    reads(&server, &mail);
    server.kill();

    // Cut off before the keys had changed hands: the next one is there, and counts for nothing yet.
    fs::copy(old, &next).expect("our own folder");
    server.boot();
    assert!(fs::read(&file).expect("a root key") == after && next.exists());
    reads(&server, &mail);
    server.kill();

    // The wrong file is named, and nothing is made or changed.
    fs::remove_file(&next).expect("our own folder");
    fs::copy(old, &file).expect("our own folder");
    let output = server.command(&["tenant", "list"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("are wrapped by the root key"), "{told}");
});
