// SPDX-License-Identifier: EUPL-1.2
//! Mailboxes that are read over IMAP, against a real Dovecot.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::dovecot::Dovecot;
use crate::support::inbox::{DESK, until_listed};
use crate::support::relay::Relay;
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::wait;

const PASSWORD: &str = "geheim van de zaak";
const JAN: &str = "jan@klant.example";

/// What is not told is asked for within a second.
const SOON: &str = "[retrieval]\npoll_s = 1\n";

fn reading(engine: Engine, dovecot: &Dovecot) -> Server {
    reading_with(engine, dovecot, "")
}

fn reading_with(engine: Engine, dovecot: &Dovecot, more: &str) -> Server {
    let trusted = format!(
        "[outbound]\nallow_private = [\"127.0.0.0/8\"]\nroot_certs_file = {:?}\n{more}",
        dovecot.certificate.authority
    );
    Server::start_with(engine, &trusted)
}

fn mailbox(port: u16, more: Value) -> Value {
    let mut mailbox = json!({
        "host": "localhost", "port": port, "security": "starttls", "username": DESK, "password": PASSWORD,
        "existing": true,
    });
    mailbox.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    mailbox
}

/// Adds the account that reads; its path.
fn add(server: &Server, mailbox: Value) -> String {
    let account = json!({ "kind": "email", "address": DESK, "from_name": "Winkel", "retrieval": mailbox });
    let made = server.admin().post("/channel-accounts", account).expect(201);
    assert!(!made.to_string().contains(PASSWORD), "a password never comes back");
    assert_eq!(made["retrieval"]["password_set"], true);
    format!("/channel-accounts/{}", made["id"].as_str().unwrap())
}

fn mail(number: usize) -> Vec<u8> {
    format!(
        "Return-Path: <{JAN}>\r\nMessage-ID: <oud-{number}@klant.example>\r\nFrom: Jan <{JAN}>\r\nTo: {DESK}\r\n\
         Subject: Oude vraag {number}\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\n\r\nVraag nummer {number}.\r\n"
    )
    .into_bytes()
}

fn deliver(dovecot: &Dovecot, subject: &str) {
    let header = format!("Subject: {subject}");
    dovecot.deliver(DESK, JAN, &["--header", &header, "--body", "Nieuw."]);
}

fn until(server: &Server, path: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    wait::until(what, Duration::from_secs(40), || {
        let account = server.admin().get(path).expect(200);
        holds(&account["retrieval"]["status"]).then_some(account)
    })
}

fn until_current(server: &Server, path: &str) {
    until(server, path, "all mail to be read", |status| status["state"] == "current");
}

fn until_imported(server: &Server, path: &str, count: usize) -> Value {
    wait::until(&format!("{count} imported mails"), Duration::from_secs(60), || {
        let sums = server.admin().get(&format!("{path}/accounting")).expect(200);
        (sums["imported"] == count && sums["pending"] == 0).then_some(sums)
    })
}

fn remove(server: &Server, path: &str) {
    server.admin().delete(path).expect(204);
}

on_both_engines!(what_lies_there_is_read_and_what_comes_is_told_by_idle, |engine| {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD)]);
    dovecot.lay(DESK, (0..40).map(mail));
    let server = reading(engine, &dovecot);
    let path = add(&server, mailbox(dovecot.imap, json!({})));
    until_current(&server, &path);
    let sums = until_imported(&server, &path, 40);
    assert_eq!((&sums["received"], &sums["duplicates"]), (&json!(40), &json!(0)));
    assert_eq!(dovecot.seen(DESK), 40);
    // No look at the clock finds it as soon: those are a minute apart.
    deliver(&dovecot, "Iets nieuws");
    let case = wait::until("the new mail", Duration::from_secs(15), || {
        let page = server.admin().get("/conversations?status=all&limit=100").expect(200);
        page["items"].as_array().unwrap().iter().find(|row| row["subject"] == "Iets nieuws").cloned()
    });
    assert_eq!(case["contact"]["address"], JAN);
    wait::until("the new one to be marked", Duration::from_secs(10), || {
        (dovecot.seen(DESK) == 41).then_some(())
    });
    let recipients = server.admin().get("/recipients").expect(200);
    assert_eq!(recipients["chosen"][0]["host"], "localhost");
    remove(&server, &path);
});

on_both_engines!(a_server_that_tells_nothing_is_asked_again_and_again, |engine| {
    let dovecot = Dovecot::that_tells_nothing(&[(DESK, PASSWORD)]);
    dovecot.lay(DESK, [mail(0)]);
    let announced = dovecot.say(DESK, PASSWORD, "CAPABILITY");
    assert!(announced.contains("IMAP4rev1") && !announced.contains("IDLE"), "{announced}");
    let server = reading_with(engine, &dovecot, SOON);
    // In clear, so that what is said on it can be heard.
    let line = Relay::to(dovecot.imap);
    let path = add(&server, mailbox(line.port, json!({ "host": "127.0.0.1", "security": "none" })));
    until_current(&server, &path);
    until_imported(&server, &path, 1);
    for (number, subject) in ["De tweede", "De derde"].into_iter().enumerate() {
        deliver(&dovecot, subject);
        until_listed(server.admin(), subject);
        let sums = until_imported(&server, &path, number + 2);
        assert_eq!(sums["duplicates"], 0, "{sums}");
    }
    let said = line.said();
    assert!(!said.contains(" IDLE\r\n"), "it did not wait to be told: {said}");
    // A line that breaks is opened again at once, and all is read anew: it did not.
    assert_eq!(said.matches(" AUTHENTICATE ").count(), 1, "{said}");
    remove(&server, &path);
});

on_both_engines!(several_folders_are_read_and_each_mail_of_them_comes_once, |engine| {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD)]);
    dovecot.lay(DESK, (0..3).map(mail));
    dovecot.lay_in(DESK, ".Bestellingen", (3..5).map(mail));
    let server = reading_with(engine, &dovecot, SOON);
    let path = add(&server, mailbox(dovecot.imap, json!({ "folders": ["INBOX", "Bestellingen"] })));
    until_current(&server, &path);
    until_imported(&server, &path, 5);
    // What a rule of theirs files in the second folder; the server tells of the first alone.
    let file = |number: usize| {
        let words = String::from_utf8(mail(number)).expect("text");
        dovecot.say(DESK, PASSWORD, &format!("APPEND Bestellingen {{{}+}}\r\n{words}", words.len()));
        until_listed(server.admin(), &format!("Oude vraag {number}"));
    };
    file(5);
    deliver(&dovecot, "Iets nieuws");
    until_listed(server.admin(), "Iets nieuws");
    file(6);
    let sums = until_imported(&server, &path, 8);
    assert_eq!((&sums["received"], &sums["duplicates"]), (&json!(8), &json!(0)));
    let page = server.admin().get("/conversations?status=all&limit=100").expect(200);
    let mut subjects: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|row| row["subject"].as_str().unwrap()).collect();
    subjects.sort_unstable();
    let old: Vec<_> = (0..7).map(|number| format!("Oude vraag {number}")).collect();
    assert_eq!(subjects[0], "Iets nieuws");
    assert_eq!(subjects[1..], old);
    remove(&server, &path);
});

on_both_engines!(only_new_mail_is_read_when_the_rest_is_not_asked_for, |engine| {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD)]);
    dovecot.lay(DESK, (0..3).map(mail));
    let server = reading(engine, &dovecot);
    let line = Relay::to(dovecot.imap);
    line.cut();
    let path = add(&server, mailbox(line.port, json!({ "existing": false, "after": "keep" })));
    until(&server, &path, "the first try to fail", |status| status["state"] == "failing");
    // What comes before the mailbox could be opened for the first time is new all the same.
    deliver(&dovecot, "Net voor het begin");
    line.mend();
    until_listed(server.admin(), "Net voor het begin");
    until_current(&server, &path);
    deliver(&dovecot, "Iets nieuws");
    until_listed(server.admin(), "Iets nieuws");
    until_imported(&server, &path, 2);
    assert_eq!(dovecot.seen(DESK), 0, "it stays as it is");
    // The rest can be asked for later.
    let all = mailbox(line.port, json!({ "existing": true, "after": "keep" }));
    server.admin().patch(&path, json!({ "retrieval": all })).expect(200);
    let sums = until_imported(&server, &path, 5);
    assert!(sums["duplicates"].as_i64() <= Some(2), "{sums}");
    // Nothing is under way any more when the address goes.
    until_current(&server, &path);
    remove(&server, &path);
});

on_both_engines!(a_server_that_breaks_the_line_is_found_again_and_nothing_is_doubled, |engine| {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD)]);
    dovecot.lay(DESK, (0..5).map(mail));
    let line = Relay::to(dovecot.imap);
    let server = reading(engine, &dovecot);
    let path = add(&server, mailbox(line.port, json!({})));
    until_current(&server, &path);
    line.cut();
    let told = until(&server, &path, "the desk to say so", |status| status["state"] == "failing");
    let problem = told["retrieval"]["status"]["problem"].as_str().unwrap();
    assert!(["line_dropped", "connection_failed"].contains(&problem), "{problem}");
    deliver(&dovecot, "In de tussentijd");
    line.mend();
    until_listed(server.admin(), "In de tussentijd");
    until_current(&server, &path);
    let sums = until_imported(&server, &path, 6);
    assert_eq!((&sums["received"], &sums["duplicates"]), (&json!(6), &json!(0)));
    remove(&server, &path);
});

on_both_engines!(a_folder_that_is_numbered_anew_loses_and_doubles_nothing, |engine| {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD)]);
    dovecot.lay(DESK, (0..12).map(mail));
    let line = Relay::to(dovecot.imap);
    let server = reading(engine, &dovecot);
    let path = add(&server, mailbox(line.port, json!({})));
    until_current(&server, &path);
    until_imported(&server, &path, 12);
    line.cut();
    until(&server, &path, "the line to be cut", |status| status["state"] == "failing");
    deliver(&dovecot, "Van voor de nummering");
    dovecot.renumber(DESK);
    line.mend();
    until_listed(server.admin(), "Van voor de nummering");
    until_current(&server, &path);
    // All of it was looked at again, and recognised.
    let sums = until_imported(&server, &path, 13);
    assert_eq!(sums["duplicates"], 12, "{sums}");
    let page = server.admin().get("/conversations?status=all&limit=100").expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 13);
    remove(&server, &path);
});

on_both_engines!(an_expired_password_is_said_and_a_new_one_reads_at_once, |engine| {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD)]);
    let line = Relay::to(dovecot.imap);
    let server = reading(engine, &dovecot);
    let path = add(&server, mailbox(line.port, json!({})));
    until_current(&server, &path);
    dovecot.set_password(DESK, "een ander wachtwoord");
    line.cut();
    line.mend();
    let told = until(&server, &path, "the wrong password to be said", |status| {
        status["problem"] == "authentication_failed"
    });
    assert!(told["retrieval"]["status"]["problem_since"].is_string());
    deliver(&dovecot, "Wacht zolang");
    let again = mailbox(line.port, json!({ "password": "een ander wachtwoord" }));
    server.admin().patch(&path, json!({ "retrieval": again })).expect(200);
    until_listed(server.admin(), "Wacht zolang");
    until_current(&server, &path);
    // Without a password the one that is kept serves, for this mailbox alone.
    let mut kept = mailbox(line.port, json!({ "after": "keep" }));
    kept.as_object_mut().unwrap().remove("password");
    server.admin().patch(&path, json!({ "retrieval": kept.clone() })).expect(200);
    until_current(&server, &path);
    kept["host"] = json!("mail.elders.example");
    server.admin().patch(&path, json!({ "retrieval": kept })).fields(&["retrieval.password: required"]);
    remove(&server, &path);
});

on_both_engines!(mail_is_moved_once_it_is_here, |engine| {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD)]);
    dovecot.lay(DESK, (0..30).map(mail));
    let server = reading(engine, &dovecot);
    let mailbox = mailbox(dovecot.imap, json!({ "after": "move", "move_to": "Erledigt für R&D" }));
    let path = add(&server, mailbox);
    until_imported(&server, &path, 30);
    deliver(&dovecot, "Ook deze");
    until_listed(server.admin(), "Ook deze");
    // The server lays a mail there before it takes it away here.
    wait::until("all mail to be moved", Duration::from_secs(20), || {
        let there = dovecot.folder(DESK, ".Erledigt f&APw-r R&-D");
        (there == 31 && dovecot.folder(DESK, "") == 0).then_some(())
    });
    remove(&server, &path);
});

on_both_engines!(new_mail_does_not_wait_for_a_large_mailbox, |engine| {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD)]);
    // 50,000 in the long suite.
    let count: usize =
        std::env::var("BELOFTE_MAILBOX").map_or(1_500, |count| count.parse().expect("a number"));
    dovecot.lay(DESK, (0..count).map(mail));
    let mut server = reading(engine, &dovecot);
    let path = add(&server, mailbox(dovecot.imap, json!({})));
    until(&server, &path, "some of it to be read", |status| status["older"].as_i64() > Some(0));
    deliver(&dovecot, "Tussendoor");
    until_listed(server.admin(), "Tussendoor");
    let status = server.admin().get(&path).expect(200)["retrieval"]["status"].clone();
    assert_eq!(status["state"], "reading", "the rest is still being read: {status}");
    // Killed half-way, it goes on where it was.
    server.kill();
    server.boot();
    let limit = Duration::from_secs(60 + count as u64 / 50);
    wait::until("the whole mailbox", limit, || {
        // Minutes of it: who asks at every moment is told to wait, and takes time from what is waited for.
        wait::pause(Duration::from_millis(250));
        let sums = server.admin().get(&format!("{path}/accounting")).expect(200);
        (sums["imported"] == count + 1).then_some(())
    });
    until_current(&server, &path);
    remove(&server, &path);
});

on_both_engines!(a_mail_that_is_too_large_stays_there_and_is_told, |engine| {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD)]);
    let mut large = mail(1);
    large.extend(std::iter::repeat_n(b"Een regel van een erg lange mail.\r\n".as_slice(), 100_000).flatten());
    dovecot.lay(DESK, [mail(0), large, mail(2)]);
    let mut server = reading(engine, &dovecot);
    server.stop();
    server.boot_with(&[("BELOFTE__SMTP__MAX_MESSAGE_BYTES", "1000000")]);
    let path = add(&server, mailbox(dovecot.imap, json!({})));
    until_current(&server, &path);
    until_imported(&server, &path, 2);
    let status = server.admin().get(&path).expect(200)["retrieval"]["status"].clone();
    assert_eq!(status["left_there"], 1, "{status}");
    assert_eq!(dovecot.seen(DESK), 2);
    remove(&server, &path);
});

on_both_engines!(the_test_of_a_mailbox_tells_how_far_it_came, |engine| {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD)]);
    let server = reading(engine, &dovecot);
    let admin = server.admin();
    let test = |mailbox: Value| {
        let body = json!({ "server": "retrieval", "address": DESK, "retrieval": mailbox });
        let told = admin.post("/channel-accounts/test", body).expect(200);
        let steps = told["steps"].as_array().unwrap().clone();
        let word = |step: &Value| {
            let code = step["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
            format!("{}{code}", step["step"].as_str().unwrap())
        };
        steps.iter().map(word).collect::<Vec<_>>()
    };
    let good = test(mailbox(dovecot.imap, json!({})));
    assert_eq!(good, ["resolve", "connect", "greeting", "tls", "authentication", "folders"]);
    let wrong = test(mailbox(dovecot.imap, json!({ "password": "fout" })));
    assert_eq!(wrong.last().unwrap(), "authentication authentication_failed");
    let missing = test(mailbox(dovecot.imap, json!({ "folders": ["INBOX", "Bestaat niet"] })));
    assert_eq!(missing.last().unwrap(), "folders folder_missing");
    let other = test(mailbox(dovecot.lmtp, json!({})));
    assert_eq!(other.last().unwrap(), "greeting not_imap");
    let in_clear = test(mailbox(dovecot.imap, json!({ "security": "tls" })));
    assert_eq!(in_clear.last().unwrap(), "tls tls_failed", "TLS begins with STARTTLS here");
    let path = add(&server, mailbox(dovecot.imap, json!({})));
    let id = path.rsplit('/').next().unwrap();
    let stored = admin.post("/channel-accounts/test", json!({ "server": "retrieval", "id": id })).expect(200);
    assert_eq!(stored["steps"].as_array().unwrap().len(), 6, "{stored}");
    remove(&server, &path);
});

on_both_engines!(what_does_not_hold_is_named, |engine| {
    let server = Server::start(engine);
    let wrong = json!({
        "host": "mail server", "port": 0, "security": "tls", "username": "",
        "folders": ["Alles*"], "after": "move",
    });
    let account = json!({ "kind": "email", "address": DESK, "from_name": "Winkel", "retrieval": wrong });
    server.admin().post("/channel-accounts", account).fields(&[
        "retrieval.folders: invalid",
        "retrieval.host: invalid",
        "retrieval.move_to: required",
        "retrieval.password: required",
        "retrieval.port: out_of_range",
        "retrieval.username: required",
    ]);
});
