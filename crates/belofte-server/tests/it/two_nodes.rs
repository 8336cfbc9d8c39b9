// SPDX-License-Identifier: EUPL-1.2
//! Two servers on one PostgreSQL: what happens at one is told at the other within a second, a
//! broken connection is resumed at either, and each piece of work is done once.
//!
//! The nodes share both databases, the root key and the folder `blobs`; the rest of the data
//! folder (certificate, identity, lock) is each one's own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::empty::stop_and_be_empty;
use crate::support::client::Socket;
use crate::support::collector::Collector;
use crate::support::lane::{Lane, Mail};
use crate::support::server::{Engine, Server};
use crate::support::wait;

const DESK: &str = "info@winkel.example";
const LIMIT: Duration = Duration::from_secs(20);

fn open_shop(node: &Server, customer: &Collector) -> String {
    let account = json!({
        "kind": "email", "address": DESK, "from_name": "Winkel",
        "submission": { "host": "127.0.0.1", "port": customer.port, "security": "none" },
    });
    let account = node.admin().post("/channel-accounts", account).expect(201);
    account["id"].as_str().expect("an id").to_owned()
}

fn deliver(node: &Server, mail: &Mail) {
    let mut lane = Lane::connect(node.smtp).expect("it listens");
    assert_eq!(lane.send(mail, DESK).expect("it runs"), 250);
}

/// The frames until `count` messages were told of, by number.
fn messages(socket: &mut Socket, count: usize) -> Vec<(i64, String)> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let frame = socket.next(LIMIT).unwrap_or_else(|| panic!("only {seen:?} came"));
        assert_ne!(frame["kind"], "resync", "nothing was missed that could not be told");
        if frame["kind"] == "message_created" {
            let id = frame["message_id"].as_str().expect("an id").to_owned();
            seen.push((frame["seq"].as_i64().expect("a number"), id));
        }
    }
    seen
}

#[test]
#[allow(clippy::disallowed_methods, reason = "measures what another process does in real time")]
fn what_arrives_at_one_is_told_at_the_other_and_resumed_at_either() {
    let mut one = Server::start(Engine::Postgres);
    let mut two = one.neighbour();
    let customer = Collector::start(Duration::ZERO);
    open_shop(&one, &customer);

    let mut there = two.admin().live(None);
    there.wait_for("hello");
    // The first mail opens connections and keys on the way; the next shows what is usual.
    deliver(&one, &Mail::new("eerste00x", 0));
    messages(&mut there, 1);
    let start = Instant::now();
    deliver(&one, &Mail::new("tweede00x", 0));
    let told = messages(&mut there, 1);
    let waited = start.elapsed();
    assert!(waited < Duration::from_secs(1), "told after {waited:?}, filing included");

    // The line breaks; what happens meanwhile, at both nodes, is told by the other one.
    drop(there);
    let known = told[0].0;
    deliver(&two, &Mail::new("derde000x", 50_000));
    deliver(&one, &Mail::new("vierde00x", 0));
    wait::until("four cases", LIMIT, || {
        let page = two.admin().get("/conversations?status=all").expect(200);
        (page["items"].as_array().map(Vec::len) == Some(4)).then_some(())
    });
    let mut here = one.admin().live(Some(known));
    let resumed = messages(&mut here, 2);
    assert!(resumed.iter().all(|(seq, _)| *seq > known), "{resumed:?} after {known}");
    assert!(resumed.is_sorted(), "{resumed:?}");
    // And goes on from there, each event once.
    deliver(&two, &Mail::new("vijfde00x", 0));
    let next = messages(&mut here, 1);
    assert!(next[0].0 > resumed[1].0);

    // The large attachment that came in at the one lies in a file, and opens at the other.
    let found = one.admin().post("/search", json!({ "q": "derde000x" })).expect(200);
    let case = found["items"][0]["conversation"]["id"].as_str().expect("it is found");
    let page = one.admin().get(&format!("/conversations/{case}/messages")).expect(200);
    let file = page["items"][0]["attachments"][0]["id"].as_str().expect("an attachment");
    let file = one.admin().exchange(Method::GET, &format!("/api/v1/attachments/{file}"), &[], Vec::new());
    assert!(file.body == Mail::new("derde000x", 50_000).attached().expect("an attachment"));

    drop(here);
    stop_and_be_empty(&mut two);
    stop_and_be_empty(&mut one);
}

#[test]
fn work_of_both_is_done_once() {
    let mut one = Server::start(Engine::Postgres);
    let mut two = one.neighbour();
    let customer = Collector::start(Duration::from_millis(5));
    let account = open_shop(&one, &customer);

    // Mail to both at once; the nodes claim from one table, and file into it at the same time.
    std::thread::scope(|scope| {
        for (node, name) in [(&one, "noord"), (&two, "zuid0")] {
            for lane in 0..3 {
                scope.spawn(move || {
                    let mut line = Lane::connect(node.smtp).expect("it listens");
                    for number in 0..15 {
                        let mail = Mail::new(&format!("{name}{lane}n{number:03}x"), 0);
                        assert_eq!(line.send(&mail, DESK).expect("it runs"), 250);
                    }
                });
            }
        }
    });
    let path = format!("/channel-accounts/{account}/accounting");
    let sum = wait::until("every mail to be filed", LIMIT, || {
        let sum = two.admin().get(&path).expect(200);
        (sum["pending"] == 0).then_some(sum)
    });
    assert_eq!((&sum["received"], &sum["imported"]), (&Value::from(90), &Value::from(90)), "{sum}");

    // Answers through the one are sent by either, once.
    let page = one.admin().get("/conversations?status=all&limit=20").expect(200);
    let cases: Vec<String> = page["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|case| case["id"].as_str().expect("an id").to_owned())
        .collect();
    for (number, case) in cases.iter().enumerate() {
        let reply = json!({ "kind": "reply", "text": format!("regel{number:03}x"), "attachment_ids": [] });
        one.admin().post(&format!("/conversations/{case}/messages"), reply).expect(201);
    }
    let mut states = BTreeMap::new();
    for (number, case) in cases.iter().enumerate() {
        let state = wait::until("a delivery", LIMIT, || {
            let page = two.admin().get(&format!("/conversations/{case}/messages")).expect(200);
            let state = page["items"][1]["deliveries"][0]["state"].as_str().expect("a state").to_owned();
            (state != "queued" && state != "sending").then_some(state)
        });
        *states.entry(state).or_insert(0) += 1;
        assert_eq!(customer.count(&format!("regel{number:03}x")), 1);
    }
    assert_eq!(states, BTreeMap::from([("sent".to_owned(), 20)]));

    // One goes down hard and comes back: it takes over what it held itself, and nothing of the other.
    two.kill();
    deliver(&one, &Mail::new("alleen00x", 0));
    two.boot();
    deliver(&two, &Mail::new("samen000x", 0));
    wait::until("the last two", LIMIT, || {
        let sum = one.admin().get(&path).expect(200);
        (sum["pending"] == 0 && sum["imported"] == 92).then_some(())
    });
    stop_and_be_empty(&mut two);
    stop_and_be_empty(&mut one);
}
