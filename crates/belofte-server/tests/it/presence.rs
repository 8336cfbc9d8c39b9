// SPDX-License-Identifier: EUPL-1.2
//! Who is where, over the live line: ids alone, for who may see the case, until the line drops.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::{Client, Socket};
use crate::support::inbox::{account, receive};
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::wait;

const SOON: Duration = Duration::from_secs(10);

fn line(client: &Client) -> Socket {
    let mut socket = client.live(None);
    assert_eq!(socket.next(SOON).expect("hello")["kind"], "hello");
    socket
}

fn here(socket: &mut Socket, conversation: &Value, state: &str, take: bool) {
    let here = json!({ "here": { "conversation_id": conversation, "state": state, "take": take } });
    socket.say(&here.to_string());
}

fn me(client: &Client) -> Value {
    client.get("/session").expect(200)["user"]["id"].clone()
}

/// Waits until this is what holds.
fn until(socket: &mut Socket, people: &Value, writer: Option<&Value>) -> Value {
    loop {
        let frame = socket.wait_for("presence");
        if frame["people"] == *people && frame.get("writer_id") == writer {
            return frame;
        }
    }
}

/// `people` as a frame has them: in the order of ids.
fn people(all: &[(&Value, &str)]) -> Value {
    let mut all: Vec<_> =
        all.iter().map(|(user, state)| json!({ "user_id": user, "state": state })).collect();
    all.sort_by_key(|one| one["user_id"].as_str().unwrap_or_default().to_owned());
    Value::from(all)
}

on_both_engines!(colleagues_see_who_reads_and_who_writes_until_the_line_drops, |engine| {
    let server = Server::start(engine);
    let other = server.found_tenant("bakker");
    account(&server, None);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (sanne, daan) = (server.join("agent"), server.join("agent"));
    let [s, d] = [&sanne, &daan].map(me);
    let (mut of_sanne, mut of_daan, mut strange) = (line(&sanne), line(&daan), line(&other.admin));
    let case = &row["id"];
    here(&mut of_sanne, case, "viewing", false);
    let frame = until(&mut of_daan, &people(&[(&s, "viewing")]), None);
    assert_eq!(frame.as_object().map(|fields| fields.len()), Some(3), "ids alone: {frame}");
    assert_eq!(frame["conversation_id"], *case);
    here(&mut of_daan, case, "away", false);
    until(&mut of_sanne, &people(&[(&s, "viewing"), (&d, "away")]), None);

    // Whoever began first writes; it can be taken over, and goes back when the other stops.
    here(&mut of_sanne, case, "writing", false);
    until(&mut of_daan, &people(&[(&s, "writing"), (&d, "away")]), Some(&s));
    here(&mut of_daan, case, "writing", false);
    let both = people(&[(&s, "writing"), (&d, "writing")]);
    until(&mut of_daan, &both, Some(&s));
    here(&mut of_daan, case, "writing", true);
    until(&mut of_sanne, &both, Some(&d));
    // Said again as browsers do, it stays Daan's.
    here(&mut of_daan, case, "writing", false);
    here(&mut of_sanne, case, "writing", false);
    here(&mut of_sanne, case, "viewing", false);
    until(&mut of_daan, &people(&[(&s, "viewing"), (&d, "writing")]), Some(&d));

    // Another browser of the same user is the same person; who comes later is told how it is.
    let mut second = line(&sanne);
    until(&mut second, &people(&[(&s, "viewing"), (&d, "writing")]), Some(&d));
    here(&mut second, case, "away", false);
    drop(of_sanne);
    until(&mut of_daan, &people(&[(&s, "away"), (&d, "writing")]), Some(&d));
    drop(second);
    until(&mut of_daan, &people(&[(&d, "writing")]), Some(&d));

    // Another tenant names the case in vain, and hears nothing of it.
    here(&mut strange, case, "writing", true);
    here(&mut of_daan, &Value::Null, "away", false);
    until(&mut of_daan, &json!([]), None);
    assert!(strange.next(Duration::from_millis(700)).is_none(), "not a word");
    assert!(of_daan.next(Duration::from_millis(300)).is_none(), "a stranger is nowhere");
});

on_both_engines!(who_says_too_much_is_not_heard_for_a_while, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (sanne, daan) = (server.join("agent"), server.join("agent"));
    let (mut of_sanne, mut of_daan) = (line(&sanne), line(&daan));
    // Quicker than a person, and slow enough that each word is looked at.
    for _ in 0..40 {
        here(&mut of_sanne, &row["id"], "writing", false);
        wait::pause(Duration::from_millis(25));
        here(&mut of_sanne, &row["id"], "viewing", false);
        wait::pause(Duration::from_millis(25));
    }
    let mut heard = 0;
    while of_daan.next(Duration::from_millis(500)).is_some() {
        heard += 1;
    }
    assert!((1..=60).contains(&heard), "{heard} of 80 came through");
});

#[test]
fn nodes_tell_each_other_who_is_where() {
    let one = Server::start(Engine::Postgres);
    let two = one.neighbour();
    account(&one, None);
    let row = receive(&one, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (sanne, daan) = (one.join("agent"), one.join("agent"));
    let [s, d] = [&sanne, &daan].map(me);
    let mut here_one = line(&sanne);
    let mut there = line(&daan.at(two.https));
    here(&mut here_one, &row["id"], "writing", false);
    until(&mut there, &people(&[(&s, "writing")]), Some(&s));
    here(&mut there, &row["id"], "writing", true);
    until(&mut here_one, &people(&[(&s, "writing"), (&d, "writing")]), Some(&d));
    drop(there);
    until(&mut here_one, &people(&[(&s, "writing")]), Some(&s));
}
