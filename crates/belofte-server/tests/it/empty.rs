// SPDX-License-Identifier: EUPL-1.2
//! Empty: at the end of a test no work is left. Nothing waits in the job table but what the house
//! does by the clock, nothing is leased, nothing is among the dead letters, no delivery waits for a
//! job that is not there, and the tasks of the process end by themselves.
//!
//! Every server of every test is looked at when it is dropped. A test that leaves work on purpose
//! says so with [`Server::leaves`].

use std::time::Duration;

use crate::support::server::{Engine, Server};
use crate::support::wait;

/// The work that is there when nobody asked for any.
const LEFT: &str = "SELECT kind || ' ' || state || ' after ' || attempts FROM job \
    WHERE (state <> 'ready' AND kind <> 'retrieve') OR state = 'dead' OR kind IN ('process_intake', 'deliver') \
    UNION ALL SELECT 'a delivery ' || state || ' without a job' FROM delivery d \
    WHERE state IN ('queued', 'sending') AND NOT EXISTS (SELECT 1 FROM job j WHERE j.tenant_id = d.tenant_id \
    AND j.subject_id = d.message_id AND j.kind = 'deliver') ORDER BY 1";

/// How long work that is under way may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Stops `server` and checks that it had nothing left to do but what its test announced.
///
/// # Panics
/// When a job waits, is held or has failed for good, when a delivery has none, or when the process
/// could not finish what ran.
pub fn stop_and_be_empty(server: &mut Server) {
    let mut told = Vec::new();
    wait::until("the work to end", PATIENCE, || {
        let work = left(server);
        if !work.is_empty() && work != told {
            eprintln!("still to be done: {work:?}");
            told.clone_from(&work);
        }
        work.is_empty().then_some(())
    });
    server.terminate();
    let logs = wait::until("the end of the process", Duration::from_secs(40), || {
        let logs = server.logs();
        let ended = logs.lines().any(|line| line.contains("lifecycle") && line.contains("stopped"));
        ended.then_some(logs)
    });
    let hurried = logs.contains("stopped before everything had finished");
    assert!(!hurried || server.announced("tasks"), "a task did not end:\n{logs}");
    assert!(!logs.contains("a task panicked"), "{logs}");
    server.stop();
    assert_eq!(left(server), Vec::<String>::new(), "the end left work:\n{logs}");
}

fn left(server: &Server) -> Vec<String> {
    let mut work = all(server);
    work.retain(|line| !line.split(' ').next().is_some_and(|kind| server.announced(kind)));
    work
}

fn all(server: &Server) -> Vec<String> {
    if let Some([content, _]) = server.databases() {
        return content.query_all_tenants(LEFT).lines().map(str::to_owned).collect();
    }
    if server.engine == Engine::Postgres {
        // A neighbour: what is left is left to the node that it stands beside.
        return Vec::new();
    }
    let content = rusqlite::Connection::open(server.data_folder().join("content.db")).expect("a database");
    content.busy_timeout(PATIENCE).expect("a setting");
    let mut statement = content.prepare(LEFT).expect("the tables of work");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("text")
}
