// SPDX-License-Identifier: EUPL-1.2
//! The mail that hurts others, case by case: what is in it. Each comes through the listener as its octets stand and is
//! looked at as the desk shows it. Nothing is lost and nothing doubled (the sums of its account), and nobody is blocked:
//! a plain mail that is sent meanwhile is there within seconds.
//!
//! What breaks on the way (passwords, lines) is in `hard_lines`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::inbox::{DESK, account, text, until_listed};
use crate::support::post::post;
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::sink::Sink;
use crate::support::wait;

const JAN: &str = "jan@klant.example";

/// A desk with one account, and where its answers go.
struct World {
    server: Server,
    sink: Sink,
    account: String,
}

fn world(engine: Engine) -> World {
    let (server, sink) = (Server::start(engine), Sink::start());
    let made = account(&server, Some(sink.port));
    World { account: format!("/channel-accounts/{}", text(&made, "id")), server, sink }
}

impl World {
    /// Sends octets, and a plain mail right after them: it is listed within seconds whatever the first one is.
    fn send(&self, mail: &[u8]) -> String {
        self.send_as(JAN, mail)
    }

    fn send_as(&self, from: &str, mail: &[u8]) -> String {
        let told = std::thread::scope(|scope| {
            let hard = scope.spawn(|| post(self.server.smtp, from, DESK, mail));
            self.plain();
            hard.join().expect("it is taken")
        });
        assert!(told.starts_with("250"), "{told}");
        told
    }

    /// A plain mail, in time.
    fn plain(&self) {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let subject = format!("Gewone vraag {number}");
        let mail = format!(
            "From: Els <els@klant.example>\nTo: {DESK}\nSubject: {subject}\n\
             Message-ID: <gewoon-{number}@klant.example>\n\nGewoon.\n"
        );
        let told = post(self.server.smtp, "els@klant.example", DESK, mail.as_bytes());
        assert!(told.starts_with("250"), "{told}");
        let listed = || {
            let page = self.server.admin().get("/conversations?status=all&limit=100").expect(200);
            page["items"].as_array().unwrap().iter().any(|row| row["subject"] == *subject).then_some(())
        };
        wait::until("the plain mail", Duration::from_secs(8), listed);
    }

    /// Waits until all that came is accounted for, and so: imported, recognised as copies, quarantined.
    fn sums(&self, imported: u64, duplicates: u64, quarantined: u64) {
        self.sums_of(&self.account, imported, duplicates, quarantined);
    }

    /// As [`sums`](Self::sums), of another account.
    fn sums_of(&self, account: &str, imported: u64, duplicates: u64, quarantined: u64) {
        let sums = wait::until("the sums", Duration::from_secs(30), || {
            let sums = self.server.admin().get(&format!("{account}/accounting")).expect(200);
            (sums["pending"] == 0 && sums["received"] == imported + duplicates + quarantined).then_some(sums)
        });
        let told = (&sums["imported"], &sums["duplicates"], &sums["quarantined"]);
        assert_eq!(told, (&json!(imported), &json!(duplicates), &json!(quarantined)), "{sums}");
    }

    /// The messages of the conversation with this subject.
    fn messages(&self, subject: &str) -> Vec<Value> {
        let case = until_listed(self.server.admin(), subject);
        let page = self.server.admin().get(&format!("/conversations/{}/messages", text(&case, "id")));
        page.expect(200)["items"].as_array().expect("items").clone()
    }

    fn one(&self, subject: &str) -> Value {
        let all = self.messages(subject);
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }

    /// The one mail that lies in quarantine for `reason`; its source is there in full.
    fn quarantined(&self, reason: &str, octets: usize) -> String {
        let admin = self.server.admin();
        let row = wait::until("the quarantine", Duration::from_secs(30), || {
            let page = admin.get("/quarantine").expect(200);
            page["items"].as_array().expect("items").first().cloned()
        });
        assert_eq!(row["reason"], reason, "{row}");
        let source = admin.get(&format!("/quarantine/{}/source", text(&row, "id")));
        assert_eq!(source.status, 200);
        assert!(source.body.len() >= octets, "{} of {octets}", source.body.len());
        text(&row, "id").to_owned()
    }
}

fn mail(subject: &str, id: &str, rest: &str) -> Vec<u8> {
    format!(
        "From: Jan Jansen <{JAN}>\nTo: {DESK}\nSubject: {subject}\nDate: Tue, 3 Nov 2026 10:00:00 +0100\n\
         Message-ID: <{id}@klant.example>\nMIME-Version: 1.0\n{rest}"
    )
    .into_bytes()
}

fn names(message: &Value) -> Vec<String> {
    let files = message["attachments"].as_array().expect("files");
    files.iter().map(|file| text(file, "name").to_owned()).collect()
}

on_both_engines!(an_unknown_charset_is_read_as_well_as_it_can_be, |engine| {
    let world = world(engine);
    let mut octets = mail(
        "Onbekend",
        "cs",
        "Content-Type: text/plain; charset=x-klingon-9\nContent-Transfer-Encoding: 8bit\n\n",
    );
    octets.extend(b"Caf\xe9 \x80 5,00\n");
    world.send(&octets);
    assert_eq!(world.one("Onbekend")["text"], "Café € 5,00");
    world.send(&mail("Geheim", "u7", "Content-Type: text/plain; charset=utf-7\n\n+ADw-script+AD4-\n"));
    assert_eq!(
        world.one("Geheim")["text"],
        "+ADw-script+AD4-",
        "what hides mark-up from filters is not decoded"
    );
    world.sums(4, 0, 0);
});

on_both_engines!(raw_octets_are_shown_where_nothing_says_what_they_are, |engine| {
    let world = world(engine);
    let mut octets = b"From: Ren\xe9 de Vri\xebs <rene@klant.example>\nTo: info@winkel.example\n".to_vec();
    octets.extend(
        b"Subject: \xe9\xe9n caf\xe9\nMessage-ID: <raw@klant.example>\n\nIk heb \xe9\xe9n vraag\0.\n",
    );
    world.send(&octets);
    let message = world.one("één café");
    assert_eq!(message["author"]["name"], "René de Vriës");
    assert_eq!(message["text"], "Ik heb één vraag.");
    world.sums(2, 0, 0);
});

on_both_engines!(a_header_of_ten_megabytes_waits_in_quarantine, |engine| {
    let world = world(engine);
    let mut octets =
        format!("From: {JAN}\nTo: {DESK}\nSubject: Groot\nMessage-ID: <g@klant.example>\n").into_bytes();
    let line = format!("X-Rommel: {}\n", "x".repeat(900));
    while octets.len() < 10 * 1024 * 1024 {
        octets.extend(line.as_bytes());
    }
    octets.extend(b"\nHallo\n");
    let length = octets.len();
    world.send(&octets);
    let row = world.quarantined("header_too_large", length);
    // Trying it again finds the same, and loses nothing.
    world.server.admin().post(&format!("/quarantine/{row}/retry"), json!({})).expect(202);
    world.sums(1, 0, 1);
    world.quarantined("header_too_large", length);
    world.plain();
    world.sums(2, 0, 1);
});

on_both_engines!(two_thousand_parts_wait_in_quarantine_and_nine_hundred_are_shown, |engine| {
    let world = world(engine);
    let parts = |count: usize, id: &str, subject: &str| {
        let mut rest = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nDe tekst.\n".to_owned();
        for number in 1..count {
            rest.push_str(&format!(
                "--b\nContent-Disposition: attachment; filename=\"{number}.txt\"\n\nDeel {number}\n"
            ));
        }
        mail(subject, id, &(rest + "--b--\n"))
    };
    let many = parts(2_000, "p2000", "Tweeduizend");
    world.send(&many);
    world.quarantined("too_many_parts", many.len());
    world.send(&parts(900, "p900", "Negenhonderd"));
    let message = world.one("Negenhonderd");
    assert_eq!(message["text"], "De tekst.");
    assert_eq!(names(&message).len(), 899);
    world.sums(3, 0, 1);
});

on_both_engines!(deep_nesting_waits_in_quarantine_and_what_mailers_do_is_shown, |engine| {
    let world = world(engine);
    let nested = |depth: usize, id: &str, subject: &str| {
        let mut rest = "Content-Type: multipart/mixed; boundary=b0\n\n".to_owned();
        for level in 1..depth {
            rest.push_str(&format!("--b{}\nContent-Type: multipart/mixed; boundary=b{level}\n\n", level - 1));
        }
        rest.push_str(&format!("--b{}\n\nOp de bodem.\n", depth - 1));
        mail(subject, id, &rest)
    };
    let deep = nested(400, "d400", "Te diep");
    world.send(&deep);
    world.quarantined("too_many_parts", deep.len());
    world.send(&nested(40, "d40", "Diep"));
    assert_eq!(world.one("Diep")["text"], "Op de bodem.");
    world.sums(3, 0, 1);
});

on_both_engines!(a_mail_without_an_identifier_is_known_by_its_words, |engine| {
    let world = world(engine);
    let bare = |words: &str| {
        format!(
            "From: {JAN}\nTo: {DESK}\nSubject: Zonder kenmerk\nDate: Tue, 3 Nov 2026 10:00:00 +0100\n\n{words}\n"
        )
    };
    world.send(bare("De eerste.").as_bytes());
    world.send(bare("De eerste.").as_bytes());
    world.send(bare("De tweede.").as_bytes());
    world.sums(5, 1, 0);
    let page = world.server.admin().get("/conversations?status=all&limit=100").expect(200);
    let own =
        page["items"].as_array().unwrap().iter().filter(|row| row["subject"] == "Zonder kenmerk").count();
    assert_eq!(own, 2, "each once, and not in one case by their subject");
});

on_both_engines!(one_identifier_twice_is_a_copy_or_another_mail_by_its_words, |engine| {
    let world = world(engine);
    world.send(&mail("Zelfde", "zelfde", "\nDe eerste.\n"));
    world.send(&mail("Zelfde", "zelfde", "\nDe eerste.\n"));
    world.send(&mail("Anders", "zelfde", "\nIets heel anders.\n"));
    world.send(&mail("Anders", "zelfde", "\nIets heel anders.\n"));
    world.sums(6, 2, 0);
    assert_eq!(world.one("Zelfde")["text"], "De eerste.");
    assert_eq!(world.one("Anders")["text"], "Iets heel anders.");
});

on_both_engines!(one_mail_to_two_mailboxes_is_two_messages_and_a_copy_at_each, |engine| {
    let world = world(engine);
    let admin = world.server.admin();
    let other = json!({ "kind": "email", "address": "hulp@winkel.example", "from_name": "Hulp" });
    let other = admin.post("/channel-accounts", other).expect(201);
    let help = format!("/channel-accounts/{}", text(&other, "id"));
    let octets = mail("Twee bussen", "twee-bussen", "\nVoor u beiden.\n");
    let to_help = || {
        let told = post(world.server.smtp, JAN, "hulp@winkel.example", &octets);
        assert!(told.starts_with("250"), "{told}");
    };
    let cases = || {
        let page = admin.get("/conversations?status=all&limit=100").expect(200);
        let all = page["items"].as_array().expect("items").iter();
        all.filter(|row| row["subject"] == "Twee bussen").cloned().collect::<Vec<_>>()
    };
    world.send(&octets);
    world.sums(2, 0, 0);
    to_help();
    world.sums_of(&help, 1, 0, 0);
    let two = cases();
    let mut accounts: Vec<_> = two.iter().map(|case| text(case, "channel_account_id")).collect();
    accounts.sort_unstable();
    let mut both =
        [world.account.as_str(), help.as_str()].map(|path| path.rsplit('/').next().expect("an id"));
    both.sort_unstable();
    assert_eq!(accounts, both, "a case in each");
    // Handed on once more by the first mail server, and then by the second: each knows its own.
    world.send(&octets);
    world.sums(3, 1, 0);
    world.sums_of(&help, 1, 0, 0);
    to_help();
    world.sums_of(&help, 1, 1, 0);
    world.sums(3, 1, 0);
    let ids = |cases: &[Value]| {
        let mut ids: Vec<_> = cases.iter().map(|case| text(case, "id").to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids(&cases()), ids(&two), "no other case was opened");
    let mut messages = Vec::new();
    for case in &two {
        let page = admin.get(&format!("/conversations/{}/messages", text(case, "id"))).expect(200);
        let all = page["items"].as_array().expect("items");
        assert_eq!(all.len(), 1, "{page}");
        assert_eq!(all[0]["text"], "Voor u beiden.");
        messages.push(text(&all[0], "id").to_owned());
    }
    assert_ne!(messages[0], messages[1]);
    // What goes on with it goes on in each, whichever was filed last.
    let more =
        |id: &str| mail("Re: Twee bussen", id, "In-Reply-To: <twee-bussen@klant.example>\n\nEn nog iets.\n");
    world.send(&more("twee-bussen-1"));
    assert!(post(world.server.smtp, JAN, "hulp@winkel.example", &more("twee-bussen-1")).starts_with("250"));
    world.sums_of(&help, 2, 1, 0);
    assert_eq!(ids(&cases()), ids(&two));
    for case in &two {
        let page = admin.get(&format!("/conversations/{}/messages", text(case, "id"))).expect(200);
        let all = page["items"].as_array().expect("items").iter();
        let words: Vec<_> = all.map(|message| text(message, "text")).collect();
        assert_eq!(words, ["Voor u beiden.", "En nog iets."]);
    }
});

on_both_engines!(a_reply_to_a_bounce_is_a_persons_and_machines_stay_silent, |engine| {
    let world = world(engine);
    let bounce = format!(
        "From: MAILER-DAEMON@post.example\nTo: {DESK}\nSubject: Undelivered Mail\nMessage-ID: <b@post.example>\n\
         Auto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nNiet bezorgd.\n--b\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; post.example\n\n\
         Final-Recipient: rfc822; weg@klant.example\nAction: failed\nStatus: 5.1.1\n--b--\n"
    );
    world.send_as("", bounce.as_bytes());
    let first = world.one("Undelivered Mail");
    assert_eq!(first["kind"], "automatic");
    let reply = format!(
        "From: Beheer <beheer@post.example>\nTo: {DESK}\nSubject: Re: Undelivered Mail\n\
         Message-ID: <r@post.example>\nIn-Reply-To: <b@post.example>\nReferences: <b@post.example>\n\n\
         De postbus is weer open.\n"
    );
    world.send_as("beheer@post.example", reply.as_bytes());
    world.sums(4, 0, 0);
    let all = world.messages("Undelivered Mail");
    let kinds: Vec<&str> = all.iter().map(|one| text(one, "kind")).collect();
    assert_eq!(kinds, ["automatic", "incoming"], "it joins the case of the report");
    assert!(world.sink.handed().is_empty(), "nobody was answered");
});

on_both_engines!(machines_that_answer_each_other_are_never_joined, |engine| {
    let world = world(engine);
    let admin = world.server.admin();
    // Another account of ours, so that two of ours can write to each other.
    let other = json!({
        "kind": "email", "address": "hulp@winkel.example", "from_name": "Hulp",
        "submission": { "host": "127.0.0.1", "port": world.sink.port, "security": "none" },
    });
    admin.post("/channel-accounts", other).expect(201);
    world.send(&mail("Lus", "lus-0", "\nBent u er?\n"));
    let case = until_listed(admin, "Lus");
    let path = format!("/conversations/{}", text(&case, "id"));
    let reply = json!({
        "kind": "reply", "text": "Ja.", "to": ["hulp@winkel.example", JAN], "attachment_ids": [], "resolve": true,
    });
    admin.post(&format!("{path}/messages"), reply).expect(201);
    let handed =
        wait::until("the answer", Duration::from_secs(20), || world.sink.handed().into_iter().next());
    // What we sent comes in at our own other account, as its mail server would bring it.
    post(world.server.smtp, DESK, "hulp@winkel.example", handed.data.as_bytes());
    // It stands in the case, and nothing is asked by it that the house did not say itself.
    wait::until("it to come back", Duration::from_secs(20), || {
        (admin.get(&path).expect(200)["message_count"] == 3).then_some(())
    });
    assert_eq!(admin.get(&path).expect(200)["status"], "resolved", "our own answer opens nothing");
    let all = admin.get(&format!("{path}/messages")).expect(200)["items"].as_array().cloned().expect("items");
    assert_eq!((text(&all[2], "kind"), &all[2]["sort"]), ("automatic", &json!("own_copy")));
    // Who only takes over its identifier is not of the house.
    let id = handed.header().iter().find_map(|field| field.strip_prefix("Message-ID: ").map(str::to_owned));
    let id = id.expect("an identifier");
    let taken_over = format!(
        "From: {JAN}\nTo: {DESK}, els@klant.example\nSubject: Lus\nMessage-ID: {id}\nIn-Reply-To: {id}\n\nEn nu ik.\n"
    );
    assert!(post(world.server.smtp, JAN, DESK, taken_over.as_bytes()).starts_with("250"));
    wait::until("what they write to be open", Duration::from_secs(20), || {
        let open = admin.get("/conversations?status=open").expect(200);
        let mut cases = open["items"].as_array().expect("items").iter();
        cases.any(|case| case["preview"] == "En nu ik.").then_some(())
    });
    // What goes to another address of ours alone is meant to be seen there.
    let passed_on = json!({
        "kind": "reply", "text": "Voor u.", "to": ["hulp@winkel.example"], "attachment_ids": [], "resolve": true,
    });
    admin.post(&format!("{path}/messages"), passed_on).expect(201);
    let handed = wait::until("the next", Duration::from_secs(20), || world.sink.handed().into_iter().nth(1));
    post(world.server.smtp, DESK, "hulp@winkel.example", handed.data.as_bytes());
    wait::until("it to be open", Duration::from_secs(20), || {
        let case = admin.get(&path).expect(200);
        (case["message_count"] == 5 && case["status"] == "open").then_some(())
    });
    admin.patch(&path, json!({ "status": "resolved" })).expect(200);
    // The customer's machine answers, and answers each answer that it would get, twenty times.
    let answer_to =
        handed.header().iter().find_map(|field| field.strip_prefix("Reply-To: ").map(str::to_owned));
    let answer_to = answer_to.expect("a reply address");
    let answer_to = answer_to.split(['<', '>']).nth(1).expect("an address").to_owned();
    for (number, sign) in (0..20).zip(
        [
            "Auto-Submitted: auto-replied",
            "Precedence: auto_reply",
            "X-Autoreply: yes",
            "X-Auto-Response-Suppress: All",
        ]
        .iter()
        .cycle(),
    ) {
        let away = format!(
            "From: {JAN}\nTo: {answer_to}\nSubject: Afwezig: Lus\nMessage-ID: <weg-{number}@klant.example>\n{sign}\n\n\
             Ik ben er niet.\n"
        );
        assert!(post(world.server.smtp, JAN, &answer_to, away.as_bytes()).starts_with("250"));
    }
    wait::until("all of it", Duration::from_secs(30), || {
        let case = admin.get(&path).expect(200);
        (case["message_count"].as_i64() == Some(25)).then_some(())
    });
    let case = admin.get(&path).expect(200);
    assert_eq!(case["status"], "resolved", "no machine opens it again: {case}");
    world.plain();
    let own = world.sink.handed().len();
    assert_eq!(own, 2, "two mails went out, and nothing after them");
});

on_both_engines!(a_group_brings_what_persons_write_and_a_machine_is_called_by_its_sort, |engine| {
    let world = world(engine);
    let admin = world.server.admin();
    world.send(&mail("Groep", "groep-0", "\nIs de ketel er al?\n"));
    let case = until_listed(admin, "Groep");
    let path = format!("/conversations/{}", text(&case, "id"));
    let told = |id: &str, fields: &str, sort: Option<&str>, kind: &str, status: &str| {
        admin.patch(&path, json!({ "status": "resolved" })).expect(200);
        let count = admin.get(&path).expect(200)["message_count"].as_i64().expect("a count");
        let head = format!("In-Reply-To: <groep-0@klant.example>\n{fields}");
        world.send(&mail("Re: Groep", id, &format!("{head}\n\nHallo.\n")));
        wait::until("it to come in", Duration::from_secs(20), || {
            (admin.get(&path).expect(200)["message_count"].as_i64() == Some(count + 1)).then_some(())
        });
        assert_eq!(admin.get(&path).expect(200)["status"], status, "{fields}");
        let all = admin.get(&format!("{path}/messages")).expect(200)["items"].as_array().cloned();
        let last = all.expect("items").pop().expect("the newest");
        assert_eq!((text(&last, "kind"), last["sort"].as_str()), (kind, sort), "{fields}");
    };
    told("g-1", "List-Id: <hulp.winkel.example>\nPrecedence: list", Some("list"), "incoming", "open");
    told("g-2", "List-Unsubscribe: <mailto:weg@klant.example>", None, "incoming", "open");
    told("g-3", "Precedence: bulk", Some("bulk"), "automatic", "resolved");
    told("g-4", "Auto-Submitted: auto-replied (vacation)", Some("auto_reply"), "automatic", "resolved");
    told("g-5", "Auto-Submitted: auto-generated", Some("auto_generated"), "automatic", "resolved");
    assert!(world.sink.handed().is_empty(), "nobody was answered");
});

on_both_engines!(an_attachment_bomb_stays_packed_and_blocks_nobody, |engine| {
    let world = world(engine);
    // A megabyte that would be a gigabyte of noughts: it is kept as it is and never looked into.
    let mut packed =
        b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\xff\xff\x0f\0\xff\xff\xff\x3f\x05\0\0\0bom.x".to_vec();
    packed.resize(1_000_000, 0);
    let zip = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nZie bijlage.\n--b\n\
         Content-Type: application/zip; name=\"bom.zip\"\nContent-Transfer-Encoding: base64\n\
         Content-Disposition: attachment\n\n{}\n--b--\n",
        STANDARD.encode(&packed)
    );
    world.server.forget_peak();
    world.send(&mail("Zip", "zip", &zip));
    let message = world.one("Zip");
    assert_eq!(message["attachments"][0]["size_bytes"], 1_000_000);
    let fetched =
        world.server.admin().get(&format!("/attachments/{}", text(&message["attachments"][0], "id")));
    assert!(fetched.body == packed, "octet for octet");
    // One very large file in lines, and one in a single line.
    let large: Vec<u8> = (0..9_000_000_u32).map(|at| (at % 251) as u8).collect();
    let encoded = STANDARD.encode(&large);
    let lines: String =
        encoded.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line) + "\n").collect();
    for (body, subject) in [(lines, "Veel regels"), (encoded, "Een regel")] {
        let rest = format!(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nGroot.\n--b\nContent-Type: image/png\n\
             Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=groot.png\n\n{body}\n--b--\n"
        );
        world.send(&mail(subject, subject.split(' ').next().unwrap(), &rest));
        assert_eq!(world.one(subject)["attachments"][0]["size_bytes"], 9_000_000);
    }
    let peak = world.server.peak_memory();
    assert!(peak < 700 << 20, "{} MiB", peak >> 20);
    let thousands: String = (0..5_000)
        .map(|number| format!("--b\nContent-Disposition: attachment; filename=\"{number}\"\n\nx\n"))
        .collect();
    let bomb =
        mail("Bom", "bom", &format!("Content-Type: multipart/mixed; boundary=b\n\n{thousands}--b--\n"));
    world.send(&bomb);
    world.quarantined("too_many_parts", bomb.len());
    world.sums(7, 0, 1);
});

on_both_engines!(winmail_dat_is_shown_as_the_file_that_it_is, |engine| {
    let world = world(engine);
    let rest = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nZie bijlage.\n--b\n\
        Content-Type: application/ms-tnef; name=\"winmail.dat\"\nContent-Transfer-Encoding: base64\n\n\
        eJ8+IgAAAQaQCAAEAAAAAAABAAEAAQeQBgAIAAAA5AQAAAAAAADoAAE=\n--b--\n";
    world.send(&mail("Uit Outlook", "tnef", rest));
    let message = world.one("Uit Outlook");
    assert_eq!(message["text"], "Zie bijlage.");
    assert_eq!(message["attachments"][0]["name"], "winmail.dat");
    assert_eq!(message["attachments"][0]["media_type"], "application/ms-tnef");
    world.sums(2, 0, 0);
});

on_both_engines!(what_is_signed_or_encrypted_is_shown_as_such, |engine| {
    let world = world(engine);
    // The octets that a signed-data and an enveloped-data begin with (RFC 5652).
    let signed = STANDARD.encode(b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80");
    let parts = |protocol: &str, kind: &str, inner: &str, file: &str| {
        format!(
            "Content-Type: multipart/{kind}; protocol=\"{protocol}\"; boundary=b\n\n--b\n{inner}\n--b\n{file}\n--b--\n"
        )
    };
    let plain = "Content-Type: text/plain\n\nGetekende woorden.";
    let cases = [
        (
            "smime_signed",
            parts("application/pkcs7-signature", "signed", plain, "Content-Type: application/pkcs7-signature; name=smime.p7s\nContent-Transfer-Encoding: base64\n\nMIIB"),
            "Getekende woorden.",
            vec!["smime.p7s"],
        ),
        (
            "smime_wrapped",
            format!("Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n{signed}\n"),
            "",
            vec!["smime.p7m"],
        ),
        // It says nothing of what it is: its octets do.
        (
            "smime_wrapped",
            format!("Content-Type: application/x-pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n{signed}\n"),
            "",
            vec!["smime.p7m"],
        ),
        (
            "smime_encrypted",
            "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIIB\n".to_owned(),
            "",
            vec!["smime.p7m"],
        ),
        (
            "pgp_encrypted",
            parts("application/pgp-encrypted", "encrypted", "Content-Type: application/pgp-encrypted\n\nVersion: 1", "Content-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE-----\nabc\n-----END PGP MESSAGE-----"),
            "",
            vec!["version.txt", "encrypted.asc"],
        ),
        (
            "pgp_signed",
            parts("application/pgp-signature", "signed", plain, "Content-Type: application/pgp-signature\n\n-----BEGIN PGP SIGNATURE-----\nabc\n-----END PGP SIGNATURE-----"),
            "Getekende woorden.",
            vec!["signature.asc"],
        ),
        ("pgp_encrypted", "\n-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n".to_owned(), "-----BEGIN PGP MESSAGE-----", vec![]),
        ("pgp_signed", "\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHallo\n-----BEGIN PGP SIGNATURE-----\nabc\n-----END PGP SIGNATURE-----\n".to_owned(), "-----BEGIN PGP SIGNED", vec![]),
        // What somebody quotes of it is not how this mail is covered.
        ("", "\nIk kon dit niet lezen.\n\nOp 3 mei 2026 om 10:00 schreef Jan <jan@klant.example>:\n> -----BEGIN PGP MESSAGE-----\n> abc\n".to_owned(), "Ik kon dit", vec![]),
    ];
    let count = cases.len() as u64;
    for (number, (cover, rest, words, files)) in cases.into_iter().enumerate() {
        let subject = format!("Dekking {number}");
        world.send(&mail(&subject, &format!("dek-{number}"), &rest));
        let message = world.one(&subject);
        assert_eq!(message["cover"].as_str().unwrap_or_default(), cover, "{subject}");
        assert!(text(&message, "text").starts_with(words), "{subject}: {message}");
        assert_eq!(names(&message), files, "{subject}: there to be saved");
    }
    world.sums(2 * count, 0, 0);
});

on_both_engines!(an_invitation_is_a_card_and_nothing_is_done_with_it, |engine| {
    let world = world(engine);
    let calendar = |method: &str, more: &str| {
        format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:{method}\nBEGIN:VEVENT\nUID:afspraak-1\nSUMMARY:Overleg dakgoot\n\
             LOCATION:Kade 3\\, Leeuwarden\nDTSTART;TZID=Europe/Amsterdam:20261201T100000\n\
             DTEND;TZID=Europe/Amsterdam:20261201T113000\nORGANIZER;CN=Jan Jansen:mailto:{JAN}\n\
             ATTENDEE;RSVP=TRUE:mailto:{DESK}\n{more}BEGIN:VALARM\nACTION:EMAIL\nTRIGGER:-PT15M\n\
             ATTENDEE:mailto:doel@elders.example\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n"
        )
    };
    let invite = |method: &str, more: &str| {
        format!(
            "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nKomt u?\n--b\n\
             Content-Type: text/calendar; method={method}; charset=utf-8\n\n{}--b--\n",
            calendar(method, more)
        )
    };
    world.send(&mail("Uitnodiging", "inv", &invite("REQUEST", "RRULE:FREQ=WEEKLY\n")));
    let message = world.one("Uitnodiging");
    let expected = json!({
        "method": "request", "summary": "Overleg dakgoot", "location": "Kade 3, Leeuwarden",
        "starts": { "at": "2026-12-01T09:00:00.000Z" }, "ends": { "at": "2026-12-01T10:30:00.000Z" },
        "recurs": true, "more": 0, "organiser": { "name": "Jan Jansen", "address": JAN },
    });
    assert_eq!(message["invitation"], expected);
    assert_eq!((&message["text"], names(&message)), (&json!("Komt u?"), vec!["invite.ics".to_owned()]));
    world.send(&mail("Afgelast", "afg", &invite("CANCEL", "STATUS:CANCELLED\n")));
    assert_eq!(world.one("Afgelast")["invitation"]["method"], "cancel");
    // One that makes no sense is a file as any other.
    let rest = "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:morgen\n";
    world.send(&mail("Onzin", "onz", rest));
    let message = world.one("Onzin");
    assert!(message["invitation"]["starts"].is_null(), "{message}");
    assert_eq!(names(&message), ["invite.ics"]);
    world.sums(6, 0, 0);
    assert!(world.sink.handed().is_empty(), "nobody was answered or reminded");
});

on_both_engines!(a_name_cannot_dress_up_as_an_address, |engine| {
    let world = world(engine);
    let encode = |name: &str| format!("=?utf-8?B?{}?=", STANDARD.encode(name));
    let disguised = "bank@veilig.example\u{202e}moc.live@feid";
    let from = format!("From: {} <dief@evil.example>", encode(disguised));
    let rest = format!(
        "To: {DESK}\nSubject: {}\nMessage-ID: <rtl@evil.example>\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHallo\n--b\n\
         Content-Disposition: attachment; filename=\"=?utf-8?B?{}?=\"\n\nx\n--b--\n",
        encode("Rekening \u{2067}fdp\u{2069}"),
        STANDARD.encode("rekening\u{202e}fdp.exe")
    );
    world.send_as("dief@evil.example", format!("{from}\n{rest}").as_bytes());
    let message = world.one("Rekening fdp");
    assert_eq!(message["author"]["address"], "dief@evil.example");
    assert_eq!(message["author"]["name"], "bank@veilig.examplemoc.live@feid");
    assert_eq!(names(&message), ["rekeningfdp.exe"]);
    // A name in a script that runs from the right is kept as it is.
    let hebrew =
        format!("From: {} <dana@klant.example>\nTo: {DESK}\nSubject: Shalom\n\nDag\n", encode("דנה לוי"));
    world.send_as("dana@klant.example", hebrew.as_bytes());
    assert_eq!(world.one("Shalom")["author"]["name"], "דנה לוי");
    let all = world.server.admin().get("/conversations?status=all&limit=100").expect(200).to_string();
    assert!(!all.contains(['\u{202e}', '\u{2067}', '\u{2069}', '\u{200f}']), "nothing turns the line around");
    world.sums(4, 0, 0);
});
