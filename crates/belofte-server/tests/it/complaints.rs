// SPDX-License-Identifier: EUPL-1.2
//! Complaints (RFC 5965): that a recipient takes an answer for spam is shown at that answer, and nobody makes it up.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::inbox::{DESK, account, receive, text, until_listed};
use crate::support::server::{Server, on_both_engines};
use crate::support::sink::Sink;
use crate::support::swaks::swaks;
use crate::support::wait;

const LIMIT: Duration = Duration::from_secs(20);

/// A provider's report about the mail with this identifier, in which it names a recipient or not.
fn complain(server: &Server, subject: &str, about: &str, recipient: &str) {
    let named =
        if recipient.is_empty() { String::new() } else { format!("Original-Rcpt-To: <{recipient}>\r\n") };
    let mail = format!(
        "From: Feedback <fbl@provider.example>\r\nTo: {DESK}\r\nSubject: {subject}\r\n\
         Message-ID: <{subject}@provider.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=grens\r\n\r\n\
         --grens\r\nContent-Type: text/plain\r\n\r\nA user of ours marked this mail as spam.\r\n\
         --grens\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\
         User-Agent: Provider-FBL/1.0\r\nVersion: 1\r\n{named}\r\n\
         --grens\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {about}\r\nSubject: Re: Vraag\r\n\
         --grens--\r\n.\r\n"
    );
    let file = server.scratch().join(format!("{subject}.eml"));
    std::fs::write(&file, mail).expect("our own folder");
    let data = format!("@{}", file.display());
    let sent = swaks(
        server.smtp,
        &["--from", "fbl@provider.example", "--to", DESK, "--data", &data, "--no-data-fixup"],
    );
    assert!(sent.ok, "{}", sent.transcript);
}

fn messages(server: &Server, case: &str) -> Vec<Value> {
    let page = server.admin().get(&format!("/conversations/{case}/messages")).expect(200);
    page["items"].as_array().expect("items").clone()
}

fn kinds(server: &Server, case: &str) -> Vec<String> {
    messages(server, case).iter().map(|message| text(message, "kind").to_owned()).collect()
}

/// Which recipients of the answer in this case have complained.
fn complained(server: &Server, case: &str) -> Vec<String> {
    let all = messages(server, case);
    let reply = all.iter().find(|message| message["kind"] == "reply").expect("the answer");
    let of = reply["deliveries"].as_array().expect("deliveries").iter();
    let of = of.filter(|delivery| delivery["complained_at"].is_string());
    of.map(|delivery| text(&delivery["recipient"], "address").to_owned()).collect()
}

/// An answer to these people; its case, and its identifier as they see it.
fn answered(server: &Server, sink: &Sink, subject: &str, to: &[&str]) -> (String, String) {
    let case = receive(server, "Sam <sam@klant.example>", subject, "Kan dit?", &[]);
    let id = text(&case, "id").to_owned();
    let reply = json!({ "kind": "reply", "text": "Ja.", "to": to, "attachment_ids": [] });
    server.admin().post(&format!("/conversations/{id}/messages"), reply).expect(201);
    let mail = wait::until("the answer", LIMIT, || {
        sink.handed().into_iter().find(|mail| mail.data.contains(&format!("Subject: Re: {subject}")))
    });
    let named =
        mail.header().into_iter().find_map(|line| line.strip_prefix("Message-ID: ").map(str::to_owned));
    wait::until("it to be sent", LIMIT, || {
        let all = messages(server, &id);
        let reply = all.iter().find(|message| message["kind"] == "reply")?;
        let all = reply["deliveries"].as_array()?.iter().all(|delivery| delivery["state"] == "sent");
        all.then_some(())
    });
    (id, named.expect("an identifier"))
}

on_both_engines!(a_complaint_stands_at_the_answer_that_it_is_about, |engine| {
    let (server, sink) = (Server::start(engine), Sink::start());
    account(&server, Some(sink.port));
    let (case, about) = answered(&server, &sink, "Vraag", &["sam@klant.example"]);
    let path = format!("/conversations/{case}");
    let before = server.admin().get(&path).expect(200);
    // The provider does not say whose it is; there is one.
    complain(&server, "klacht-1", &about, "");
    wait::until("the complaint", LIMIT, || {
        (complained(&server, &case) == ["sam@klant.example"]).then_some(())
    });
    assert_eq!(kinds(&server, &case), ["incoming", "reply", "automatic"]);
    let after = server.admin().get(&path).expect(200);
    assert_eq!(after["status"], before["status"], "a machine opens nothing");
    // A second one changes nothing, and stands there too.
    complain(&server, "klacht-2", &about, "sam@klant.example");
    wait::until("the second one", LIMIT, || (kinds(&server, &case).len() == 4).then_some(()));
    let activity = server.admin().get(&format!("{path}/activity")).expect(200);
    let told: Vec<_> = activity["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter(|one| one["kind"] == "delivery")
        .map(|one| (one["to"].clone(), one["actor"]["kind"].clone()))
        .collect();
    assert_eq!(told, [(json!("complained"), json!("system"))]);
    // Nobody was written to by a machine.
    assert_eq!(sink.handed().len(), 1);
});

on_both_engines!(a_complaint_that_does_not_know_our_mail_changes_nothing, |engine| {
    let (server, sink) = (Server::start(engine), Sink::start());
    account(&server, Some(sink.port));
    let (case, about) = answered(&server, &sink, "Vraag", &["sam@klant.example", "els@klant.example"]);
    let guessed = format!("<{}@winkel.example>", "0".repeat(32));
    complain(&server, "verzonnen", &guessed, "sam@klant.example");
    until_listed(server.admin(), "verzonnen");
    // It knows our mail, and not who got it; and one names somebody who never did.
    for (count, (subject, named)) in
        [("van-niemand", ""), ("van-een-ander", "piet@elders.example")].into_iter().enumerate()
    {
        complain(&server, subject, &about, named);
        wait::until(subject, LIMIT, || (kinds(&server, &case).len() == 3 + count).then_some(()));
        assert!(complained(&server, &case).is_empty(), "{subject}");
    }
    complain(&server, "van-els", &about, "Els@klant.example");
    wait::until("the one that is right", LIMIT, || {
        (complained(&server, &case) == ["els@klant.example"]).then_some(())
    });
    // Another account of the same tenant did not send it.
    let other = json!({ "kind": "email", "address": "balie@winkel.example", "from_name": "Balie" });
    server.admin().post("/channel-accounts", other).expect(201);
    assert_eq!(complained(&server, &case).len(), 1);
});
