// SPDX-License-Identifier: EUPL-1.2
//! Reports of mail systems: an answer that our own mail server took, and that comes back or waits, is
//! shown as such. The reports are Postfix's own.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::inbox::{account, receive, text};
use crate::support::postfix::{Options, Postfix, Route};
use crate::support::refusing::server_that_says;
use crate::support::server::{Server, on_both_engines};
use crate::support::wait;

const LIMIT: Duration = Duration::from_secs(40);

fn messages(client: &Client, case: &str) -> Vec<Value> {
    let page = client.get(&format!("/conversations/{case}/messages")).expect(200);
    page["items"].as_array().expect("items").clone()
}

fn until(client: &Client, case: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    wait::until(what, LIMIT, || {
        let all = messages(client, case);
        all.iter()
            .find(|message| message["kind"] == "reply")
            .map(|reply| reply["deliveries"][0].clone())
            .filter(&holds)
    })
}

/// A server whose submission is a Postfix that gives the customers' mail to a server which says
/// `words` to every recipient, and its reports back to us.
fn world(server: &Server, words: &'static str, more: &str) -> Option<Postfix> {
    let routes = [
        ("klant.example", Route::Smtp(server_that_says(words))),
        ("winkel.example", Route::Smtp(server.smtp)),
    ];
    let postfix = Postfix::start(&Options { routes: &routes, more, ..Options::default() })?;
    account(server, Some(postfix.smtp));
    Some(postfix)
}

fn answered(server: &Server) -> String {
    let case = receive(server, "Sam <sam+x@klant.example>", "Vraag", "Kan dit?", &[]);
    let id = text(&case, "id").to_owned();
    let reply = json!({ "kind": "reply", "text": "Ja.", "attachment_ids": [] });
    server.admin().post(&format!("/conversations/{id}/messages"), reply).expect(201);
    id
}

on_both_engines!(an_answer_that_comes_back_is_shown_as_failed_and_can_be_sent_again, |engine| {
    let server = Server::start(engine);
    let Some(postfix) = world(&server, "550 5.1.1 No such mailbox", "") else { return };
    let mut live = server.admin().live(None);
    let case = answered(&server);
    let path = format!("/conversations/{case}");
    let admin = server.admin();
    let failed = until(admin, &case, "the answer to come back", |one| one["state"] == "failed");
    assert_eq!(failed["code"], "unknown_recipient", "{failed}");
    assert!(text(&failed, "remote_reply").contains("550 5.1.1 No such mailbox"), "{failed}");
    wait::until("the desk to be told", LIMIT, || {
        let told = live.wait_for("delivery_changed");
        let seen = admin.get(&path).expect(200)["delivery_problem"] == true;
        (seen && told["conversation_id"] == case.as_str()).then_some(())
    });

    // The report stands in the case, is answered by nobody, and changes no status.
    let all = messages(admin, &case);
    let kinds: Vec<_> = all.iter().map(|message| text(message, "kind")).collect();
    assert_eq!(kinds, ["incoming", "reply", "automatic"], "{}", postfix.log());
    assert_eq!(admin.get(&path).expect(200)["status"], "waiting");
    let activity = admin.get(&format!("{path}/activity")).expect(200);
    let told = |activity: &Value| {
        let all = activity["items"].as_array().expect("items").clone();
        all.into_iter().filter(|one| one["kind"] == "delivery").collect::<Vec<_>>()
    };
    let about = told(&activity);
    assert_eq!(
        (about.len(), &about[0]["to"], &about[0]["actor"]["kind"]),
        (1, &json!("failed"), &json!("system"))
    );
    let log = postfix.log();
    assert!(log.contains("sender non-delivery notification"), "{log}");

    // Sent again by a person, it comes back again: that report is another one.
    let reply = text(&all[1], "id");
    admin.post(&format!("/messages/{reply}/retry"), json!({})).expect(200);
    wait::until("the second report", LIMIT, || (messages(admin, &case).len() == 4).then_some(()));
    let again = until(admin, &case, "the second failure", |one| one["state"] == "failed");
    assert_ne!(again["updated_at"], failed["updated_at"]);
    assert_eq!(told(&admin.get(&format!("{path}/activity")).expect(200)).len(), 2);
});

on_both_engines!(an_answer_that_waits_on_its_way_is_shown_as_delayed, |engine| {
    let server = Server::start(engine);
    let more = "delay_warning_time = 1s\n";
    let Some(_postfix) = world(&server, "451 4.3.0 Come back", more) else { return };
    let case = answered(&server);
    let admin = server.admin();
    let delayed = until(admin, &case, "the report of delay", |one| one["code"] == "delayed");
    assert_eq!(delayed["state"], "sent", "{delayed}");
    assert!(text(&delayed, "remote_reply").contains("451 4.3.0 Come back"), "{delayed}");
    assert_eq!(admin.get(&format!("/conversations/{case}")).expect(200)["delivery_problem"], false);
});
