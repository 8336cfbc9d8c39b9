// SPDX-License-Identifier: EUPL-1.2
//! Mailboxes whose people sign in at a provider: an authorization server of our own, whose tokens a real Dovecot asks
//! about, for IMAP and for the Postfix that takes answers.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::browser::browser;
use crate::support::dovecot::Dovecot;
use crate::support::inbox::{DESK, until_listed};
use crate::support::peer::new_folder;
use crate::support::postfix::{Options, Postfix, Route};
use crate::support::provider::Provider;
use crate::support::relay::Relay;
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::wait;

const PASSWORD: &str = "geen wachtwoord dat iemand kent";
const JAN: &str = "jan@klant.example";

struct World {
    provider: Provider,
    dovecot: Dovecot,
    /// What takes answers, in the tests that send.
    postfix: Option<Postfix>,
    server: Server,
    /// The line to the mailbox.
    line: Relay,
}

fn world(engine: Engine) -> World {
    let provider = Provider::start(DESK);
    let dovecot = Dovecot::start_with(&[(DESK, PASSWORD), (JAN, PASSWORD)], Some(provider.asked));
    with(engine, provider, dovecot, None)
}

/// `None` where there can be no Postfix.
fn world_that_sends(engine: Engine) -> Option<World> {
    let provider = Provider::start(DESK);
    let dovecot = Dovecot::start_with(&[(DESK, PASSWORD), (JAN, PASSWORD)], Some(provider.asked));
    let routes = [("klant.example", Route::Lmtp(dovecot.lmtp))];
    let options = Options { routes: &routes, auth: Some(dovecot.auth), ..Options::default() };
    let postfix = Postfix::start(&options)?;
    Some(with(engine, provider, dovecot, Some(postfix)))
}

fn with(engine: Engine, provider: Provider, dovecot: Dovecot, postfix: Option<Postfix>) -> World {
    let mut authorities = vec![&provider.certificate.authority, &dovecot.certificate.authority];
    authorities.extend(postfix.as_ref().map(|postfix| &postfix.certificate.authority));
    let trusted: String =
        authorities.iter().map(|file| fs::read_to_string(file).expect("a certificate")).collect();
    let roots = new_folder("roots").join("roots.pem");
    fs::write(&roots, trusted).expect("our own folder");
    let server = Server::start_with(
        engine,
        &format!("[outbound]\nallow_private = [\"127.0.0.0/8\"]\nroot_certs_file = {roots:?}\n"),
    );
    let line = Relay::to(dovecot.imap);
    World { provider, dovecot, postfix, server, line }
}

impl World {
    /// Adds the account that reads by what the provider gives; its path.
    fn add(&self, more: Value) -> String {
        let mut account = json!({
            "kind": "email", "address": DESK, "from_name": "Winkel",
            "retrieval": {
                "host": "localhost", "port": self.line.port, "security": "starttls", "username": DESK,
                "sign_in": "authorisation", "existing": true,
            },
            "authorisation": self.provider.settings(),
        });
        account.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.server.admin().post("/channel-accounts", account).expect(201);
        assert!(!made.to_string().contains(crate::support::provider::SECRET), "a secret never comes back");
        assert_eq!(
            (&made["authorisation"]["client_secret_set"], &made["authorisation"]["state"]),
            (&json!(true), &json!("missing"))
        );
        format!("/channel-accounts/{}", made["id"].as_str().unwrap())
    }

    fn begin(&self, path: &str) -> String {
        let begun = self.server.admin().post(&format!("{path}/authorisation"), json!({})).expect(200);
        let list = self.server.admin().get("/channel-accounts").expect(200);
        assert_eq!(begun["redirect_uri"], list["redirect_uri"]);
        begun["authorization_url"].as_str().unwrap().to_owned()
    }

    fn sign_in(&self, path: &str) {
        let brought = self.provider.consent(&self.begin(path));
        let account = self.server.admin().post(&format!("{path}/authorisation/code"), brought).expect(200);
        assert_eq!(account["authorisation"]["state"], "granted");
        assert!(account["authorisation"]["since"].is_string());
    }

    fn until(&self, path: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        wait::until(what, Duration::from_secs(40), || {
            let account = self.server.admin().get(path).expect(200);
            holds(&account).then_some(account)
        })
    }

    fn until_problem(&self, path: &str, problem: &str) {
        self.until(path, problem, |account| account["retrieval"]["status"]["problem"] == problem);
    }

    fn until_current(&self, path: &str) {
        self.until(path, "all to be read", |account| account["retrieval"]["status"]["state"] == "current");
    }

    fn deliver(&self, subject: &str) {
        let header = format!("Subject: {subject}");
        self.dovecot.deliver(DESK, JAN, &["--header", &header, "--body", "Nieuw."]);
    }

    fn remove(&self, path: &str) {
        self.server.admin().delete(path).expect(204);
    }
}

on_both_engines!(a_mailbox_is_read_by_a_token_that_is_renewed_when_it_holds_no_longer, |engine| {
    let world = world(engine);
    world.deliver("Voor het begin");
    let path = world.add(json!({}));
    // Nobody has signed in: that is said, and not tried again and again.
    world.until_problem(&path, "authorisation_missing");
    world.sign_in(&path);
    // It is read at once, whenever it would have been tried again.
    until_listed(world.server.admin(), "Voor het begin");
    world.until_current(&path);
    world.deliver("Daarna");
    until_listed(world.server.admin(), "Daarna");
    assert_eq!(world.provider.renewals(), 0);
    // The mail server does not take it any more, although its time is not over.
    world.provider.forget_access();
    world.line.cut();
    world.line.mend();
    world.deliver("Na het vernieuwen");
    until_listed(world.server.admin(), "Na het vernieuwen");
    world.until_current(&path);
    assert_eq!(world.provider.renewals(), 1);
    // The provider is a recipient like the mail server.
    let register = world.server.admin().get("/recipients").expect(200);
    assert!(register["chosen"].as_array().unwrap().iter().any(|one| one["host"] == "localhost"));
    world.remove(&path);
});

on_both_engines!(a_token_that_has_run_out_is_renewed_and_every_node_shows_the_newest_one, |engine| {
    let world = world(engine);
    world.provider.live_for(2);
    let path = world.add(json!({}));
    world.sign_in(&path);
    world.until_current(&path);
    for round in 1..4 {
        wait::pause(Duration::from_millis(1_100));
        world.line.cut();
        world.line.mend();
        let subject = format!("Ronde {round}");
        world.deliver(&subject);
        until_listed(world.server.admin(), &subject);
    }
    // A provider that sees an old refresh token ends everything.
    let account = world.server.admin().get(&path).expect(200);
    assert_eq!(account["authorisation"]["state"], "granted");
    assert!(world.provider.renewals() >= 3, "{}", world.provider.renewals());
    world.remove(&path);
});

on_both_engines!(an_authorisation_that_was_ended_is_said_and_signing_in_again_mends_it, |engine| {
    let world = world(engine);
    let path = world.add(json!({}));
    world.sign_in(&path);
    world.until_current(&path);
    world.provider.revoke();
    world.line.cut();
    world.line.mend();
    world.deliver("Blijft liggen");
    world.until_problem(&path, "authorisation_ended");
    let account = world.server.admin().get(&path).expect(200);
    assert_eq!(account["authorisation"]["state"], "ended");
    // The test says the same, and nothing of the token leaves the house.
    let id = path.rsplit('/').next().unwrap();
    let test = json!({ "id": id, "server": "retrieval" });
    let tried = world.server.admin().post("/channel-accounts/test", test.clone()).expect(200);
    assert_eq!(
        tried["steps"],
        json!([{ "step": "authentication", "ok": false, "code": "authorisation_ended" }])
    );
    world.sign_in(&path);
    until_listed(world.server.admin(), "Blijft liggen");
    world.until_current(&path);
    let tried = world.server.admin().post("/channel-accounts/test", test).expect(200);
    let steps = tried["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["ok"] == true) && steps.len() == 6, "{tried}");
    // A provider that is broken for a while ends nothing.
    world.provider.fail(true);
    world.provider.forget_access();
    world.line.cut();
    world.line.mend();
    world.until_problem(&path, "provider_failed");
    world.deliver("Tijdens de storing");
    world.provider.fail(false);
    until_listed(world.server.admin(), "Tijdens de storing");
    // Who forgets it reads no more.
    world.server.admin().delete(&format!("{path}/authorisation")).expect(204);
    world.until_problem(&path, "authorisation_missing");
    world.remove(&path);
});

on_both_engines!(who_comes_back_was_sent_and_comes_once, |engine| {
    let world = world(engine);
    let path = world.add(json!({}));
    let admin = world.server.admin();
    let back = format!("{path}/authorisation/code");
    let invented = json!({ "state": "verzonnen", "code": "verzonnen" });
    admin.post(&back, invented.clone()).problem(410, "authorisation_invalid");
    // Who brings another state has thrown away what was kept of theirs.
    let brought = world.provider.consent(&world.begin(&path));
    admin.post(&back, invented).problem(410, "authorisation_invalid");
    admin.post(&back, brought).problem(410, "authorisation_invalid");
    // A code that the provider does not know.
    let mut brought = world.provider.consent(&world.begin(&path));
    brought["code"] = json!("code-0");
    admin.post(&back, brought).problem(410, "authorisation_invalid");
    let brought = world.provider.consent(&world.begin(&path));
    admin.post(&back, brought.clone()).expect(200);
    admin.post(&back, brought).problem(410, "authorisation_invalid");
    // A provider that is broken, and one that does not know us.
    let brought = world.provider.consent(&world.begin(&path));
    world.provider.fail(true);
    admin.post(&back, brought).problem(502, "provider_failed");
    world.provider.fail(false);
    let mut wrong = world.provider.settings();
    wrong["client_secret"] = json!("fout");
    admin.patch(&path, json!({ "authorisation": wrong })).expect(200);
    let brought = world.provider.consent(&world.begin(&path));
    admin.post(&back, brought).problem(422, "client_refused");
    // Who reads by a provider has one, over https.
    admin.patch(&path, json!({ "authorisation": null })).fields(&["retrieval.sign_in: required"]);
    let mut clear = world.provider.settings();
    clear["token_endpoint"] = json!("http://localhost/token");
    admin.patch(&path, json!({ "authorisation": clear })).fields(&["authorisation.token_endpoint: invalid"]);
    let told = admin.get("/ledger").expect(200).to_string();
    assert!(told.contains("channel_account_authorised"), "the ledger tells who let it be used: {told}");
    world.remove(&path);
});

on_both_engines!(an_admin_lets_a_mailbox_be_used_in_the_browser, |engine| {
    let world = world(engine);
    let path = world.add(json!({}));
    world.until_problem(&path, "authorisation_missing");
    browser("authorise.mjs", &world.server, &[("BELOFTE_ACCOUNT", path.rsplit('/').next().unwrap())]);
    world.remove(&path);
});

on_both_engines!(an_answer_is_handed_in_by_a_token, |engine| {
    let Some(world) = world_that_sends(engine) else { return };
    let submission = json!({ "submission": {
        "host": "localhost", "port": world.postfix.as_ref().unwrap().smtp, "security": "starttls", "username": DESK,
        "sign_in": "authorisation",
    } });
    let path = world.add(submission);
    world.sign_in(&path);
    world.deliver("Vraag");
    let case = until_listed(world.server.admin(), "Vraag");
    let messages = format!("/conversations/{}/messages", case["id"].as_str().unwrap());
    let reply = |text: &str| {
        let reply = json!({ "kind": "reply", "text": text, "attachment_ids": [] });
        let sent = world.server.admin().post(&messages, reply).expect(201);
        sent["id"].as_str().unwrap().to_owned()
    };
    let delivery = |message: &str| {
        let page = world.server.admin().get(&messages).expect(200);
        let all = page["items"].as_array().unwrap();
        all.iter().find(|one| one["id"] == *message).unwrap()["deliveries"][0].clone()
    };
    reply("Het eerste antwoord");
    assert!(world.dovecot.wait_for_mails(JAN, 1)[0].contains("Het eerste antwoord"));
    // Refused although its time is not over: it is renewed, and the mail goes once.
    world.provider.forget_access();
    reply("Het tweede antwoord");
    let mails = world.dovecot.wait_for_mails(JAN, 2);
    assert!(mails.iter().any(|mail| mail.contains("Het tweede antwoord")), "{mails:?}");
    assert_eq!(world.provider.renewals(), 1);
    // Without an authorisation it waits, and says for what.
    world.provider.revoke();
    world.server.leaves("deliver");
    let third = reply("Het derde antwoord");
    let waits = wait::until("the third to wait", Duration::from_secs(20), || {
        let delivery = delivery(&third);
        (delivery["code"] == "authorisation_ended").then_some(delivery)
    });
    assert_eq!(waits["state"], "queued", "{waits}");
    assert_eq!(world.dovecot.mails(JAN).len(), 2);
    world.remove(&path);
});
