// SPDX-License-Identifier: EUPL-1.2
//! Crash: the server is killed under load, at random moments and at the points between two durable
//! steps, and started again. What was acknowledged is there exactly once, opens and is found; what
//! an agent sent is written once and reaches the customer at most once.
//!
//! `BELOFTE_KILLS` says how often to kill on each engine (3 without it, 100 in the long suite),
//! `BELOFTE_SEED` repeats a run. A kill keeps what the system holds in memory: that every commit
//! is synced to the disk shows in the test of a power cut, not here.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::empty::stop_and_be_empty;
use crate::support::client::{Client, Response};
use crate::support::collector::Collector;
use crate::support::lane::{Lane, Mail};
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::wait;

const DESK: &str = "info@winkel.example";
/// Connections that send at once.
const LANES: usize = 8;
/// Mails of one connection between two kills.
const MAILS: usize = 10;
/// Recovery takes seconds; the leases of the killed process would last for a minute and for twenty.
const RECOVERY: Duration = Duration::from_secs(25);

/// A number of the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

/// Chance that can be repeated (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// The outcome of a mail as its sender knows it.
struct Sent {
    mail: Mail,
    acknowledged: bool,
}

/// An answer of an agent, and what came back.
struct Answer {
    key: String,
    word: String,
    conversation: String,
    id: Option<String>,
}

struct Siege {
    server: Server,
    account: String,
    customer: Collector,
    sent: Vec<Sent>,
    answers: Vec<Answer>,
    /// Copies that were acknowledged: a mail that was sent twice.
    acknowledged: u64,
}

impl Siege {
    fn begin(engine: Engine) -> Self {
        let server = Server::start(engine);
        let customer = Collector::start(Duration::from_millis(15));
        let account = json!({
            "kind": "email", "address": DESK, "from_name": "Winkel",
            "submission": { "host": "127.0.0.1", "port": customer.port, "security": "none" },
        });
        let account = server.admin().post("/channel-accounts", account).expect(201);
        let account = account["id"].as_str().expect("an id").to_owned();
        Self { server, account, customer, sent: Vec::new(), answers: Vec::new(), acknowledged: 0 }
    }

    /// A case to answer in.
    fn case(&mut self, round: u64) -> String {
        let mail = Mail::new(&format!("zaak{round:04}vraag"), 0);
        let mut lane = Lane::connect(self.server.smtp).expect("it listens");
        assert_eq!(lane.send(&mail, DESK).expect("it runs"), 250);
        let hit = wait::until("the case", RECOVERY, || find(self.server.admin(), &mail.word).pop());
        self.acknowledged += 1;
        self.sent.push(Sent { mail, acknowledged: true });
        hit["conversation"]["id"].as_str().expect("an id").to_owned()
    }

    /// Sends from all lanes and answers in `conversation` while `end` decides when the process dies.
    fn load(&mut self, round: u64, conversation: &str, end: impl FnOnce(&mut Server)) {
        let (sent, answers) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let (port, admin) = (self.server.smtp, self.server.admin().clone());
        let server = &mut self.server;
        let acknowledged = std::thread::scope(|scope| {
            let lanes: Vec<_> = (0..LANES)
                .map(|number| {
                    let sent = &sent;
                    scope.spawn(move || lane(port, round, number, sent))
                })
                .collect();
            scope.spawn(|| {
                for number in 0..MAILS {
                    let (key, word) = (format!("r{round}-{number}"), format!("zin{round:04}n{number:03}x"));
                    let mut answer = Answer { key, word, conversation: conversation.to_owned(), id: None };
                    let ended = post(&admin, &answer);
                    let gone = ended.is_err();
                    answer.id = ended.ok().map(|response| id_of(&response));
                    answers.lock().expect("no thread panics here").push(answer);
                    if gone {
                        return;
                    }
                }
            });
            end(server);
            lanes.into_iter().map(|lane| lane.join().expect("a lane does not panic")).sum::<u64>()
        });
        self.acknowledged += acknowledged;
        self.sent.extend(sent.into_inner().expect("no thread panicked"));
        self.answers.extend(answers.into_inner().expect("no thread panicked"));
    }

    /// Waits until the restarted server has done what the killed one left.
    fn recover(&mut self, round: u64) {
        let admin = self.server.admin();
        let sum = wait::until("nothing to be pending", RECOVERY, || {
            let sum = admin.get(&format!("/channel-accounts/{}/accounting", self.account)).expect(200);
            balanced(&sum);
            (sum["pending"] == 0).then_some(sum)
        });
        assert_eq!(sum["quarantined"], 0, "{sum}\n{}", self.server.logs());
        let received = sum["received"].as_u64().expect("a number");
        assert!(received >= self.acknowledged, "{received} received, {} acknowledged", self.acknowledged);
        let dead = admin.get("/dead-letters").expect(200);
        assert_eq!(dead["items"].as_array().map(Vec::len), Some(0), "{dead}");
        // The agent's browser sends again what it knows no end of, and what it has forgotten the end of.
        let this_round = format!("r{round}-");
        for answer in self.answers.iter_mut().filter(|answer| answer.key.starts_with(&this_round)) {
            let id = id_of(&post(admin, answer).expect("it runs"));
            if let Some(known) = &answer.id {
                assert_eq!(&id, known, "the same request has the same answer");
            }
            answer.id = Some(id);
        }
    }

    /// Checks everything that was sent since number `from`.
    fn check(&self, from: (usize, usize)) {
        let admin = self.server.admin();
        for Sent { mail, acknowledged } in &self.sent[from.0..] {
            // Answers carry the subject of what they answer: one case, however often it is found.
            let mut hits = find(admin, &mail.word);
            hits.dedup_by_key(|hit| hit["conversation"]["id"].to_string());
            if hits.is_empty() && !acknowledged {
                continue;
            }
            assert_eq!(hits.len(), 1, "{} ({acknowledged}): {hits:?}", mail.word);
            let case = hits[0]["conversation"]["id"].as_str().expect("an id");
            let page = admin.get(&format!("/conversations/{case}/messages")).expect(200);
            let messages = page["items"].as_array().expect("items");
            let incoming: Vec<&Value> =
                messages.iter().filter(|message| message["kind"] == "incoming").collect();
            assert_eq!(incoming.len(), 1, "{page}");
            assert_eq!(incoming[0]["subject"], mail.subject());
            assert!(incoming[0]["text"].as_str().expect("a text").contains(&mail.word));
            if let Some(expected) = mail.attached() {
                let id = incoming[0]["attachments"][0]["id"].as_str().expect("an attachment");
                let path = format!("/api/v1/attachments/{id}");
                let file = admin.exchange(Method::GET, &path, &[], Vec::new());
                assert_eq!(file.status, 200);
                assert!(file.body == expected, "the attachment of {} has other bytes", mail.word);
            }
        }
        for answer in &self.answers[from.1..] {
            self.check_answer(answer);
        }
    }

    /// Written once; delivered once, or at most once where the desk shows that it does not know.
    fn check_answer(&self, answer: &Answer) {
        let page = format!("/conversations/{}/messages?limit=100", answer.conversation);
        let state = wait::until("an end of a delivery", RECOVERY, || {
            let page = self.server.admin().get(&page).expect(200);
            let messages = page["items"].as_array().expect("items").clone();
            let mut own = messages
                .into_iter()
                .filter(|message| message["text"].as_str().is_some_and(|text| text.contains(&answer.word)));
            let message = own.next().expect("what was answered with 201 is there");
            assert!(own.next().is_none(), "{} was written twice", answer.word);
            assert_eq!(message["id"].as_str(), answer.id.as_deref());
            let state = message["deliveries"][0]["state"].as_str().expect("a state").to_owned();
            (state != "queued" && state != "sending").then_some(state)
        });
        let taken = self.customer.count(&answer.word);
        match state.as_str() {
            "sent" => assert_eq!(taken, 1, "{} is shown as sent", answer.word),
            "unknown" => assert!(taken <= 1, "{} went out {taken} times", answer.word),
            other => panic!("{} is {other}", answer.word),
        }
    }

    /// Counts every case: none is there twice, and there are as many as the accounting says.
    fn check_all(&self) {
        let admin = self.server.admin();
        let mut cases: BTreeMap<String, u64> = BTreeMap::new();
        let mut cursor = String::new();
        loop {
            let page = admin.get(&format!("/conversations?status=all&limit=100{cursor}")).expect(200);
            for case in page["items"].as_array().expect("items") {
                *cases.entry(case["subject"].as_str().expect("a subject").to_owned()).or_default() += 1;
            }
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let doubled: Vec<_> = cases.iter().filter(|(_, count)| **count != 1).collect();
        assert!(doubled.is_empty(), "{doubled:?}");
        for Sent { mail, acknowledged } in &self.sent {
            assert!(!acknowledged || cases.contains_key(&mail.subject()), "{} is lost", mail.word);
        }
        let sum = admin.get(&format!("/channel-accounts/{}/accounting", self.account)).expect(200);
        assert_eq!(sum["imported"].as_u64(), Some(cases.len() as u64), "{sum}");
    }
}

fn balanced(sum: &Value) {
    let of = |name: &str| sum[name].as_i64().expect("a number");
    let parts = of("imported") + of("duplicates") + of("quarantined") + of("pending");
    assert_eq!(of("received"), parts, "{sum}");
}

fn find(admin: &Client, word: &str) -> Vec<Value> {
    let found = admin.post("/search", json!({ "q": word })).expect(200);
    let hits = found["items"].as_array().expect("items").clone();
    hits.into_iter().filter(|hit| hit["message_id"].is_string()).collect()
}

/// Posts an answer under its idempotency key.
fn post(admin: &Client, answer: &Answer) -> Result<Response, String> {
    let body = json!({ "kind": "reply", "text": format!("Ons {}.", answer.word), "attachment_ids": [] });
    let headers = [("content-type", "application/json"), ("idempotency-key", answer.key.as_str())];
    let path = format!("/api/v1/conversations/{}/messages", answer.conversation);
    admin.try_exchange(Method::POST, &path, &headers, body.to_string().into_bytes())
}

fn id_of(response: &Response) -> String {
    response.expect(201)["id"].as_str().expect("an id").to_owned()
}

/// One lane: the first two send large mails, the last two everything twice. Ends with the server.
fn lane(port: u16, round: u64, number: usize, sent: &Mutex<Vec<Sent>>) -> u64 {
    let mut acknowledged = 0;
    let Ok(mut lane) = Lane::connect(port) else { return 0 };
    for count in 0..MAILS {
        let size = if number < 2 { 50_000 } else { 0 };
        let mail = Mail::new(&format!("woord{round:04}l{number}n{count:03}x"), size);
        let mut taken = false;
        let mut gone = false;
        for _ in 0..if number >= LANES - 2 { 2 } else { 1 } {
            match lane.send(&mail, DESK) {
                Ok(250) => {
                    taken = true;
                    acknowledged += 1;
                }
                Ok(code) => assert!((400..500).contains(&code), "{code}"),
                Err(_) => gone = true,
            }
            if gone {
                break;
            }
        }
        sent.lock().expect("no lane panics here").push(Sent { mail, acknowledged: taken });
        if gone {
            break;
        }
    }
    acknowledged
}

#[allow(clippy::disallowed_methods, reason = "waits for another process in real time")]
fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// Waits until the process has died at its fail point, or the load is over and it has not.
fn died(server: &Server) -> bool {
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", server.smtp)).is_err() {
            return true;
        }
        pause(Duration::from_millis(20));
    }
    false
}

on_both_engines!(what_was_acknowledged_is_there_once_after_every_kill, |engine| {
    let seed = setting("BELOFTE_SEED", 0x5eed + u64::from(engine == Engine::Postgres));
    let kills = setting("BELOFTE_KILLS", 3);
    eprintln!("seed {seed}, {kills} kills");
    let mut chance = Chance(seed | 1);
    let mut siege = Siege::begin(engine);
    let points: &[&str] = match engine {
        Engine::Sqlite => &["ContentCommitted", "BlobWritten", "KeysCommitted", "Answered"],
        Engine::Postgres => &["ContentCommitted", "BlobWritten", "KeysCommitted"],
    };
    for kill in 0..kills {
        let from = (siege.sent.len(), siege.answers.len());
        let case = siege.case(kill);
        if kill % 2 == 0 {
            // Between two durable steps. The first few times belong to the start.
            let point = points[usize::try_from(kill / 2).expect("small") % points.len()];
            let count = if point == "BlobWritten" { 1 + chance.below(12) } else { 15 + chance.below(60) };
            siege.server.stop();
            siege.server.boot_with(&[("BELOFTE_FAIL", &format!("{point}:{count}"))]);
            siege.load(kill, &case, |server| if died(server) { server.stop() } else { server.kill() });
        } else {
            let moment = Duration::from_millis(20 + chance.below(1_000));
            siege.load(kill, &case, |server| {
                pause(moment);
                server.kill();
            });
        }
        if kill % 3 == 1 {
            // Killed again while it takes up what the first kill left.
            siege.server.boot();
            pause(Duration::from_millis(chance.below(300)));
            siege.server.kill();
        }
        siege.server.boot();
        siege.recover(kill);
        siege.check(from);
    }
    siege.check_all();
    stop_and_be_empty(&mut siege.server);
});

on_both_engines!(an_answer_repeated_after_a_crash_is_written_once, |engine| {
    let mut siege = Siege::begin(engine);
    let case = siege.case(0);
    // An answer takes half a dozen commits from its request to its delivery: the process dies after
    // each of them, one start after the other.
    for (round, commit) in (12..22).enumerate() {
        siege.server.stop();
        siege.server.boot_with(&[("BELOFTE_FAIL", &format!("ContentCommitted:{commit}"))]);
        for number in 0..10 {
            let (key, word) = (format!("r{round}-{number}"), format!("zin{round:04}n{number:03}x"));
            let mut answer = Answer { key, word, conversation: case.clone(), id: None };
            let ended = post(siege.server.admin(), &answer);
            answer.id = ended.as_ref().ok().map(id_of);
            siege.answers.push(answer);
            if ended.is_err() {
                break;
            }
        }
        assert!(died(&siege.server), "commit {commit} was not reached");
        siege.server.stop();
        siege.server.boot();
        siege.recover(u64::try_from(round).expect("small"));
    }
    siege.answers.iter().for_each(|answer| siege.check_answer(answer));
    stop_and_be_empty(&mut siege.server);
});

on_both_engines!(a_data_folder_serves_one_process, |engine| {
    let server = Server::start(engine);
    let second = server.command(&["serve"]);
    let told = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success());
    assert!(told.contains("another process serves from the data folder"), "{told}");
    server.admin().get("/session").expect(200);
});
