// SPDX-License-Identifier: EUPL-1.2
//! Who sent a mail: found out while it comes in, by a name server of our own, and shown at the message.

use std::net::UdpSocket;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::support::dovecot::Dovecot;
use crate::support::inbox::{DESK, account, text, until_listed};
use crate::support::name_server::NameServer;
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::signer::Signer;
use crate::support::swaks::swaks;
use crate::support::wait;

const BANK: &str = "info@bank.example";

/// A server whose clients are strangers, also those of its own machine.
fn server(engine: Engine, configuration: &str) -> Server {
    let exempt = ("BELOFTE__SMTP__EXEMPT".to_owned(), "192.0.2.0/24".to_owned());
    let server = Server::start_in(engine, configuration, |_| vec![exempt]);
    account(&server, None);
    server
}

fn mail(subject: &str, more: &str) -> String {
    format!(
        "From: Bank <{BANK}>\r\nTo: {DESK}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@bank.example>\r\n{more}\r\n\
         Uw brief is ontvangen.\r\n"
    )
}

/// Hands `mail` over, from the reverse path `from`.
fn send(server: &Server, from: &str, mail: &str) {
    let file = server.scratch().join("mail.eml");
    // As it is, to the dot: swaks would put its own end behind it.
    std::fs::write(&file, format!("{mail}.\r\n")).expect("our own folder");
    let data = format!("@{}", file.display());
    let sent = swaks(server.smtp, &["--from", from, "--to", DESK, "--data", &data, "--no-data-fixup"]);
    assert!(sent.ok, "{}", sent.transcript);
}

fn messages(server: &Server, subject: &str) -> Vec<Value> {
    let case = until_listed(server.admin(), subject);
    let page = server.admin().get(&format!("/conversations/{}/messages", text(&case, "id"))).expect(200);
    page["items"].as_array().expect("items").clone()
}

/// What was found out about the mail with this subject.
fn found(server: &Server, subject: &str) -> Value {
    messages(server, subject)[0]["authentication"].clone()
}

fn in_short(found: &Value) -> [&str; 4] {
    let dkim = found["dkim"][0]["result"].as_str().unwrap_or("none");
    [text(found, "verdict"), text(&found["spf"], "result"), dkim, text(&found["dmarc"], "result")]
}

/// A bank that signs its mails, sends them from this machine, and asks others to refuse what fails.
fn bank(names: &NameServer) -> Signer {
    let signer = Signer::new("bank.example");
    let (name, key) = signer.published();
    names
        .text(&name, &key)
        .text("bank.example", "v=spf1 ip4:127.0.0.1 -all")
        .text("_dmarc.bank.example", "v=DMARC1; p=reject")
        .text("evil.example", "v=spf1 +all")
        .text("strict.example", "v=spf1 -all")
        .fails("ill.example");
    signer
}

#[allow(clippy::disallowed_methods, reason = "measures another process in real time")]
fn now() -> Instant {
    Instant::now()
}

/// Since 1970, by the clock of the signer and of the server.
#[allow(clippy::disallowed_methods, reason = "waits for another process in real time")]
fn seconds() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs()
}

on_both_engines!(what_was_found_out_stands_at_the_message, |engine| {
    let names = NameServer::start();
    let signer = bank(&names);
    let server = server(engine, &names.configuration());
    let good = |subject: &str| signer.sign(&mail(subject, ""), 0);
    for (subject, from, mail, expected) in [
        ("goed", BANK, good("goed"), ["verified", "pass", "pass", "pass"]),
        ("doorgestuurd", "list@evil.example", good("doorgestuurd"), ["verified", "pass", "pass", "pass"]),
        ("door-server", BANK, mail("door-server", ""), ["verified", "pass", "none", "pass"]),
        ("vals", "me@evil.example", mail("vals", ""), ["disowned", "pass", "none", "fail"]),
        ("vals-streng", "me@strict.example", mail("vals-streng", ""), ["disowned", "fail", "none", "fail"]),
        (
            "veranderd",
            "me@evil.example",
            good("veranderd").replace("Uw brief", "Uw geld"),
            ["disowned", "pass", "body_changed", "fail"],
        ),
        ("nergens", "me@nergens.example", mail("nergens", ""), ["disowned", "none", "none", "fail"]),
        // What the forger's own domain does not say shields nothing.
        ("ziek", "me@ill.example", mail("ziek", ""), ["disowned", "temporary_error", "none", "fail"]),
    ] {
        send(&server, from, &mail);
        let found = found(&server, subject);
        assert_eq!(in_short(&found), expected, "{subject}: {found}");
        assert_eq!((&found["domain"], &found["dmarc"]["policy"]), (&json!("bank.example"), &json!("reject")));
    }
    let found = found(&server, "goed");
    assert_eq!(found["spf"]["domain"], "bank.example");
    assert_eq!(found["dkim"], json!([{ "result": "pass", "domain": "bank.example", "selector": "s2026" }]));
    assert_eq!(names.asked("_dmarc.bank.example"), 1, "what is known is not asked for again");

    let short = signer.sign(&mail("verlopen", ""), 1);
    wait::until("the signature to expire", Duration::from_secs(5), || {
        let made = short.split(" t=").nth(1)?.split(';').next()?.parse::<u64>().ok()?;
        (seconds() > made + 1).then_some(())
    });
    send(&server, "me@evil.example", &short);
    assert_eq!(in_short(&self::found(&server, "verlopen")), ["disowned", "pass", "expired", "fail"]);
});

on_both_engines!(what_the_domain_of_the_author_does_not_say_is_not_made_up, |engine| {
    let names = NameServer::start();
    names.fails("_dmarc.ill.example");
    let signer = Signer::new("klein.example");
    let (name, key) = signer.published();
    names.text(&name, &key);
    // More than a datagram holds.
    for no in 0..12 {
        names.text("klein.example", &format!("proof-{no}={}", "x".repeat(150)));
    }
    names
        .text("klein.example", "v=spf1 exists:%{i}.klein.example -all")
        .address("127.0.0.1.klein.example", "127.0.0.2");
    let chain = |no: usize| format!("v=spf1 include:c{}.deep.example -all", no + 1);
    names.text("deep.example", &chain(0));
    for no in 1..20 {
        names.text(&format!("c{no}.deep.example"), &chain(no));
    }
    let server = server(engine, &names.configuration());
    let of = |subject: &str, domain: &str| mail(subject, "").replace("bank.example", domain);
    for (subject, from, mail, expected) in [
        (
            "ziek",
            "me@ill.example",
            of("ziek", "ill.example"),
            ["unverified", "none", "none", "temporary_error"],
        ),
        ("stil", "me@stil.example", of("stil", "stil.example"), ["unverified", "none", "none", "none"]),
        (
            "klein",
            "me@evil.example",
            signer.sign(&of("klein", "klein.example"), 0),
            ["verified", "none", "pass", "none"],
        ),
        ("lang", "info@klein.example", of("lang", "klein.example"), ["verified", "pass", "none", "none"]),
        (
            "diep",
            "me@deep.example",
            of("diep", "deep.example"),
            ["unverified", "permanent_error", "none", "none"],
        ),
        // A bounce is sent by the server itself.
        ("terug", "", of("terug", "client.example"), ["unverified", "none", "none", "none"]),
    ] {
        send(&server, if from.is_empty() { "<>" } else { from }, &mail);
        let found = found(&server, subject);
        assert_eq!(in_short(&found), expected, "{subject}: {found}");
    }
    assert_eq!(names.asked("c11.deep.example"), 0, "ten terms that ask, and no more");
    // Two authors of two domains are nobody's.
    let two = of("twee", "klein.example").replace("From: ", "From: me@evil.example, ");
    send(&server, "info@klein.example", &signer.sign(&two, 0));
    let found = self::found(&server, "twee");
    assert_eq!((text(&found, "verdict"), &found["domain"]), ("unverified", &Value::Null));
});

on_both_engines!(a_mail_that_goes_over_the_spool_takes_along_what_was_found_out, |engine| {
    let names = NameServer::start();
    let signer = bank(&names);
    let server = server(engine, &names.configuration());
    send(&server, BANK, &signer.sign(&mail("een", ""), 0));
    until_listed(server.admin(), "een");
    // The same identifier and other words: a mail of its own, filed by a job.
    let other = mail("een", "").replace("Uw brief is", "Uw pakket is");
    send(&server, "me@evil.example", &other);
    let messages = wait::until("both messages", Duration::from_secs(20), || {
        let page = server.admin().get("/conversations?status=all&limit=100").expect(200);
        let cases = page["items"].as_array().expect("items").clone();
        let all: Vec<Value> = cases
            .iter()
            .flat_map(|case| {
                let path = format!("/conversations/{}/messages", text(case, "id"));
                server.admin().get(&path).expect(200)["items"].as_array().expect("items").clone()
            })
            .collect();
        (all.len() == 2).then_some(all)
    });
    let forged =
        messages.iter().find(|message| text(message, "text").contains("pakket")).expect("the other one");
    assert_eq!(in_short(&forged["authentication"]), ["disowned", "pass", "none", "fail"]);
});

on_both_engines!(a_server_of_our_own_says_nothing_about_who_gave_it_the_mail, |engine| {
    let names = NameServer::start();
    let signer = bank(&names);
    let server = Server::start_with(engine, &names.configuration());
    account(&server, None);
    send(&server, "me@strict.example", &signer.sign(&mail("getekend", ""), 0));
    assert_eq!(in_short(&found(&server, "getekend")), ["verified", "not_checked", "pass", "pass"]);
    send(&server, "me@strict.example", &mail("ongetekend", ""));
    assert_eq!(in_short(&found(&server, "ongetekend")), ["unverified", "not_checked", "none", "not_checked"]);
});

on_both_engines!(name_servers_that_keep_silent_delay_the_first_mail_only, |engine| {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("bound");
    let server = server(engine, &format!("[dns]\nservers = [\"{address}\"]\n"));
    let began = now();
    send(&server, BANK, &mail("eerste", ""));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let one = |no: usize| {
        let began = now();
        send(&server, BANK, &mail(&format!("nummer-{no}"), ""));
        began.elapsed()
    };
    let slowest = (0..5).map(one).max().expect("five");
    // Most of it is the sender's own program that starts.
    assert!(slowest < Duration::from_millis(900), "{slowest:?}");
    let expected = ["unverified", "temporary_error", "none", "temporary_error"];
    assert_eq!(in_short(&found(&server, "eerste")), expected);
    assert_eq!(in_short(&found(&server, "nummer-4")), expected);
    assert!(server.logs().contains("no name server answers"));
});

on_both_engines!(fetched_mail_is_judged_by_its_signature, |engine| {
    let names = NameServer::start();
    let signer = bank(&names);
    let dovecot = Dovecot::start(&[(DESK, "geheim van de zaak")]);
    let told = "Authentication-Results: mx.winkel.example; spf=pass; dkim=pass; dmarc=pass\r\n";
    let laid = [signer.sign(&mail("opgehaald", ""), 0), told.to_owned() + &mail("beweerd", "")];
    dovecot.lay(DESK, laid.into_iter().map(String::into_bytes));
    let configuration = format!(
        "{}[outbound]\nallow_private = [\"127.0.0.0/8\"]\nroot_certs_file = {:?}\n",
        names.configuration(),
        dovecot.certificate.authority
    );
    let server = Server::start_with(engine, &configuration);
    let mailbox = json!({
        "host": "localhost", "port": dovecot.imap, "security": "starttls", "username": DESK,
        "password": "geheim van de zaak", "existing": true,
    });
    let account = json!({ "kind": "email", "address": DESK, "from_name": "Winkel", "retrieval": mailbox });
    let made = server.admin().post("/channel-accounts", account).expect(201);
    assert_eq!(in_short(&found(&server, "opgehaald")), ["verified", "not_checked", "pass", "pass"]);
    assert_eq!(in_short(&found(&server, "beweerd")), ["unverified", "not_checked", "none", "not_checked"]);
    server.admin().delete(&format!("/channel-accounts/{}", text(&made, "id"))).expect(204);
});
