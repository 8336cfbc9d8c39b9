// SPDX-License-Identifier: EUPL-1.2
//! Empty: at the end of a test no work is left. Nothing waits in the job table but what the house
//! does by the clock, nothing is leased, nothing is among the dead letters, and the tasks of the
//! process end by themselves.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::support::server::{Engine, Server};
use crate::support::wait;

/// The work that is there when nobody asked for any.
const LEFT: &str = "SELECT kind || ' ' || state || ' after ' || attempts FROM job \
                    WHERE state <> 'ready' OR kind IN ('process_intake', 'deliver') ORDER BY 1";

/// Stops `server` and checks that it had nothing left to do.
///
/// # Panics
/// When a job waits, is held or has failed for good, or when the process could not finish what ran.
pub fn stop_and_be_empty(server: &mut Server) {
    let dead = server.admin().get("/dead-letters").expect(200);
    assert_eq!(dead["items"].as_array().map(Vec::len), Some(0), "{dead}");
    let pid = fs::read_to_string(server.scratch().join("pid")).expect("it runs");
    let told = Command::new("kill").args(["-TERM", pid.trim()]).status();
    assert!(told.is_ok_and(|status| status.success()), "it ran");
    let logs = wait::until("the end of the process", Duration::from_secs(40), || {
        let logs = server.logs();
        let ended = logs.lines().any(|line| line.contains("lifecycle") && line.contains("stopped"));
        ended.then_some(logs)
    });
    assert!(!logs.contains("stopped before everything had finished"), "a task did not end:\n{logs}");
    assert!(!logs.contains("a task panicked"), "{logs}");
    server.stop();
    assert_eq!(left(server), Vec::<String>::new(), "work is left:\n{logs}");
}

fn left(server: &Server) -> Vec<String> {
    if let Some([content, _]) = server.databases() {
        return content.query(LEFT).lines().map(str::to_owned).collect();
    }
    if server.engine == Engine::Postgres {
        // A neighbour: what is left is left to the node that it stands beside.
        return Vec::new();
    }
    let content = rusqlite::Connection::open(server.data_folder().join("content.db")).expect("a database");
    let mut statement = content.prepare(LEFT).expect("the table of jobs");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("text")
}
