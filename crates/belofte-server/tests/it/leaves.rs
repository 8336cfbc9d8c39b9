// SPDX-License-Identifier: EUPL-1.2
//! What each operation of openapi.json leaves in the ledger: the columns `leaf` and `view` of the
//! table of the stranger, asked one by one.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::stranger::{Body, Caller, Leaves, id, soon, table, world};
use crate::support::client::Client;
use crate::support::server::{PASSWORD, on_both_engines};
use crate::support::wait;

/// What one call left behind: the numbers of the leaves that were written meanwhile, and who called.
struct Call {
    name: String,
    leaves: std::ops::Range<u64>,
    actor: String,
    left: Leaves,
}

fn size(owner: &Client) -> u64 {
    owner.get("/ledger?limit=1").expect(200)["size"].as_u64().expect("a size")
}

on_both_engines!(what_shows_content_leaves_a_view_and_a_change_of_settings_an_instruction, |engine| {
    let world = world(engine);
    world.server.leaves("deliver");
    let owner = world.server.admin();
    let mut calls = Vec::new();
    // Each operation is called by somebody of their own, so that no view stands in for another; what
    // programs may call is called by a program of its own as well.
    for (number, (operation, (row, left))) in table().into_iter().enumerate() {
        let (method, template) = operation.split_once(' ').expect("a method");
        if template.starts_with("/operator") {
            continue;
        }
        let email = format!("ieder{number}@winkel.example");
        let client = world.server.invite(owner, json!({ "role": "admin", "privacy_officer": true }), &email);
        let own = client.get("/session").expect(200)["user"]["id"].as_str().expect("an id").to_owned();
        let caller = |column, cookies, key, email| {
            let name = format!("{operation} by {column}");
            Caller { column, name, cookies, key, email }
        };
        let mut callers = vec![(own, caller("owner", client.cookie_header(), None, Some(email.clone())))];
        if row["write"] < 300 && row["nobody"] >= 300 {
            let wanted = json!({ "name": operation, "scope": "write", "expires_at": soon() });
            let made = owner.post("/api-keys", wanted).expect(201);
            let key = made["key"].as_str().expect("a key").to_owned();
            callers.push((id(&made), caller("write", None, Some(key), None)));
        }
        for (actor, caller) in callers {
            let (mut path, mut body) = world.request(&operation, &caller);
            match operation.as_str() {
                // A change, of a role that nobody here has.
                "PATCH /second-factor-rule" => body = Body::Json(json!({ "supervisor": true })),
                "POST /session/second-factor" | "POST /session/second-factor/confirm" => {
                    let step = world.asked(owner, "supervisor");
                    body = world.set_up(&step, operation.ends_with("confirm"));
                }
                // As themselves.
                "POST /session" => body = Body::Json(json!({ "email": email, "password": PASSWORD })),
                "DELETE /sessions/{id}" => {
                    world.server.sign_in(&email);
                    let all = client.get("/sessions").expect(200)["items"].as_array().cloned();
                    let all = all.expect("items");
                    path = format!(
                        "/sessions/{}",
                        id(all.iter().find(|one| one["current"] != true).expect("one"))
                    );
                }
                _ => {}
            }
            let before = size(owner);
            let response = world.call(&caller.client(&world.server), method, &path, &body);
            let told = String::from_utf8_lossy(&response.body).into_owned();
            assert_eq!(response.status.as_u16(), row[caller.column], "{}: {told}", caller.name);
            calls.push(Call { name: caller.name, leaves: before..size(owner), actor, left: left.clone() });
        }
    }
    // Views are committed a second later at the latest; what is missing then stays missing.
    wait::pause(Duration::from_millis(2_500));
    let entries = world.server.entries();
    let views: Vec<&Value> =
        entries.iter().filter_map(|entry| entry["detail"]["views"].as_array()).flatten().collect();
    let mut wrong = Vec::new();
    for call in &calls {
        let meanwhile = |entry: &&Value| {
            entry["no"].as_u64().is_some_and(|no| call.leaves.contains(&no)) && entry["kind"] != "views"
        };
        let mut leaves: Vec<&str> =
            entries.iter().filter(meanwhile).filter_map(|entry| entry["kind"].as_str()).collect();
        leaves.sort_unstable();
        if leaves != call.left.leaf.iter().copied().collect::<Vec<_>>() {
            wrong.push(format!("{} leaves {leaves:?} instead of {:?}", call.name, call.left.leaf));
        }
        // An instruction tells what was there before and what is there now.
        for entry in entries.iter().filter(meanwhile).filter(|entry| entry["kind"] == "instruction") {
            let detail = entry["detail"].as_object().expect("a detail");
            let told = ["what", "act", "before", "after"].iter().all(|name| detail.contains_key(*name));
            if !told || (detail["before"].is_null() && detail["after"].is_null()) {
                wrong.push(format!("{} tells {detail:?}", call.name));
            }
        }
        let shown: BTreeSet<&str> = views
            .iter()
            .filter(|view| view["actor"]["id"] == *call.actor)
            .filter_map(|view| view["view"].as_str())
            .collect();
        if shown != call.left.view {
            wrong.push(format!("{} leaves views {shown:?} instead of {:?}", call.name, call.left.view));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
});
