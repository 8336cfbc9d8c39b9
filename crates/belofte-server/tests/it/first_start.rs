// SPDX-License-Identifier: EUPL-1.2
//! What commands make, and for whom: the first start says how to keep the root key, nobody else on
//! the machine reads the data, and a command that looks makes and changes nothing.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::server::{Engine, Server};

/// Runs `belofte` with a folder `data` below `folder`, as somebody whose files are open to others.
fn belofte(folder: &Path, more: &str, arguments: &[&str]) -> Output {
    let config = folder.join("belofte.toml");
    let text = format!("[data]\nfolder = {:?}\n{more}", folder.join("data"));
    fs::write(&config, text).expect("our own folder");
    Command::new("sh")
        .args(["-c", "umask 022; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_belofte")])
        .args(arguments)
        .arg("--config")
        .arg(&config)
        .output()
        .expect("the program was built")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What below `folder` group or others may use; links are somebody's choice.
fn open_to_others(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(metadata) = fs::symlink_metadata(folder) else { return found };
    if metadata.permissions().mode() & 0o077 != 0 {
        found.push(folder.to_owned());
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(open_to_others(&entry.path()));
        } else if entry.metadata().expect("there").permissions().mode() & 0o077 != 0 {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn the_first_command_says_how_to_keep_the_root_key_until_somebody_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = belofte(folder.path(), "", &["tenant", "create", "winkel", "--json"]);
    assert!(made.status.success(), "{}", told(&made));
    let key = folder.path().join("data/root.key").display().to_string();
    assert!(told(&made).contains(&key) && told(&made).contains("Copy it"), "{}", told(&made));
    assert!(serde_json::from_slice::<Value>(&made.stdout).is_ok(), "the note is beside the answer");
    let again = belofte(folder.path(), "", &["tenant", "create", "bakker"]);
    assert!(told(&again).contains("Copy it"), "until somebody has: {}", told(&again));
    let doctor = belofte(folder.path(), "", &["doctor"]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("FINDING root_key_copy"));

    let kept = belofte(folder.path(), "", &["keys", "kept"]);
    assert!(kept.status.success(), "{}", told(&kept));
    let quiet = belofte(folder.path(), "", &["tenant", "create", "slager"]);
    assert!(quiet.status.success() && quiet.stderr.is_empty(), "{}", told(&quiet));
}

#[test]
fn nobody_else_on_the_machine_reads_the_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let made = belofte(folder.path(), "", &["tenant", "create", "winkel"]);
    assert!(made.status.success(), "{}", told(&made));
    assert!(data.join("content.db").exists());
    assert_eq!(open_to_others(&data), Vec::<PathBuf>::new());

    // An older version made it so; the doctor says it, and the next command that may write mends it.
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    };
    open(&data, 0o755);
    open(&data.join("content.db"), 0o644);
    let doctor = belofte(folder.path(), "", &["doctor"]);
    let report = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(report.contains("FINDING private"), "{report}");
    assert!(belofte(folder.path(), "", &["migrate"]).status.success());
    assert_eq!(open_to_others(&data), Vec::<PathBuf>::new());
}

#[test]
fn a_running_server_keeps_its_data_to_itself_and_says_where_it_listens() {
    let server = Server::start(Engine::Sqlite);
    assert_eq!(open_to_others(&server.data_folder()), Vec::<PathBuf>::new());
    let logs = server.logs();
    for port in [server.https.port(), server.smtp] {
        assert!(logs.contains(&format!("listen=127.0.0.1:{port}")), "{port}: {logs}");
    }
    assert!(logs.contains("Copy it to a safe place"), "{logs}");
    assert!(!logs.contains("withheld"), "lines that say nothing: {logs}");
}

#[test]
fn commands_that_look_make_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for arguments in
        [&["tenant", "list"][..], &["keys", "status"], &["keys", "rotate"], &["keys", "kept"], &["doctor"]]
    {
        let refused = belofte(folder.path(), "", arguments);
        assert!(!refused.status.success(), "{arguments:?}");
        assert!(!data.exists(), "{arguments:?} made something");
    }
    let refused = belofte(folder.path(), "", &["tenant", "list", "--json"]);
    assert!(told(&refused).contains("there is no root key"), "{}", told(&refused));
    let value: Value = serde_json::from_slice(&refused.stdout).expect("--json tells JSON, failures too");
    assert_eq!(value["ok"], false);
}

/// A newer program beside a running older server looks and does not change its schema.
#[test]
fn commands_that_look_do_not_migrate() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(belofte(folder.path(), "", &["tenant", "create", "winkel"]).status.success());
    let content = folder.path().join("data/content.db");
    let applied = || {
        let database = rusqlite::Connection::open(&content).expect("a database");
        let count = "SELECT count(*) FROM refinery_schema_history";
        database.query_row(count, [], |row| row.get::<_, i64>(0)).expect("a count")
    };
    let all = applied();
    rusqlite::Connection::open(&content)
        .and_then(|database| database.execute("DELETE FROM refinery_schema_history WHERE version > 1", []))
        .expect("the schema of an older version, by its own account");
    let older = applied();
    assert!(older < all);
    for arguments in [&["tenant", "list"][..], &["keys", "status"]] {
        let refused = belofte(folder.path(), "", arguments);
        assert!(!refused.status.success());
        assert!(told(&refused).contains("older version"), "{}", told(&refused));
        assert_eq!(applied(), older, "{arguments:?} changed the schema");
    }
}

#[test]
fn an_unreadable_configuration_is_told_as_json() {
    let absent = Command::new(env!("CARGO_BIN_EXE_belofte"))
        .args(["config", "check", "--json", "--config", "/nonexistent/belofte.toml"])
        .output()
        .expect("the program was built");
    assert!(!absent.status.success());
    let value: Value = serde_json::from_slice(&absent.stdout).expect("JSON");
    assert_eq!(value["ok"], false);
    assert_eq!(value["findings"][0]["file"], "/nonexistent/belofte.toml");
}

#[test]
fn a_metrics_port_that_is_taken_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound");
    let more = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[smtp]\nlisten = \"\"\n[observability]\nmetrics_listen = \"{address}\"\n"
    );
    let refused = belofte(folder.path(), &more, &["serve"]);
    assert!(!refused.status.success());
    assert!(told(&refused).contains(&format!("belofte: cannot listen on {address} for figures")));
    assert!(!folder.path().join("data").exists(), "nothing was made");
}
