// SPDX-License-Identifier: EUPL-1.2
//! What stalls for one tenant keeps no other waiting: neither what goes out, nor what the house does by itself.

use std::time::Duration;

use belofte_server::api::time::Time;
use belofte_store::Clock;
use serde_json::{Value, json};

use crate::empty::stop_and_be_empty;
use crate::support::client::Client;
use crate::support::inbox::{DESK, account, text, until_listed};
use crate::support::lane::{Lane, Mail};
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::sink::Sink;
use crate::support::wait;

/// Far below the ten minutes for which the house waits for the answer of a server that took a mail.
const SOON: Duration = Duration::from_secs(30);
/// What one tenant alone holds of the places of a node for mail that goes out.
const HALF: usize = 16;
const NEIGHBOURS: &str = "info@buren.example";

/// A customer's mail for `to`, and its conversation.
fn receive(server: &Server, client: &Client, word: &str, to: &str) -> String {
    let mail = Mail::new(word, 0);
    let mut lane = Lane::connect(server.smtp).expect("it listens");
    assert_eq!(lane.send(&mail, to).expect("it runs"), 250);
    text(&until_listed(client, &mail.subject()), "id").to_owned()
}

fn answer(client: &Client, case: &str, words: &str) -> String {
    let reply = json!({ "kind": "reply", "text": words, "attachment_ids": [] });
    text(&client.post(&format!("/conversations/{case}/messages"), reply).expect(201), "id").to_owned()
}

fn until_sent(client: &Client, case: &str, message: &str) {
    wait::until("an answer to be sent", SOON, || {
        let page = client.get(&format!("/conversations/{case}/messages")).expect(200);
        let all = page["items"].as_array().expect("items");
        let own = all.iter().find(|one| one["id"] == *message).expect("the answer");
        (own["deliveries"][0]["state"] == "sent").then_some(())
    });
}

/// Puts a case off for two seconds, and waits until it has come back.
fn put_off(client: &Client, case: &str) {
    let path = format!("/conversations/{case}");
    let until = serde_json::to_value(Time(Clock::System.now() + Duration::from_secs(2))).expect("a time");
    client.patch(&path, json!({ "status": "snoozed", "snoozed_until": until })).expect(200);
    wait::until("a case to come back", SOON, || {
        let case: Value = client.get(&path).expect(200);
        (case["status"] == "open").then_some(())
    });
}

/// Has the first tenant write so many answers, which its server takes and does not answer; gives their case.
fn flood(server: &Server, stalled: &Sink, answers: usize) -> String {
    account(server, Some(stalled.port));
    let case = receive(server, server.admin(), "eerste00x", DESK);
    for number in 0..answers {
        answer(server.admin(), &case, &format!("Antwoord {number}."));
    }
    case
}

/// Another tenant, whose server answers, gets a mail and answers it.
fn neighbours_are_served(server: &Server) -> (Client, String) {
    let quick = Sink::start();
    let admin = server.found_tenant("buren").admin;
    let account = json!({
        "kind": "email", "address": NEIGHBOURS, "from_name": "Buren",
        "submission": { "host": "127.0.0.1", "port": quick.port, "security": "none" },
    });
    admin.post("/channel-accounts", account).expect(201);
    let case = receive(server, &admin, "buren000x", NEIGHBOURS);
    let message = answer(&admin, &case, "Dag buren.");
    until_sent(&admin, &case, &message);
    assert_eq!(quick.handed().len(), 1, "once");
    (admin, case)
}

// A worker that lets one tenant have all places is stuck here: its places are all taken by mail that stalls for ten
// minutes, so that neither the neighbour's answer nor a case that was put off finds one.
on_both_engines!(mail_that_stalls_for_one_tenant_keeps_nobody_else_waiting, |engine| {
    let server = Server::start(engine);
    let stalled = Sink::that_stalls();
    let case = flood(&server, &stalled, 40);
    wait::until("half of the places to be taken", SOON, || (stalled.handed().len() >= HALF).then_some(()));

    // They come when everything that can be taken is taken, and find room.
    let (neighbour, theirs) = neighbours_are_served(&server);
    // What waits for nobody outside runs beside it, for the one that floods as well.
    put_off(&neighbour, &theirs);
    put_off(server.admin(), &case);
    assert_eq!(stalled.handed().len(), HALF, "no more than half, and none of them was answered yet");

    stalled.let_go();
    wait::until("all of it", SOON, || (stalled.handed().len() == 40).then_some(()));
});

// Each node decides by itself, and each keeps places for others: so does the house.
#[test]
fn two_nodes_are_not_filled_by_one_tenant() {
    let mut one = Server::start(Engine::Postgres);
    let mut two = one.neighbour();
    let stalled = Sink::that_stalls();
    flood(&one, &stalled, 48);
    wait::until("half of the places of both", SOON, || (stalled.handed().len() >= 2 * HALF).then_some(()));
    neighbours_are_served(&two);
    assert_eq!(stalled.handed().len(), 2 * HALF, "no more than half, and none of them was answered yet");
    stalled.let_go();
    wait::until("all of it", SOON, || (stalled.handed().len() == 48).then_some(()));
    stop_and_be_empty(&mut two);
    stop_and_be_empty(&mut one);
}
