// SPDX-License-Identifier: EUPL-1.2
//! From a mail to an answer: a customer's mail comes in over SMTP, an agent answers it, the
//! customer's mail server delivers the answer, and the customer answers again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::browser::browser;
use crate::support::dovecot::Dovecot;
use crate::support::postfix::{Options, Postfix, Route};
use crate::support::server::{Server, on_both_engines};
use crate::support::swaks::swaks;
use crate::support::wait;

const JAN: (&str, &str) = ("jan@klant.example", "kaas met mosterd");
const DESK: (&str, &str) = ("info@winkel.example", "geheim van de zaak");

/// The world around a server: the customers' mail server and the tenant's own submission.
struct World {
    dovecot: Dovecot,
    postfix: Postfix,
    server: Server,
}

fn world(engine: crate::support::server::Engine) -> Option<World> {
    let dovecot = Dovecot::start(&[JAN, DESK]);
    let routes = [("klant.example", Route::Lmtp(dovecot.lmtp))];
    let options = Options { routes: &routes, auth: Some(dovecot.auth), ..Options::default() };
    let postfix = Postfix::start(&options)?;
    let trusted = format!(
        "[outbound]\nallow_private = [\"127.0.0.0/8\"]\nroot_certs_file = {:?}\n",
        postfix.certificate.authority
    );
    let server = Server::start_with(engine, &trusted);
    let account = json!({
        "kind": "email", "address": DESK.0, "from_name": "Winkel Klantenservice",
        "submission": {
            "host": "localhost", "port": postfix.smtp, "security": "starttls",
            "username": DESK.0, "password": DESK.1,
        },
    });
    server.admin().post("/channel-accounts", account).expect(201);
    Some(World { dovecot, postfix, server })
}

fn send(server: &Server, subject: &str, body: &str, message_id: &str) {
    let (subject, message_id) = (format!("Subject: {subject}"), format!("Message-Id: <{message_id}>"));
    let sent = swaks(
        server.smtp,
        &[
            "--from",
            JAN.0,
            "--to",
            DESK.0,
            "--h-From",
            "Jan Jansen <jan@klant.example>",
            "--header",
            &subject,
            "--header",
            &message_id,
            "--body",
            body,
            "--tls",
        ],
    );
    assert!(sent.ok && sent.transcript.contains("TLS started"), "{}", sent.transcript);
}

fn until_conversations(server: &Server, count: usize) -> Vec<Value> {
    wait::until(&format!("{count} conversations"), Duration::from_secs(20), || {
        let page = server.admin().get("/conversations?status=all").expect(200);
        let items = page["items"].as_array().expect("items").clone();
        (items.len() >= count).then_some(items)
    })
}

fn until_state(server: &Server, conversation: &str, state: &str) -> Value {
    wait::until(&format!("a delivery that is {state}"), Duration::from_secs(20), || {
        let page = server.admin().get(&format!("/conversations/{conversation}/messages")).expect(200);
        let messages = page["items"].as_array().expect("items").clone();
        messages.into_iter().find(|message| message["deliveries"][0]["state"] == state)
    })
}

on_both_engines!(a_mail_is_answered_and_the_customer_answers_again, |engine| {
    let Some(World { dovecot, postfix, server }) = world(engine) else { return };
    send(&server, "Vraag over factuur 2041", "De factuur klopt niet.", "vraag-1@klant.example");
    let inbox = until_conversations(&server, 1);
    let case = &inbox[0];
    assert_eq!(case["subject"], "Vraag over factuur 2041");
    assert_eq!(case["contact"]["name"], "Jan Jansen");
    assert_eq!(case["status"], "open");
    let id = case["id"].as_str().expect("an id");

    let agent = server.join("agent");
    let reply = json!({ "kind": "reply", "text": "Dank u, wij kijken het na.", "attachment_ids": [] });
    agent.post(&format!("/conversations/{id}/messages"), reply).expect(201);
    until_state(&server, id, "sent");
    let mails = dovecot.wait_for_mails(JAN.0, 1);
    assert!(mails[0].contains("In-Reply-To: <vraag-1@klant.example>"), "{}", mails[0]);
    assert!(mails[0].contains("Dank u, wij kijken het na."), "{}", mails[0]);
    assert!(postfix.log().contains("sasl_username=info@winkel.example"), "with the tenant's password");

    // The customer's program answers to Reply-To and names the mail that it answers.
    let angles = |field: &str| {
        let start = mails[0].find(&format!("\n{field}: ")).expect("the field");
        mails[0][start..].split(['<', '>']).nth(1).expect("an address").to_owned()
    };
    let reply_to = angles("Reply-To");
    assert!(reply_to.starts_with("info+r."), "{reply_to}");
    let in_reply_to = format!("In-Reply-To: <{}>", angles("Message-ID"));
    let sent = swaks(
        server.smtp,
        &[
            "--from",
            JAN.0,
            "--to",
            &reply_to,
            "--header",
            "Subject: Re: dank",
            "--header",
            &in_reply_to,
            "--body",
            "Top!",
        ],
    );
    assert!(sent.ok, "{}", sent.transcript);
    wait::until("the customer's answer", Duration::from_secs(20), || {
        let case = agent.get(&format!("/conversations/{id}")).expect(200);
        (case["message_count"] == 3 && case["status"] == "open").then_some(())
    });
    assert_eq!(until_conversations(&server, 1).len(), 1, "it is the same case");

    let found = agent.post("/search", json!({ "q": "factuur klopt" })).expect(200);
    assert_eq!(found["items"][0]["conversation"]["id"], *id);
    let accounts = server.admin().get("/channel-accounts").expect(200);
    let account = accounts["items"][0]["id"].as_str().expect("an id").to_owned();
    let sum = server.admin().get(&format!("/channel-accounts/{account}/accounting")).expect(200);
    assert_eq!((sum["received"].as_i64(), sum["imported"].as_i64()), (Some(2), Some(2)));
});

on_both_engines!(a_refused_answer_is_shown_and_can_be_tried_again, |engine| {
    let Some(World { dovecot, postfix, server }) = world(engine) else { return };
    // It is tried again long after the end of the test.
    server.leaves("deliver");
    send(&server, "Vraag", "Hallo", "vraag-2@klant.example");
    let inbox = until_conversations(&server, 1);
    let id = inbox[0]["id"].as_str().expect("an id").to_owned();
    let accounts = server.admin().get("/channel-accounts").expect(200);
    let account = accounts["items"][0]["id"].as_str().expect("an id").to_owned();
    let submission = |password: &str| {
        json!({ "submission": {
            "host": "localhost", "port": postfix.smtp, "security": "starttls",
            "username": DESK.0, "password": password,
        } })
    };
    server.admin().patch(&format!("/channel-accounts/{account}"), submission("fout")).expect(200);
    let reply = json!({ "kind": "reply", "text": "Antwoord", "attachment_ids": [] });
    let sent = server.admin().post(&format!("/conversations/{id}/messages"), reply).expect(201);
    let message = sent["id"].as_str().expect("an id").to_owned();
    let waiting = wait::until("the refusal", Duration::from_secs(20), || {
        let page = server.admin().get(&format!("/conversations/{id}/messages")).expect(200);
        let all = page["items"].as_array().expect("items").clone();
        let own = all.into_iter().find(|known| known["id"] == *message)?;
        (own["deliveries"][0]["code"] == "authentication_failed").then_some(own)
    });
    assert_eq!(waiting["deliveries"][0]["state"], "queued", "tried again by itself: {waiting}");
    assert!(waiting["deliveries"][0]["next_try_at"].is_string());
    assert!(dovecot.mails(JAN.0).is_empty());
});

on_both_engines!(an_agent_answers_in_the_browser, |engine| {
    let Some(World { dovecot, postfix: _postfix, server }) = world(engine) else { return };
    send(&server, "Levering bank uitgesteld", "Wanneer komt mijn bank?", "bank-1@klant.example");
    until_conversations(&server, 1);
    browser(
        "answer.mjs",
        &server,
        &[("BELOFTE_SUBJECT", "Levering bank uitgesteld"), ("BELOFTE_ANSWER", "Uw bank komt dinsdag.")],
    );
    let mails = dovecot.wait_for_mails(JAN.0, 1);
    assert!(mails[0].contains("Uw bank komt dinsdag."), "{}", mails[0]);
});
