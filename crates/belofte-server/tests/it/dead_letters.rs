// SPDX-License-Identifier: EUPL-1.2
//! Background work that really fails through all its tries: it is seen by its tenant and by the
//! operator, harms nothing else, and is done once what was wrong has been put right.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::inbox::{account, receive, text};
use crate::support::server::{PASSWORD, Server, on_both_engines};
use crate::support::sink::Sink;
use crate::support::wait;

const OPERATOR: &str = "wacht@operator.example";
/// Waiting between tries is cut short, and the tries themselves are quick.
const PATIENCE: Duration = Duration::from_secs(60);

/// Hours pass, as far as work that waits for its next try is concerned.
fn pass(server: &Server) {
    const DUE: &str = "UPDATE job SET run_at = 0 WHERE state = 'ready'";
    if let Some([content, _]) = server.databases() {
        // What the server writes at this moment is not waited for: it holds rows in an order of its own.
        content.query_all_tenants(
            "UPDATE job SET run_at = 0 WHERE id IN \
             (SELECT id FROM job WHERE state = 'ready' FOR UPDATE SKIP LOCKED)",
        );
        return;
    }
    let content = rusqlite::Connection::open(server.data_folder().join("content.db")).expect("a database");
    content.busy_timeout(PATIENCE).expect("a setting");
    content.execute(DUE, []).expect("the table of work");
}

fn letters(client: &Client) -> Vec<Value> {
    client.get("/dead-letters").expect(200)["items"].as_array().expect("items").clone()
}

/// The dead letters of a tenant, as soon as there are some.
fn given_up(server: &Server) -> Vec<Value> {
    wait::until("work to be given up", PATIENCE, || {
        pass(server);
        Some(letters(server.admin())).filter(|all| !all.is_empty())
    })
}

fn blobs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { blobs(&path, found) } else { found.push(path) }
    }
}

on_both_engines!(an_answer_whose_file_is_damaged_is_given_up_seen_and_sent_after_the_repair, |engine| {
    let server = Server::start(engine);
    let sink = Sink::start();
    account(&server, Some(sink.port));
    let row = receive(&server, "jan@klant.example", "Ketel", "Lekt.", &[]);
    let agent = server.join("agent");
    let file = agent.upload("/attachments", "plan.bin", "application/x-plan", &vec![7; 200_000]).expect(201);
    let mut all = Vec::new();
    blobs(&server.data_folder().join("blobs"), &mut all);
    let [blob] = &all[..] else { panic!("one file: {all:?}") };
    let whole = fs::read(blob).expect("our own file");
    let mut damaged = whole.clone();
    damaged[100_000] ^= 1;
    fs::write(blob, &damaged).expect("our own file");

    let path = format!("/conversations/{}/messages", text(&row, "id"));
    let answer = json!({ "kind": "reply", "text": "Zie het plan.", "attachment_ids": [file["id"]] });
    let sent = agent.post(&path, answer).expect(201);
    let all = given_up(&server);
    let [letter] = &all[..] else { panic!("one: {all:?}") };
    assert_eq!((&letter["kind"], &letter["error_code"]), (&json!("deliver"), &json!("seal_broken")));
    assert_eq!(letter["attempts"], 12);
    assert_eq!(sink.handed().len(), 0, "nothing half of it was sent");

    // The operator sees that there is one and whose, and nothing of what it is about.
    server.make_operator(OPERATOR);
    let operator = server.stranger();
    operator.post("/operator/session", json!({ "email": OPERATOR, "password": PASSWORD })).expect(201);
    let seen = operator.get("/operator/dead-letters").expect(200);
    let [seen] = &seen["items"].as_array().expect("items")[..] else { panic!("one: {seen}") };
    assert_eq!((&seen["id"], &seen["tenant_id"]), (&letter["id"], &json!(server.tenant.id)));
    let mut names: Vec<_> = seen.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["attempts", "error_code", "failed_at", "id", "kind", "tenant_id"]);
    agent.get("/dead-letters").problem(403, "forbidden");
    assert!(letters(&server.found_tenant("buren").admin).is_empty(), "not another tenant's");
    // Other work goes on meanwhile.
    receive(&server, "piet@klant.example", "Pomp", "Bromt.", &[]);

    // Tried again before the repair it is given up again, with the same reason.
    let retry = format!("/dead-letters/{}/retry", text(letter, "id"));
    server.admin().post_nothing(&retry).expect(202);
    let again = given_up(&server);
    assert_eq!((again.len(), &again[0]["id"], &again[0]["attempts"]), (1, &letter["id"], &json!(12)));

    fs::write(blob, &whole).expect("our own file");
    server.admin().post_nothing(&retry).expect(202);
    wait::until("the answer to be handed in", PATIENCE, || (sink.handed().len() == 1).then_some(()));
    wait::until("the delivery to be told", PATIENCE, || {
        let messages = agent.get(&path).expect(200);
        let of = messages["items"].as_array().expect("items").iter().find(|one| one["id"] == sent["id"]);
        (of.expect("the answer")["deliveries"][0]["state"] == "sent").then_some(())
    });
    assert!(letters(server.admin()).is_empty());
    server.admin().post_nothing(&retry).problem(404, "not_found");
    assert_eq!(sink.handed().len(), 1, "once");
});

on_both_engines!(a_ledger_that_was_changed_is_not_signed_until_it_is_put_right, |engine| {
    let server = Server::start(engine);
    server.join("agent");
    let execute = |sql: &str| match server.databases() {
        Some([content, _]) => drop(content.query_all_tenants(sql)),
        None => {
            let content = rusqlite::Connection::open(server.data_folder().join("content.db"));
            let content = content.expect("a database");
            content.busy_timeout(PATIENCE).expect("a setting");
            content.execute_batch(sql).expect("carried out");
        }
    };
    // Leaf 1 is hidden from the signer; leaf numbers have no gap otherwise.
    let tenant = server.tenant.id.clone();
    let mine = match server.databases() {
        Some(_) => format!("tenant_id = '{tenant}'"),
        None => format!("tenant_id = x'{}'", tenant.replace('-', "")),
    };
    execute(&format!("UPDATE ledger_leaf SET no = 1000000 WHERE no = 1 AND {mine}"));
    let all = given_up(&server);
    assert_eq!((all.len(), &all[0]["kind"]), (1, &json!("checkpoint")), "{all:?}");
    assert_eq!(all[0]["error_code"], "store_failed");
    execute(&format!("UPDATE ledger_leaf SET no = 1 WHERE no = 1000000 AND {mine}"));
    server.admin().post_nothing(&format!("/dead-letters/{}/retry", text(&all[0], "id"))).expect(202);
    wait::until("the ledger to be signed", PATIENCE, || {
        pass(&server);
        let page = server.admin().get("/ledger?limit=1").expect(200);
        (letters(server.admin()).is_empty() && page["checkpoint"].is_string()).then_some(())
    });
});
