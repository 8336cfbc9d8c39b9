// SPDX-License-Identifier: EUPL-1.2
//! Answers of which nobody knows whether they went out: the line broke when all was sent and nothing answered. They
//! are never sent again alone; the mailbox of their account is looked in: that of a Dovecot.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::dovecot::{Dovecot, SENT};
use crate::support::inbox::{DESK, until_listed};
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::sink::Sink;
use crate::support::wait;

const PASSWORD: &str = "geheim van de zaak";
const JAN: &str = "jan@klant.example";

struct World {
    dovecot: Dovecot,
    sink: Sink,
    server: Server,
    account: String,
    messages: String,
}

fn world(engine: Engine) -> World {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD)]);
    let sink = Sink::that_breaks_off();
    let server = Server::start_with(
        engine,
        &format!(
            "[outbound]\nallow_private = [\"127.0.0.0/8\"]\nroot_certs_file = {:?}\n",
            dovecot.certificate.authority
        ),
    );
    let account = json!({
        "kind": "email", "address": DESK, "from_name": "Winkel",
        "submission": { "host": "127.0.0.1", "port": sink.port, "security": "none" },
        "retrieval": {
            "host": "localhost", "port": dovecot.imap, "security": "starttls", "username": DESK,
            "password": PASSWORD, "existing": true,
        },
    });
    let made = server.admin().post("/channel-accounts", account).expect(201);
    let account = format!("/channel-accounts/{}", made["id"].as_str().unwrap());
    dovecot.deliver(DESK, JAN, &["--header", "Subject: Vraag", "--body", "Dag."]);
    let case = until_listed(server.admin(), "Vraag");
    let messages = format!("/conversations/{}/messages", case["id"].as_str().unwrap());
    World { dovecot, sink, server, account, messages }
}

impl World {
    /// Answers, and waits until nobody knows what became of it; its id.
    fn answer(&self) -> String {
        let reply = json!({ "kind": "reply", "text": "Goedemiddag.", "attachment_ids": [] });
        let sent = self.server.admin().post(&self.messages, reply).expect(201);
        let id = sent["id"].as_str().unwrap().to_owned();
        self.until(&id, "unknown");
        assert_eq!(self.sink.handed().len(), 1);
        id
    }

    fn delivery(&self, message: &str) -> Value {
        let page = self.server.admin().get(&self.messages).expect(200);
        let all = page["items"].as_array().unwrap();
        all.iter().find(|one| one["id"] == *message).expect("the answer")["deliveries"][0].clone()
    }

    fn until(&self, message: &str, state: &str) -> Value {
        wait::until(state, Duration::from_secs(40), || {
            let delivery = self.delivery(message);
            (delivery["state"] == state).then_some(delivery)
        })
    }
}

on_both_engines!(what_may_have_gone_out_is_found_among_what_was_sent, |engine| {
    let world = world(engine);
    let message = world.answer();
    // The server did take it, and files its copy as many do.
    world.dovecot.lay_in(DESK, &format!(".{SENT}"), [world.sink.handed()[0].data.clone().into_bytes()]);
    let found = world.until(&message, "sent");
    assert_eq!(found["code"], "found_in_sent");
    assert_eq!(world.sink.handed().len(), 1, "it is not sent again");
    let case = world.server.admin().get(world.messages.trim_end_matches("/messages")).expect(200);
    assert_eq!(case["delivery_problem"], false, "{case}");
    world.server.admin().delete(&world.account).expect(204);
});

on_both_engines!(what_is_not_found_stays_unknown_and_is_not_sent_again, |engine| {
    let world = world(engine);
    // Another mail lies there, which is not it.
    let other = format!("Message-ID: <iets-anders@winkel.example>\r\nFrom: {DESK}\r\n\r\nGoedemiddag.\r\n");
    world.dovecot.lay_in(DESK, &format!(".{SENT}"), [other.into_bytes()]);
    let message = world.answer();
    wait::until("a look", Duration::from_secs(30), || {
        world.server.logs().contains("looked for a sent message").then_some(())
    });
    let delivery = world.delivery(&message);
    assert_eq!((&delivery["state"], &delivery["code"]), (&json!("unknown"), &json!("line_dropped")));
    assert_eq!(world.sink.handed().len(), 1, "it is not sent again");
    world.server.admin().delete(&world.account).expect(204);
});
