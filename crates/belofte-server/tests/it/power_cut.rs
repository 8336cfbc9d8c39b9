// SPDX-License-Identifier: EUPL-1.2
//! Power cut: the server works on a disk that keeps only what was synced, and the power fails at random
//! moments. What was acknowledged before is there exactly once on the disk that is left, opens and is found;
//! the sums add up, the ledger holds, the doctor is content, no key and no blob is missing.
//!
//! The real server runs under load with the library of crates/belofte-powercut preloaded, which keeps
//! a diary of every change and every sync of its data folder. For a cut the data folder is built anew from a
//! beginning of the diary (see `support/disk.rs`), and the real server starts on it. On the embedded engine the
//! cut is at any record of the diary. On PostgreSQL the databases cannot be taken back, so the cut
//! is where the process was killed, each time with another loss; that the databases keep what they committed
//! is PostgreSQL's promise, and the test is about the data folder.
//!
//! That the test can fail is part of it: the same diary, read by a disk that ignores the syncs of databases
//! (which is what `synchronous=OFF` is: SQLite makes the same writes and asks for no sync) or those of the
//! folders of blobs, must lose something. So no build and no switch of the product is needed that nobody runs.
//!
//! `BELOFTE_POWER_CUTS` says how often to cut on each engine (6 without it, 500 in the long suite),
//! `BELOFTE_SEED` repeats the choices, though not the timing of the load.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::collector::Collector;
use crate::support::disk::{Chance, Deaf, Disk, Loss, files_of, moments};
use crate::support::lane::{Lane, Mail};
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::wait;

const DESK: &str = "info@winkel.example";
/// Connections that send at once.
const LANES: usize = 6;
/// How long a server may take to do what the last one left.
const RECOVERY: Duration = Duration::from_secs(30);
/// Cuts of one diary.
const CUTS: u64 = 12;
/// Of what was acknowledged, so much is opened and looked for after each cut: the newest, and as many by chance.
const OPENED: usize = 6;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

/// Something that the server said yes to, and how long the diary was at that moment.
struct Told<T> {
    what: T,
    at: Option<u64>,
}

/// A reply or a note, with a file.
struct Answer {
    word: String,
    conversation: String,
    file: Vec<u8>,
}

/// A server that was under load until its process died, with the diary of its data folder.
struct Night {
    server: Server,
    diary: Vec<u8>,
    account: String,
    /// From here on there is a tenant, and from the second on its admin with a channel account.
    tenant_at: u64,
    ready_at: u64,
    mails: Vec<Told<Mail>>,
    answers: Vec<Told<Answer>>,
    /// How long a server may take to do what the last one left.
    patience: Duration,
    /// Takes the replies; it is there as long as somebody may send one.
    _customer: Collector,
}

/// The library that keeps the diary: Cargo puts it beside this program.
fn library() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    let library = program.with_file_name("libbelofte_powercut.so");
    assert!(library.is_file(), "{} is built with the tests", library.display());
    library
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |file| file.len())
}

#[allow(clippy::disallowed_methods, reason = "waits for another process in real time")]
fn pause(span: Duration) {
    std::thread::sleep(span);
}

impl Night {
    /// Starts a server, loads it for a while, lets it die, perhaps starts and loads it again.
    fn pass(engine: Engine, chance: &mut Chance) -> Self {
        let mut file = PathBuf::new();
        let mut server = Server::start_in(engine, "", |server| {
            file = server.scratch().join("diary");
            let name = |path: &Path| path.display().to_string();
            vec![
                ("LD_PRELOAD".to_owned(), name(&library())),
                ("BELOFTE_POWERCUT_FOLDER".to_owned(), name(&server.data_folder())),
                ("BELOFTE_POWERCUT_DIARY".to_owned(), name(&file)),
            ]
        });
        let tenant_at = length(&file);
        let customer = Collector::start(Duration::from_millis(5));
        let account = json!({
            "kind": "email", "address": DESK, "from_name": "Winkel",
            "submission": { "host": "127.0.0.1", "port": customer.port, "security": "none" },
        });
        let account = server.admin().post("/channel-accounts", account).expect(201);
        let account = account["id"].as_str().expect("an id").to_owned();
        let ready_at = length(&file);
        let (mut mails, mut answers) = (Vec::new(), Vec::new());
        for round in 0..1 + chance.below(2) {
            if round > 0 {
                server.boot();
            }
            let span = Duration::from_millis(500 + chance.below(1_500));
            load(&mut server, &file, round, span, chance.below(3) == 0, (&mut mails, &mut answers));
        }
        let diary = fs::read(&file).expect("a diary");
        Self {
            server,
            diary,
            account,
            tenant_at,
            ready_at,
            mails,
            answers,
            patience: RECOVERY,
            _customer: customer,
        }
    }

    /// The folder as the process left it is what the diary tells, to the last octet: nothing was written
    /// past the diary.
    fn diary_is_whole(&self) {
        let folder = tempfile::tempdir().expect("a folder");
        self.cut(folder.path(), self.diary.len() as u64, Loss::Nothing, Chance::new(1), |_| false);
        let (told, real) = (files_of(&folder.path().join("data")), files_of(&self.server.data_folder()));
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&told), names(&real));
        for (name, content) in &real {
            assert!(told[name] == *content, "{name} holds what the diary does not tell");
        }
    }

    fn cut(&self, to: &Path, at: u64, loss: Loss, chance: Chance, deaf: Deaf) {
        let mut disk = Disk::new(&self.server.data_folder(), deaf);
        disk.advance(&self.diary, at);
        disk.cut(to, loss, chance);
    }

    /// A moment of the diary: at first start, just after something was acknowledged, or anywhere later.
    fn moment(&self, chance: &mut Chance) -> u64 {
        let all = moments(&self.diary);
        if self.server.engine == Engine::Postgres {
            return *all.last().expect("something happened");
        }
        let told = |at: Option<u64>| at.filter(|at| *at > 0);
        let acknowledged: Vec<u64> = self.mails.iter().filter_map(|told_mail| told(told_mail.at)).collect();
        let of = |list: &[u64], chance: &mut Chance| {
            list[usize::try_from(chance.below(list.len() as u64)).expect("small")]
        };
        match chance.below(10) {
            0 => {
                let early: Vec<u64> = all.into_iter().filter(|moment| *moment < self.ready_at).collect();
                of(&early, chance)
            }
            1..4 if !acknowledged.is_empty() => of(&acknowledged, chance),
            _ => {
                let late: Vec<u64> = all.into_iter().filter(|moment| *moment >= self.ready_at).collect();
                of(&late, chance)
            }
        }
    }

    /// Lets the power fail, starts a server on what is left and looks at everything.
    fn survive(&self, at: u64, loss: Loss, chance: &mut Chance, deaf: Deaf) {
        let mut server = self.server.twin("");
        self.cut(server.scratch(), at, loss, chance.clone(), deaf);
        server.boot();
        if at >= self.ready_at {
            self.sums(&server, at);
            self.mails(&server, at, chance);
            self.answers(&server, at);
            ledger(&server);
        } else if at >= self.tenant_at {
            let tenants = server.command_json(&["tenant", "list"]).to_string();
            assert!(tenants.contains(&self.server.tenant.id), "{tenants}");
        } else {
            // Nothing was promised yet; what was half made is taken up.
            server.command_json(&["tenant", "create", "ander", "--name", "Ander"]);
        }
        doctor(&server);
        server.stop();
        nothing_is_missing(&server);
    }

    fn sums(&self, server: &Server, at: u64) {
        let path = format!("/channel-accounts/{}/accounting", self.account);
        let sum = wait::until("nothing to be pending", self.patience, || {
            let sum = server.admin().get(&path).expect(200);
            let of = |name: &str| sum[name].as_i64().expect("a number");
            let parts = of("imported") + of("duplicates") + of("quarantined") + of("pending");
            assert_eq!(of("received"), parts, "{sum}");
            (of("pending") == 0).then_some(sum)
        });
        assert_eq!(sum["quarantined"], 0, "{sum}\n{}", server.logs());
        let told = self.mails.iter().filter(|mail| mail.at.is_some_and(|told| told <= at)).count();
        assert!(sum["received"].as_u64().expect("a number") >= told as u64, "{told} acknowledged: {sum}");
        let dead = server.admin().get("/dead-letters").expect(200);
        assert_eq!(dead["items"].as_array().map(Vec::len), Some(0), "{dead}");
        let cases = cases(server.admin());
        assert_eq!(sum["imported"].as_u64(), Some(cases.values().map(|ids| ids.len() as u64).sum()), "{sum}");
    }

    fn mails(&self, server: &Server, at: u64, chance: &mut Chance) {
        let cases = cases(server.admin());
        for (subject, ids) in &cases {
            assert_eq!(ids.len(), 1, "{subject} is there more than once");
        }
        let mut told: Vec<(u64, &Mail)> = Vec::new();
        for mail in &self.mails {
            if let Some(when) = mail.at.filter(|when| *when <= at) {
                assert!(cases.contains_key(&mail.what.subject()), "{} is lost", mail.what.word);
                told.push((when, &mail.what));
            }
        }
        told.sort_by_key(|(when, _)| std::cmp::Reverse(*when));
        let older = told.split_off(told.len().min(OPENED));
        for _ in 0..OPENED.min(older.len()) {
            told.push(older[usize::try_from(chance.below(older.len() as u64)).expect("small")]);
        }
        for (_, mail) in told {
            let case = &cases[&mail.subject()][0];
            let found = find(server.admin(), &mail.word);
            assert!(found.iter().any(|id| id == case), "{} is not found", mail.word);
            let messages = messages(server.admin(), case);
            let incoming: Vec<&Value> =
                messages.iter().filter(|message| message["kind"] == "incoming").collect();
            assert_eq!(incoming.len(), 1, "{messages:?}");
            assert!(incoming[0]["text"].as_str().expect("a text").contains(&mail.word));
            if let Some(expected) = mail.attached() {
                assert!(attached(server.admin(), incoming[0]) == expected, "the file of {}", mail.word);
            }
        }
    }

    fn answers(&self, server: &Server, at: u64) {
        let mut told: Vec<&Told<Answer>> = self.answers.iter().collect();
        told.sort_by_key(|answer| answer.at.filter(|when| *when <= at));
        for answer in told.into_iter().rev().take(OPENED) {
            if answer.at.is_none_or(|when| when > at) {
                continue;
            }
            let word = &answer.what.word;
            let messages = messages(server.admin(), &answer.what.conversation);
            let mut own = messages.iter().filter(|message| {
                message["kind"] != "incoming"
                    && message["text"].as_str().is_some_and(|text| text.contains(word))
            });
            let message = own.next().unwrap_or_else(|| panic!("{word} is lost"));
            assert!(own.next().is_none(), "{word} is there twice");
            assert!(attached(server.admin(), message) == answer.what.file, "the file of {word}");
            assert!(!find(server.admin(), word).is_empty(), "{word} is not found");
        }
    }
}

/// Sends mails and answers them until `span` is over; then the process is killed, or ends as it should when it is to be
/// `gentle`.
fn load(
    server: &mut Server,
    diary: &Path,
    round: u64,
    span: Duration,
    gentle: bool,
    (mails, answers): (&mut Vec<Told<Mail>>, &mut Vec<Told<Answer>>),
) {
    let first = Mail::new(&format!("zaak{round:04}vraag"), 0);
    let mut line = Lane::connect(server.smtp).expect("it listens");
    assert_eq!(line.send(&first, DESK).expect("it runs"), 250);
    let at = Some(length(diary));
    let case = wait::until("the case", RECOVERY, || find(server.admin(), &first.word).pop());
    mails.push(Told { what: first, at });
    let (sent, said) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let (port, admin) = (server.smtp, server.admin().clone());
    std::thread::scope(|scope| {
        for number in 0..LANES {
            let sent = &sent;
            scope.spawn(move || lane(port, diary, round, number, sent));
        }
        let said = &said;
        scope.spawn(move || {
            for number in 0.. {
                let answer = Answer {
                    word: format!("zin{round:04}n{number:03}x"),
                    conversation: case.clone(),
                    file: (0..90_000_u32).map(|octet| (octet.wrapping_mul(number + 7) >> 5) as u8).collect(),
                };
                let told = catch_unwind(AssertUnwindSafe(|| post(&admin, &answer, number % 2 == 0)));
                let gone = told.is_err();
                let at = told.ok().map(|()| length(diary));
                said.lock().expect("no thread panics here").push(Told { what: answer, at });
                if gone {
                    return;
                }
            }
        });
        pause(span);
        if gentle {
            server.stop();
        } else {
            // Not between a change and its record.
            let whole = fs::File::open(diary).expect("a diary");
            whole.lock().expect("nobody keeps it");
            server.kill();
        }
    });
    mails.extend(sent.into_inner().expect("no thread panicked"));
    answers.extend(said.into_inner().expect("no thread panicked"));
}

/// One lane: every third mail is large. Ends with the server.
fn lane(port: u16, diary: &Path, round: u64, number: usize, sent: &Mutex<Vec<Told<Mail>>>) {
    let Ok(mut lane) = Lane::connect(port) else { return };
    for count in 0.. {
        let size = if count % 3 == number % 3 { 60_000 } else { 0 };
        let mail = Mail::new(&format!("woord{round:04}l{number}n{count:03}x"), size);
        let answer = lane.send(&mail, DESK);
        let at = matches!(answer, Ok(250)).then(|| length(diary));
        sent.lock().expect("no lane panics here").push(Told { what: mail, at });
        match answer {
            Ok(code) => assert!(code == 250 || (400..500).contains(&code), "{code}"),
            Err(_) => return,
        }
    }
}

/// Uploads the file of an answer and writes it, as a reply or as a note.
fn post(admin: &Client, answer: &Answer, reply: bool) {
    let name = format!("{}.bin", answer.word);
    let file = admin.upload("/attachments", &name, "application/octet-stream", &answer.file).expect(201);
    let body = json!({
        "kind": if reply { "reply" } else { "note" },
        "text": format!("Ons {}.", answer.word),
        "attachment_ids": [file["id"]],
    });
    admin.post(&format!("/conversations/{}/messages", answer.conversation), body).expect(201);
}

fn find(admin: &Client, word: &str) -> Vec<String> {
    let found = admin.post("/search", json!({ "q": word })).expect(200);
    let hits = found["items"].as_array().expect("items");
    let cases = hits.iter().filter(|hit| hit["message_id"].is_string());
    cases.map(|hit| hit["conversation"]["id"].as_str().expect("an id").to_owned()).collect()
}

fn messages(admin: &Client, case: &str) -> Vec<Value> {
    let page = admin.get(&format!("/conversations/{case}/messages?limit=100")).expect(200);
    page["items"].as_array().expect("items").clone()
}

fn attached(admin: &Client, message: &Value) -> Vec<u8> {
    let id = message["attachments"][0]["id"].as_str().expect("an attachment");
    let file = admin.exchange(Method::GET, &format!("/api/v1/attachments/{id}"), &[], Vec::new());
    assert_eq!(file.status, 200);
    file.body.to_vec()
}

/// The conversations of each subject.
fn cases(admin: &Client) -> BTreeMap<String, Vec<String>> {
    let mut cases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = admin.get(&format!("/conversations?status=all&limit=100{cursor}")).expect(200);
        for case in page["items"].as_array().expect("items") {
            let text = |name: &str| case[name].as_str().expect("a text").to_owned();
            cases.entry(text("subject")).or_default().push(text("id"));
        }
        let Some(next) = page["next_cursor"].as_str() else { return cases };
        cursor = format!("&cursor={next}");
    }
}

/// The ledger, exported and verified.
fn ledger(server: &Server) {
    let exported = server.admin().post_nothing("/ledger/export");
    assert_eq!(exported.status, 200);
    let archive = server.scratch().join("ledger.tar");
    fs::write(&archive, &exported.body).expect("our own folder");
    let unpacked = Command::new("tar").arg("-xf").arg(&archive).current_dir(server.scratch()).status();
    assert!(unpacked.is_ok_and(|status| status.success()));
    let folder = server.scratch().join("ledger").display().to_string();
    let verified = server.command(&["ledger", "verify", &folder]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// The doctor finds nothing but what the operator has to do: name a second place for keys, keep a copy of the root
/// key, choose a role for the databases.
fn doctor(server: &Server) {
    const OF_THE_OPERATOR: [&str; 3] = ["key_backup", "root_key_copy", "role"];
    let told: Value =
        serde_json::from_slice(&server.command(&["doctor", "--json"]).stdout).expect("--json tells JSON");
    for check in told["checks"].as_array().expect("checks") {
        let name = check["check"].as_str().expect("a name");
        assert!(check["state"] != "finding" || OF_THE_OPERATOR.contains(&name), "{check}");
    }
}

/// Which rows of a table name a key that must be there: what was filed keeps the name of its spool key, which
/// is destroyed.
fn alive(table: &str) -> &'static str {
    if table == "intake" { "state NOT IN ('imported', 'duplicate')" } else { "key_id IS NOT NULL" }
}

/// Every key that a row names and every file that a row speaks of is there.
fn nothing_is_missing(server: &Server) {
    let (named, keys, files) = match server.databases() {
        Some([content, keys]) => {
            let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
            let all = |sql: &str| lines(content.query(&format!("SET belofte.scope = 'system'; {sql}")));
            let tables =
                all("SELECT table_name FROM information_schema.columns WHERE column_name = 'key_id'");
            let plain = |column: &str| format!("replace({column}::text, '-', '')");
            let of =
                |table: &String| format!("SELECT {} FROM {table} WHERE {}", plain("key_id"), alive(table));
            // One question: each is a program of its own.
            let named = all(&tables.iter().map(of).collect::<Vec<_>>().join(" UNION "));
            let named: HashSet<String> = named.into_iter().collect();
            let known = format!("SET belofte.scope = 'system'; SELECT {} FROM key", plain("id"));
            let known = lines(keys.query(&known));
            let files = format!(
                "SELECT {} || ' ' || {} || ' ' || size_bytes FROM blob WHERE data IS NULL",
                plain("tenant_id"),
                plain("id")
            );
            (named, known, all(&files))
        }
        None => {
            let open =
                |name: &str| rusqlite::Connection::open(server.data_folder().join(name)).expect("a database");
            let (content, keys) = (open("content.db"), open("keys.db"));
            let all = |of: &rusqlite::Connection, sql: &str| -> Vec<String> {
                let mut statement = of.prepare(sql).expect("a question");
                let rows = statement.query_map([], |row| row.get(0)).expect("rows");
                rows.collect::<Result<_, _>>().expect("text")
            };
            for database in [&content, &keys] {
                assert_eq!(all(database, "PRAGMA integrity_check"), ["ok"]);
            }
            let tables = all(
                &content,
                "SELECT t.name FROM sqlite_master t, pragma_table_info(t.name) c \
                 WHERE t.type = 'table' AND c.name = 'key_id'",
            );
            let named: HashSet<String> = tables
                .iter()
                .flat_map(|table| {
                    all(
                        &content,
                        &format!("SELECT DISTINCT lower(hex(key_id)) FROM {table} WHERE {}", alive(table)),
                    )
                })
                .collect();
            let files = "SELECT lower(hex(tenant_id)) || ' ' || lower(hex(id)) || ' ' || size_bytes \
                         FROM blob WHERE data IS NULL";
            (named, all(&keys, "SELECT lower(hex(id)) FROM key"), all(&content, files))
        }
    };
    let known: HashSet<String> = keys.into_iter().collect();
    let missing: Vec<_> = named.difference(&known).collect();
    assert!(missing.is_empty(), "keys are missing: {missing:?}");
    for line in files {
        let [tenant, id, size]: [&str; 3] =
            line.split(' ').collect::<Vec<_>>().try_into().expect("three columns");
        let file = server.data_folder().join("blobs").join(tenant).join(&id[id.len() - 2..]).join(id);
        // Sealed it is longer.
        assert!(length(&file) > size.parse().expect("a number"), "{} is missing or cut off", file.display());
    }
}

/// Whether the test notices that this disk forgets what it should not.
fn fails(night: &Night, chance: &mut Chance, deaf: Deaf) -> bool {
    let end = *moments(&night.diary).last().expect("something happened");
    catch_unwind(AssertUnwindSafe(|| night.survive(end, Loss::All, chance, deaf))).is_err()
}

on_both_engines!(what_was_acknowledged_survives_a_power_cut, |engine| {
    let seed = setting("BELOFTE_SEED", 0xcafe + u64::from(engine == Engine::Postgres));
    let cuts = setting("BELOFTE_POWER_CUTS", 6);
    eprintln!("seed {seed}, {cuts} cuts");
    let mut chance = Chance::new(seed);
    let mut done = 0;
    while done < cuts {
        let night = Night::pass(engine, &mut chance);
        night.diary_is_whole();
        for _ in 0..CUTS.min(cuts - done) {
            let at = night.moment(&mut chance);
            let loss = match chance.below(8) {
                0 | 1 => Loss::All,
                2 => Loss::Nothing,
                _ => Loss::Some,
            };
            let total = night.diary.len();
            eprintln!("cut {done}: {at} of {total}, ready at {}, {loss:?}", night.ready_at);
            night.survive(at, loss, &mut chance, |_| false);
            done += 1;
        }
    }
});

on_both_engines!(a_disk_that_ignores_syncs_is_noticed, |engine| {
    let mut chance = Chance::new(7);
    let mut night = Night::pass(engine, &mut chance);
    assert!(!fails(&night, &mut chance, |_| false), "a sound disk loses nothing");
    // What is lost does not come by waiting.
    night.patience = Duration::from_secs(4);
    if engine == Engine::Sqlite {
        let databases: Deaf = |path| path.contains(".db");
        assert!(fails(&night, &mut chance, databases), "synchronous=OFF is not noticed");
        let keys: Deaf = |path| path.starts_with("keys.db");
        assert!(fails(&night, &mut chance, keys), "keys that are not synced are not noticed");
    }
    let folders: Deaf = |path| path.starts_with("blobs/") && !path.contains('.') && path.len() < 60;
    assert!(fails(&night, &mut chance, folders), "folders of blobs that are not synced are not noticed");
    let blobs: Deaf = |path| path.starts_with("blobs/") && path.ends_with(".new");
    assert!(fails(&night, &mut chance, blobs), "blobs that are not synced are not noticed");
    let start: Deaf = |path| path.is_empty();
    assert!(fails(&night, &mut chance, start), "a data folder that is not synced is not noticed");
});
