// SPDX-License-Identifier: EUPL-1.2
//! Reports of mail systems: an answer that our own mail server took, and that comes back or waits, is
//! shown as such. The reports are Postfix's own; those of answers of which nobody knew whether they went
//! out are written here.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::inbox::{DESK, account, receive, text};
use crate::support::post::post;
use crate::support::postfix::{Options, Postfix, Route};
use crate::support::refusing::server_that_says;
use crate::support::server::{Server, on_both_engines};
use crate::support::sink::Sink;
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

fn answered(server: &Server, subject: &str) -> String {
    let case = receive(server, "Sam <sam+x@klant.example>", subject, "Kan dit?", &[]);
    let id = text(&case, "id").to_owned();
    let reply = json!({ "kind": "reply", "text": "Ja.", "attachment_ids": [] });
    server.admin().post(&format!("/conversations/{id}/messages"), reply).expect(201);
    id
}

on_both_engines!(an_answer_that_comes_back_is_shown_as_failed_and_can_be_sent_again, |engine| {
    let server = Server::start(engine);
    let Some(postfix) = world(&server, "550 5.1.1 No such mailbox", "") else { return };
    let mut live = server.admin().live(None);
    let case = answered(&server, "Vraag");
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
    let case = answered(&server, "Vraag");
    let admin = server.admin();
    let delayed = until(admin, &case, "the report of delay", |one| one["code"] == "delayed");
    assert_eq!(delayed["state"], "sent", "{delayed}");
    assert!(text(&delayed, "remote_reply").contains("451 4.3.0 Come back"), "{delayed}");
    assert_eq!(admin.get(&format!("/conversations/{case}")).expect(200)["delivery_problem"], false);
});

/// A report in the form of RFC 3464 that this was done with the mail `about` for Sam.
fn report(server: &Server, about: &str, action: &str, status: &str) {
    let mail = format!(
        "From: MAILER-DAEMON@post.example\nTo: {DESK}\nSubject: Bericht: {action}\n\
         Message-ID: <{action}@post.example>\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nZie hieronder.\n--b\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; post.example\n\n\
         Final-Recipient: rfc822; sam+x@klant.example\nAction: {action}\nStatus: {status}\n\
         Diagnostic-Code: smtp; {status} So it was\n\n--b\n\
         Content-Type: text/rfc822-headers\n\nMessage-ID: {about}\nSubject: Re: Vraag\n\n--b--\n"
    );
    let told = post(server.smtp, "", DESK, mail.as_bytes());
    assert!(told.starts_with("250"), "{told}");
}

on_both_engines!(a_report_settles_what_nobody_knew_and_nothing_is_sent_again, |engine| {
    let (server, sink) = (Server::start(engine), Sink::that_breaks_off());
    account(&server, Some(sink.port));
    let admin = server.admin();
    let cases = [
        ("failed", "5.1.1", "failed", json!("unknown_recipient")),
        // Who reports on it has it.
        ("delayed", "4.3.0", "sent", json!("delayed")),
        ("delivered", "2.0.0", "sent", Value::Null),
    ];
    let mut settled = Vec::new();
    for (number, (action, status, state, code)) in cases.into_iter().enumerate() {
        let case = answered(&server, &format!("Vraag {number}"));
        let path = format!("/conversations/{case}");
        until(admin, &case, "nobody to know", |one| one["state"] == "unknown");
        let handed = sink.handed();
        assert_eq!(handed.len(), number + 1);
        let fields = handed[number].header();
        let about =
            fields.iter().find_map(|field| field.strip_prefix("Message-ID: ")).expect("an identifier");
        report(&server, about, action, status);
        until(admin, &case, action, |one| one["state"] == state && one["code"] == code);
        let all = messages(admin, &case);
        let kinds: Vec<_> = all.iter().map(|message| text(message, "kind")).collect();
        assert_eq!(kinds, ["incoming", "reply", "automatic"], "{action}");
        assert_eq!(admin.get(&path).expect(200)["delivery_problem"], state == "failed", "{action}");
        settled.push((case, state));
    }
    // Time enough for another try, were there one.
    wait::pause(Duration::from_secs(2));
    assert_eq!(sink.handed().len(), 3, "each once");
    for (case, state) in settled {
        let all = messages(admin, &case);
        let reply = all.iter().find(|message| message["kind"] == "reply").expect("the answer");
        assert_eq!(reply["deliveries"][0]["state"], state);
    }
});
