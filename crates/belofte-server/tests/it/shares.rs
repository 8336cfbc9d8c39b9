// SPDX-License-Identifier: EUPL-1.2
//! What each signed-in caller and each tenant may ask in a time: who asks more is told to wait, and
//! everybody else goes on.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::client::{Client, Response};
use crate::support::server::{Server, on_both_engines};

const BOUNDS: &str = "[limits]\nrequests_per_caller = 60\nsearches_per_caller = 5\nsearches_per_tenant = 12\n\
                      uploads_per_caller = 2\nexports_per_caller = 1\n";

fn search(client: &Client) -> Response {
    client.post("/search", json!({ "q": "ketel" }))
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers.get(name).unwrap_or_else(|| panic!("{name} is there")).to_str().expect("text")
}

/// A refusal says when to come again, in the header, in the problem and in words.
#[track_caller]
fn refused(response: &Response) -> Value {
    let problem = response.problem(429, "too_many_requests");
    let wait = header(response, "retry-after");
    assert_eq!(problem["retry_after_s"].to_string(), wait);
    assert!(wait.parse::<u64>().is_ok_and(|seconds| (1..=3_600).contains(&seconds)), "{wait}");
    assert!(problem["detail"].as_str().expect("words").contains(&format!(" {wait} ")), "{problem}");
    problem
}

on_both_engines!(who_asks_more_than_their_share_waits_and_others_do_not, |engine| {
    let server = Server::start_with(engine, BOUNDS);
    let (agent, other) = (server.join("agent"), server.join("agent"));
    let neighbour = server.found_tenant("buren").admin;

    let first = search(&agent);
    first.expect(200);
    assert_eq!(header(&first, "ratelimit-policy"), "\"requests\";q=60;w=60, \"searches\";q=5;w=60");
    assert_eq!(header(&first, "ratelimit").split(", ").nth(1), Some("\"searches\";r=4;t=12"));
    (0..4).for_each(|_| drop(search(&agent).expect(200)));
    let problem = refused(&search(&agent));
    assert_eq!(problem["title"], "Too many requests");
    agent.patch("/me", json!({ "language": "nl" })).expect(200);
    let told = search(&agent);
    assert_eq!(refused(&told)["title"], "Te veel verzoeken");
    assert_eq!(header(&told, "content-language"), "nl");
    agent.get("/conversations").expect(200);

    // A colleague has a share of their own, until the tenant's is used up; another tenant has its own.
    (0..5).for_each(|_| drop(search(&other).expect(200)));
    (0..2).for_each(|_| drop(search(server.admin()).expect(200)));
    refused(&search(server.admin()));
    let month =
        Command::new("date").args(["-u", "-d", "30 days", "+%Y-%m-%dT%H:%M:%SZ"]).output().expect("date");
    let month = String::from_utf8(month.stdout).expect("text");
    let key = neighbour
        .post("/api-keys", json!({ "name": "Kassa", "scope": "read", "expires_at": month.trim() }))
        .expect(201);
    let program = neighbour.with_key(key["key"].as_str().expect("a key"));
    for caller in [&neighbour, &program] {
        (0..5).for_each(|_| drop(search(caller).expect(200)));
        refused(&search(caller));
    }

    let upload = || other.upload("/attachments", "a.txt", "text/plain", b"A");
    (0..2).for_each(|_| drop(upload().expect(201)));
    refused(&upload());
    assert_eq!(server.admin().post_nothing("/ledger/export").status, 200);
    refused(&server.admin().post_nothing("/ledger/export"));

    // Whatever it is, it is a request.
    let asked = (0..61).take_while(|_| other.get("/session").status == 200).count();
    assert!(asked < 60, "{asked}");
    refused(&other.get("/session"));
    agent.get("/session").expect(200);
});
