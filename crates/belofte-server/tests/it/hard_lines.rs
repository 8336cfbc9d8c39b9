// SPDX-License-Identifier: EUPL-1.2
//! The mail that hurts others: what breaks on its way. Passwords that ran out, servers that take a mail and then drop
//! the line: nothing is lost, nothing is doubled, and the desk says what is wrong.
//!
//! What nobody knows to be sent or not is in `reconcile`, a mailbox whose line breaks between two mails in `retrieval`.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::dovecot::Dovecot;
use crate::support::inbox::{DESK, account, receive, text};
use crate::support::postfix::{Options, Postfix, Route};
use crate::support::refusing::server_that_says;
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::sink::Sink;
use crate::support::wait;

const PASSWORD: &str = "geheim van de zaak";
const JAN: &str = "jan@klant.example";

fn trusting(engine: Engine, authority: &std::path::Path) -> Server {
    let more = format!("[outbound]\nallow_private = [\"127.0.0.0/8\"]\nroot_certs_file = {authority:?}\n");
    Server::start_with(engine, &more)
}

fn delivery(server: &Server, case: &str, message: &str) -> Value {
    let page = server.admin().get(&format!("/conversations/{case}/messages")).expect(200);
    let all = page["items"].as_array().expect("items").clone();
    all.iter().find(|one| one["id"] == *message).expect("the answer")["deliveries"][0].clone()
}

fn answer(server: &Server, case: &str, words: &str) -> String {
    let reply = json!({ "kind": "reply", "text": words, "attachment_ids": [] });
    text(&server.admin().post(&format!("/conversations/{case}/messages"), reply).expect(201), "id").to_owned()
}

on_both_engines!(an_expired_password_holds_mail_up_and_a_new_one_lets_it_go, |engine| {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD), (JAN, "van jan")]);
    let routes = [("klant.example", Route::Lmtp(dovecot.lmtp))];
    let options = Options { routes: &routes, auth: Some(dovecot.auth), ..Options::default() };
    let Some(postfix) = Postfix::start(&options) else { return };
    let server = trusting(engine, &postfix.certificate.authority);
    let submission = |password: &str| {
        json!({ "submission": {
            "host": "localhost", "port": postfix.smtp, "security": "starttls", "username": DESK,
            "password": password,
        } })
    };
    let mut wanted = json!({ "kind": "email", "address": DESK, "from_name": "Winkel" });
    wanted["submission"] = submission("verlopen")["submission"].clone();
    let made = server.admin().post("/channel-accounts", wanted).expect(201);
    let path = format!("/channel-accounts/{}", text(&made, "id"));
    let case = text(&receive(&server, JAN, "Vraag", "Kan dit?", &[]), "id").to_owned();
    let answers = [answer(&server, &case, "Ja."), answer(&server, &case, "En nog iets.")];
    // The settings say so, in a word that the desk has words for; nothing is lost.
    let told = wait::until("both to wait", Duration::from_secs(30), || {
        let waiting = server.admin().get(&path).expect(200)["submission"]["waiting"].clone();
        (waiting["messages"] == 2).then_some(waiting)
    });
    assert_eq!(told["code"], "authentication_failed", "{told}");
    for id in &answers {
        assert_eq!(delivery(&server, &case, id)["state"], "queued");
    }
    // What comes in is not held up.
    receive(&server, "els@klant.example", "Tussendoor", "Dag.", &[]);
    server.admin().patch(&path, submission(PASSWORD)).expect(200);
    for id in &answers {
        wait::until("it to go out", Duration::from_secs(20), || {
            (delivery(&server, &case, id)["state"] == "sent").then_some(())
        });
    }
    let mails = dovecot.wait_for_mails(JAN, 2);
    assert_eq!(mails.len(), 2, "each once");
    assert!(server.admin().get(&path).expect(200)["submission"]["waiting"].is_null());
});

/// A line to a server that is cut once: after so many octets of what the near end sends, or hears.
struct Fragile {
    port: u16,
    cuts: Arc<AtomicUsize>,
}

impl Fragile {
    /// Cuts after `after` octets from the near end that follow the word `word`, `cuts` times; whole after that.
    fn of_words(to: u16, word: &'static str, after: usize, cuts: usize) -> Self {
        Self::start(to, true, word, after, cuts)
    }

    /// As [`of_words`](Self::of_words), by what the far end says.
    fn of_answers(to: u16, word: &'static str, after: usize, cuts: usize) -> Self {
        Self::start(to, false, word, after, cuts)
    }

    fn start(to: u16, words: bool, word: &'static str, after: usize, cuts: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let cuts = Arc::new(AtomicUsize::new(cuts));
        let left = Arc::clone(&cuts);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                for (from, into, watched) in [(&near, &far, words), (&far, &near, !words)] {
                    let (from, into) = (from.try_clone().expect("a line"), into.try_clone().expect("a line"));
                    let left = Arc::clone(&left);
                    let watch = watched.then_some((word, after));
                    std::thread::spawn(move || pass(from, into, watch, &left));
                }
            }
        });
        Self { port, cuts }
    }
}

fn pass(
    mut from: TcpStream,
    mut into: TcpStream,
    watch: Option<(&str, usize)>,
    left: &AtomicUsize,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 1_024];
    let (mut seen, mut since) = (Vec::new(), None);
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            let _ = into.shutdown(Shutdown::Both);
            return Ok(());
        }
        if let Some((word, after)) = watch {
            seen.extend_from_slice(&buffer[..read]);
            if since.is_none() {
                since = memchr::memmem::find(&seen, word.as_bytes());
            }
            if let Some(at) = since
                && seen.len() > at + after
                && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
            {
                let _ = from.shutdown(Shutdown::Both);
                let _ = into.shutdown(Shutdown::Both);
                return Ok(());
            }
        }
        into.write_all(&buffer[..read])?;
    }
}

on_both_engines!(a_line_that_drops_amid_the_mail_sends_it_again_and_once, |engine| {
    let (server, sink) = (Server::start(engine), Sink::start());
    // A few octets after the header has begun: the server never saw the end, so nobody has it.
    let line = Fragile::of_words(sink.port, "Message-ID:", 20, 1);
    let made = account(&server, Some(line.port));
    let path = format!("/channel-accounts/{}", text(&made, "id"));
    let case = text(&receive(&server, JAN, "Vraag", "Kan dit?", &[]), "id").to_owned();
    // More than the buffers of a line hold: a short mail is written to its end before anybody notices, and then nobody
    // knows (below).
    let file = vec![b'x'; 16 << 20];
    let file = server.admin().upload("/attachments", "groot.txt", "text/plain", &file).expect(201);
    let reply = json!({ "kind": "reply", "text": "Zie bijlage.", "attachment_ids": [file["id"]] });
    let sent = server.admin().post(&format!("/conversations/{case}/messages"), reply).expect(201);
    let id = text(&sent, "id").to_owned();
    wait::until("the line to drop", Duration::from_secs(20), || {
        (line.cuts.load(Ordering::SeqCst) == 0).then_some(())
    });
    wait::until("it to be told", Duration::from_secs(20), || {
        let one = delivery(&server, &case, &id);
        (one["state"] == "queued" && one["code"] == "line_dropped").then_some(())
    });
    assert!(sink.handed().is_empty());
    // Its next turn comes by itself; naming the server again is what does not wait for it.
    let again = json!({ "submission": { "host": "127.0.0.1", "port": line.port, "security": "none" } });
    server.admin().patch(&path, again).expect(200);
    wait::until("it to go out", Duration::from_secs(20), || {
        (delivery(&server, &case, &id)["state"] == "sent").then_some(())
    });
    assert_eq!(sink.handed().len(), 1);
});

on_both_engines!(a_line_that_drops_after_the_mail_sends_nothing_again_alone, |engine| {
    let (server, sink) = (Server::start(engine), Sink::that_breaks_off());
    account(&server, Some(sink.port));
    let case = text(&receive(&server, JAN, "Vraag", "Kan dit?", &[]), "id").to_owned();
    let id = answer(&server, &case, "Ja.");
    wait::until("it to be told", Duration::from_secs(20), || {
        let one = delivery(&server, &case, &id);
        (one["state"] == "unknown" && one["code"] == "line_dropped").then_some(())
    });
    receive(&server, "els@klant.example", "Tussendoor", "Dag.", &[]);
    wait::pause(Duration::from_secs(2));
    assert_eq!(sink.handed().len(), 1, "a person decides");
    assert_eq!(delivery(&server, &case, &id)["state"], "unknown");
});

/// How many mails a Postfix was handed, by the numbers of its queue.
fn taken(postfix: &Postfix) -> usize {
    let log = postfix.log();
    let numbers = log.lines().filter_map(|line| line.split_once(": client=")?.0.rsplit(' ').next());
    numbers.collect::<HashSet<_>>().len()
}

on_both_engines!(a_mail_whose_line_dropped_fails_by_its_report_and_is_not_sent_again, |engine| {
    let server = Server::start(engine);
    let routes = [
        ("klant.example", Route::Smtp(server_that_says("550 5.1.1 No such mailbox"))),
        ("winkel.example", Route::Smtp(server.smtp)),
    ];
    let Some(postfix) = Postfix::start(&Options { routes: &routes, ..Options::default() }) else { return };
    // After its leave to send the text, within its word that it has it: Postfix does, and nobody here knows.
    let line = Fragile::of_answers(postfix.smtp, "354 End data", 40, 1);
    account(&server, Some(line.port));
    let case = text(&receive(&server, JAN, "Vraag", "Kan dit?", &[]), "id").to_owned();
    let id = answer(&server, &case, "Ja.");
    let failed = wait::until("the report", Duration::from_secs(40), || {
        let one = delivery(&server, &case, &id);
        (one["state"] == "failed").then_some(one)
    });
    assert_eq!(line.cuts.load(Ordering::SeqCst), 0, "the line did drop");
    assert_eq!(failed["code"], "unknown_recipient", "{failed}");
    assert!(text(&failed, "remote_reply").contains("550 5.1.1 No such mailbox"), "{failed}");
    // The report may be quicker than a look: what it found stands in the history.
    let path = format!("/conversations/{case}");
    let activity = server.admin().get(&format!("{path}/activity")).expect(200);
    let all = activity["items"].as_array().expect("items").iter();
    let about: Vec<_> =
        all.filter(|one| one["kind"] == "delivery").map(|one| (&one["from"], &one["to"])).collect();
    assert_eq!(about, [(&json!("unknown"), &json!("failed"))], "{activity}");
    assert_eq!(server.admin().get(&path).expect(200)["delivery_problem"], true);
    wait::pause(Duration::from_secs(2));
    assert_eq!(taken(&postfix), 1, "{}", postfix.log());
    assert_eq!(delivery(&server, &case, &id)["state"], "failed");
});

on_both_engines!(a_mailbox_whose_line_drops_amid_a_mail_is_read_whole_and_once, |engine| {
    let dovecot = Dovecot::start(&[(DESK, PASSWORD)]);
    let mail = |number: usize| {
        format!(
            "Return-Path: <{JAN}>\r\nMessage-ID: <half-{number}@klant.example>\r\nFrom: Jan <{JAN}>\r\nTo: {DESK}\r\n\
             Subject: Vraag {number}\r\n\r\n{}\r\nEinde {number}.\r\n",
            "Een regel van een lange mail.\r\n".repeat(2_000)
        )
        .into_bytes()
    };
    dovecot.lay(DESK, (0..6).map(mail));
    // Amid the words of the third mail, three times over.
    let line = Fragile::of_answers(dovecot.imap, "half-2@klant.example", 9_000, 3);
    let server = trusting(engine, &dovecot.certificate.authority);
    let reads = json!({
        "kind": "email", "address": DESK, "from_name": "Winkel",
        "retrieval": {
            "host": "127.0.0.1", "port": line.port, "security": "none", "username": DESK, "password": PASSWORD,
            "existing": true,
        },
    });
    let made = server.admin().post("/channel-accounts", reads).expect(201);
    let path = format!("/channel-accounts/{}", text(&made, "id"));
    wait::until("all of it", Duration::from_secs(120), || {
        let sums = server.admin().get(&format!("{path}/accounting")).expect(200);
        (sums["imported"] == 6 && sums["pending"] == 0).then_some(())
    });
    assert_eq!(line.cuts.load(Ordering::SeqCst), 0, "the line did drop");
    let page = server.admin().get("/conversations?status=all&limit=100").expect(200);
    let items = page["items"].as_array().expect("items");
    assert_eq!(items.len(), 6, "each once");
    for row in items {
        let path = format!("/conversations/{}/messages", text(row, "id"));
        let messages = server.admin().get(&path).expect(200);
        let words = text(&messages["items"][0], "text");
        let number = text(row, "subject").rsplit(' ').next().unwrap();
        assert!(words.ends_with(&format!("Einde {number}.")), "{} is whole", row["subject"]);
    }
    server.admin().delete(&path).expect(204);
});
