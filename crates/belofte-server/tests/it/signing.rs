// SPDX-License-Identifier: EUPL-1.2
//! What goes out is signed in the name of its domain, once that domain publishes the key: through a real mail
//! server, with names of our own, and judged by a verifier that is not ours.

use std::time::Duration;

use futures_util::FutureExt as _;
use mail_auth::AuthenticatedMessage;
use mail_auth::common::parse::TxtRecordParser as _;
use mail_auth::common::verify::DomainKey;
use serde_json::{Value, json};

use crate::support::inbox::{DESK, account, receive, text};
use crate::support::name_server::NameServer;
use crate::support::postfix::{Options, Postfix, Route};
use crate::support::server::{Server, on_both_engines};
use crate::support::sink::Sink;
use crate::support::wait;

const LIMIT: Duration = Duration::from_secs(30);

/// A server that asks `names`, sends through a Postfix, and the customers' mail server behind that.
fn world(engine: crate::support::server::Engine, names: &NameServer) -> Option<(Server, Postfix, Sink)> {
    let sink = Sink::start();
    let routes = [("klant.example", Route::Smtp(sink.port))];
    let postfix = Postfix::start(&Options { routes: &routes, ..Options::default() })?;
    let server = Server::start_with(engine, &names.configuration());
    account(&server, Some(postfix.smtp));
    Some((server, postfix, sink))
}

fn domains(server: &Server) -> Vec<Value> {
    server.admin().get("/signing-keys").expect(200)["items"].as_array().expect("items").clone()
}

fn make(server: &Server, domain: &str) -> Value {
    server.admin().post("/signing-keys", json!({ "domain": domain })).expect(201)
}

fn check(server: &Server, key: &Value) -> Value {
    server.admin().post(&format!("/signing-keys/{}/check", text(key, "id")), json!({})).expect(200)
}

/// An answer as the customer's server got it.
fn answered(server: &Server, sink: &Sink, subject: &str) -> String {
    let case = receive(server, "Sam <sam@klant.example>", subject, "Kan dit?", &[]);
    let path = format!("/conversations/{}/messages", text(&case, "id"));
    let reply = json!({
        "kind": "reply", "text": "Ja, dat kan.\n\n.\nTot ziens  \n\n", "html": "<p>Ja, dat kan.</p>", "attachment_ids": [],
    });
    server.admin().post(&path, reply).expect(201);
    let wanted = format!("Subject: Re: {subject}");
    wait::until(&format!("the answer to {subject}"), LIMIT, || {
        sink.handed()
            .into_iter()
            .map(|mail| mail.data.replace("\r\n..", "\r\n."))
            .find(|data| data.contains(&wanted))
    })
}

/// The name of the record that a mail is signed by, when it is signed and the signature holds by `record`.
fn signed_by(mail: &str, record: &Value) -> Option<String> {
    let message = AuthenticatedMessage::parse(mail.as_bytes()).expect("a mail");
    let field = message.dkim_headers.first()?;
    let signature = &field.header;
    let body = message.body_hashes.iter().find(|(way, ..)| *way == signature.cb).expect("a hash of the body");
    assert_eq!(body.3, signature.bh, "the body is what was signed: {mail}");
    let fields = message.get_canonicalized_header().now_or_never().expect("no wait").expect("fields");
    let key = DomainKey::parse(text(record, "record_value").as_bytes()).expect("the record of the desk");
    let holds = key.p.verify_bytes(&fields, &signature.b, signature.a);
    holds.is_ok().then(|| format!("{}._domainkey.{}", signature.s, signature.d))
}

on_both_engines!(what_goes_out_is_signed_once_its_record_was_seen, |engine| {
    let names = NameServer::start();
    let Some((server, _postfix, sink)) = world(engine, &names) else { return };
    let known = domains(&server);
    assert_eq!(
        (known.len(), text(&known[0], "domain"), &known[0]["keys"]),
        (1, "winkel.example", &json!([]))
    );
    let key = make(&server, "winkel.example");
    assert_eq!(text(&key, "state"), "waiting");
    let (name, value) = (text(&key, "record_name"), text(&key, "record_value"));
    assert!(name.starts_with("belofte-") && name.ends_with("._domainkey.winkel.example"), "{name}");
    assert!(value.starts_with("v=DKIM1; k=rsa; p=MII"), "{value}");
    // Looked at without being asked.
    wait::until("the first look", LIMIT, || {
        (domains(&server)[0]["keys"][0]["problem"] == "missing").then_some(())
    });
    server.admin().post("/signing-keys", json!({ "domain": "winkel.example" })).expect(409);

    // Wrong records are told, and sign nothing.
    let doubled = format!("{name}.winkel.example");
    names.text(&doubled, value);
    assert_eq!(check(&server, &key)["problem"], "doubled");
    names.withdraw(&doubled);
    for (problem, record) in [
        ("cut_off", value[..255].to_owned()),
        ("other_key", value.replacen("p=MIIB", "p=MIIC", 1)),
        ("revoked", "v=DKIM1; k=rsa; p=".to_owned()),
        ("malformed", format!("'{value}'")),
        ("not_for_mail", format!("{value}; s=tlsrpt")),
    ] {
        names.withdraw(name).text(name, &record);
        let told = check(&server, &key);
        assert_eq!((text(&told, "state"), text(&told, "problem")), ("waiting", problem));
    }
    names.text(name, "v=spf1 -all");
    assert_eq!(check(&server, &key)["problem"], "several");
    assert!(!answered(&server, &sink, "Ongetekend").contains("DKIM-Signature"));

    names.withdraw(name).text(name, value);
    let seen = check(&server, &key);
    assert_eq!((text(&seen, "state"), seen.get("problem")), ("signing", None), "{seen}");
    let mail = answered(&server, &sink, "Getekend");
    assert_eq!(signed_by(&mail, &seen).as_deref(), Some(name), "{mail}");
    assert_eq!(mail.matches("DKIM-Signature").count(), 1);
    // What a reader sees is what was signed.
    assert_eq!(signed_by(&mail.replacen("Subject: Re:", "Subject: Fw:", 1), &seen), None);
    let second = mail.replacen("From: ", "From: Bank <b@bank.example>\r\nFrom: ", 1);
    assert_eq!(signed_by(&second, &seen), None, "nobody adds an author");

    // A record that goes away later is told, and takes nothing back.
    names.withdraw(name);
    let told = check(&server, &key);
    assert_eq!((text(&told, "state"), text(&told, "problem")), ("signing", "missing"));
    let entries = server.entries();
    let acts: Vec<_> = entries
        .iter()
        .filter(|entry| entry["detail"]["what"] == "signing_key")
        .map(|entry| text(&entry["detail"], "act").to_owned())
        .collect();
    assert_eq!(acts, ["created", "began"]);
});

on_both_engines!(another_key_takes_over_when_its_record_is_there, |engine| {
    let names = NameServer::start();
    let Some((server, _postfix, sink)) = world(engine, &names) else { return };
    let publish = |key: &Value| {
        names.text(text(key, "record_name"), text(key, "record_value"));
        check(&server, key)
    };
    let first = publish(&make(&server, "winkel.example"));
    assert_eq!(text(&first, "state"), "signing");
    let second = make(&server, "winkel.example");
    let mail = answered(&server, &sink, "Nog de oude");
    assert_eq!(signed_by(&mail, &first).as_deref(), Some(text(&first, "record_name")));
    let second = publish(&second);
    let mail = answered(&server, &sink, "Al de nieuwe");
    assert_eq!(signed_by(&mail, &second).as_deref(), Some(text(&second, "record_name")));
    let states = || {
        let keys = domains(&server)[0]["keys"].as_array().expect("keys").clone();
        keys.iter().map(|key| text(key, "state").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states(), ["signing", "former"]);

    // The settings come along to the next start; then an admin has enough of it.
    let withdraw =
        |key: &Value| server.admin().delete(&format!("/signing-keys/{}", text(key, "id"))).expect(204);
    withdraw(&second);
    assert_eq!(states(), ["former", "former"]);
    assert!(!answered(&server, &sink, "Zonder").contains("DKIM-Signature"));
    withdraw(&first);
    withdraw(&second);
    assert!(states().is_empty());
    let wanted = json!({ "domain": "elders.example" });
    server.admin().post("/signing-keys", wanted).expect(422);
    assert_eq!(DESK, "info@winkel.example");
});
