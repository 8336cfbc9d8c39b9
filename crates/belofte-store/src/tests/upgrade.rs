// SPDX-License-Identifier: EUPL-1.2
//! Upgrades with data: an installation that an earlier version wrote is brought to the newest schema,
//! and everything in it opens, is found and can be answered.
//!
//! `fixtures/<engine>` holds such an installation: its root key and a dump of both databases, as the
//! program wrote them before the migrations that follow. It was made by the test `write` at the foot of
//! this file, with the program of that version:
//!
//! ```text
//! BELOFTE_FIXTURE=/some/folder cargo test -p belofte-store --lib upgrade::write
//! ```
//!
//! On PostgreSQL as a superuser: a dump of all tenants passes the wall between them.
//!
//! Versions between the first and the one that was dumped differ from it by columns and a table that
//! came to be without touching a row; they are the dump with those taken back. Whoever adds a migration
//! that touches rows dumps the version before it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use belofte_model::{
    Actor, AttachmentId, Incoming, JobKind, MessageId, MessageKind, Purpose, RequestId, Timestamp, UserId,
    Visible,
};
use uuid::Uuid;

use super::desk::{Desk, person, says};
use super::house::{email, houses, invite, upload};
use super::place::{Place, access, places};
use crate::engine::{Migrations, params, sql};
use crate::{
    Assignee, Begun, Clock, Conversation, ConversationQuery, EngineSettings, Filed, IncomingMail, MIGRATIONS,
    MessageContent, NewFile, Outgoing, Read, Receive, RecipientRole, SealedEnvelope, Store, StoreError, Tx,
    Write,
};

/// The migrations of this version, and one more of the content that cannot be carried out.
fn with_a_broken_one() -> Migrations {
    const BROKEN: (&str, &str) = ("V99__broken", "CREATE TABLE tenant (id bigint)");
    let more = |all: &'static [(&'static str, &'static str)]| {
        let all: Vec<_> = all.iter().copied().chain([BROKEN]).collect();
        &*all.leak()
    };
    Migrations {
        content_lite: more(MIGRATIONS.content_lite),
        content_postgres: more(MIGRATIONS.content_postgres),
        ..MIGRATIONS
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_that_fails_at_its_end_has_changed_nothing() {
    for place in places().await {
        let failed = place.open(&with_a_broken_one()).await;
        assert!(matches!(failed, Err(StoreError::Migration(_))), "{}", place.name);
        drop(failed);
        let tables = match &place.engine {
            EngineSettings::Postgres(_) => {
                let count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'refinery_schema_history'";
                place.ask_content(count).await.expect("a number")
            }
            EngineSettings::Sqlite { .. } => {
                let file =
                    rusqlite::Connection::open(place.folder.path().join("content.db")).expect("a database");
                let count = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name <> 'refinery_schema_history'";
                file.query_row(count, [], |row| row.get(0)).expect("a number")
            }
        };
        assert_eq!(tables, 0, "{}", place.name);
        place.open(&MIGRATIONS).await.expect("stores").close().await;
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// What takes a dumped content database back to each version that it can stand for.
fn versions(postgres: bool) -> Vec<(u32, String)> {
    let back = |version: u32, parts: &[&str]| {
        let history = format!("DELETE FROM refinery_schema_history WHERE version > {version};");
        // A dump of PostgreSQL leaves its session without a schema.
        let here = if postgres { "SET search_path = public;" } else { "" };
        (version, [here, &parts.concat(), &history].concat())
    };
    let holder = "ALTER TABLE job DROP COLUMN holder; ALTER TABLE idempotency DROP COLUMN holder;";
    if postgres {
        let lexicon = "DROP TABLE lexicon;";
        vec![back(1, &[holder, lexicon]), back(2, &[lexicon]), back(3, &[])]
    } else {
        vec![back(1, &[holder]), back(2, &[])]
    }
}

async fn run(url: &str, text: &str) {
    let config: tokio_postgres::Config = url.parse().expect("an address of a server");
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("a server");
    tokio::select! {
        done = client.batch_execute(text) => done.expect("the dump is loaded"),
        _ = connection => panic!("the server went away"),
    }
}

/// Puts the fixture into an empty place, taken back by `back`.
async fn load(place: &Place, back: &str) {
    let from = fixtures().join(place.name);
    let read = |name: &str| fs::read_to_string(from.join(name)).expect("a fixture");
    let (content, keys) = (read("content.sql") + back, read("keys.sql"));
    let root = place.folder.path().join("root.key");
    fs::copy(from.join("root.key"), &root).expect("our own folder");
    fs::set_permissions(&root, fs::Permissions::from_mode(0o600)).expect("our own file");
    match &place.engine {
        EngineSettings::Sqlite { .. } => {
            for (name, text) in [("content.db", content), ("keys.db", keys)] {
                let file = rusqlite::Connection::open(place.folder.path().join(name)).expect("a file");
                file.execute_batch(&text).expect("the dump is loaded");
            }
        }
        EngineSettings::Postgres(settings) => {
            run(&settings.content_url, &content).await;
            run(&settings.keys_url, &keys).await;
        }
    }
}

struct Shape;

impl Read for Shape {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
        let text = if tx.is_postgres() {
            sql!(
                "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable \
                 FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'refinery%' \
                 UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'refinery%' \
                 UNION ALL SELECT policyname || ' ' || tablename FROM pg_policies ORDER BY 1"
            )
        } else {
            sql!(
                "SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" FROM sqlite_master m \
                 JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'refinery%' \
                 UNION ALL SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1"
            )
        };
        tx.query(text, params![], |row| row.text(0)).await
    }
}

struct Uploads;

impl Read for Uploads {
    type Out = Vec<(AttachmentId, Uuid)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let text = sql!("SELECT id, owner_id FROM attachment WHERE tenant_id = $1");
        tx.query(text, params![tenant], |row| Ok((row.id(0)?, row.uuid(1)?))).await
    }
}

async fn found(store: &Store, access: &crate::Access, word: &str) -> usize {
    store.search(access, word, None, 10).await.expect("searched").items.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_version_wrote_opens_is_found_and_is_answered() {
    let count = places().await.len();
    for number in 0..count {
        let fresh = places().await.remove(number);
        let postgres = matches!(fresh.engine, EngineSettings::Postgres(_));
        let store = fresh.open(&crate::MIGRATIONS).await.expect("stores");
        let shape = store.read(&access(super::four_stores::TENANT), Shape).await.expect("read");
        store.close().await;
        for (version, back) in versions(postgres) {
            let place = places().await.remove(number);
            load(&place, &back).await;
            let told = format!("{} from version {version}", place.name);
            let clock = Clock::manual(Timestamp::from_secs(1_800_100_000));
            let store = place.open_at(&clock).await.unwrap_or_else(|error| panic!("{told}: {error}"));
            examine(&store, &clock, &shape, &told).await;
            store.close().await;
        }
    }
}

async fn examine(store: &Store, clock: &Clock, shape: &[String], told: &str) {
    let account = store.system().account_by_address(&email("info@bakker.example")).await.expect("asked");
    let account = account.unwrap_or_else(|| panic!("{told}: an account"));
    let access = access(account.tenant()).as_for(Purpose::Service);
    assert_eq!(store.read(&access, Shape).await.expect("read"), shape, "{told}");

    // Everything opens.
    let query = ConversationQuery {
        status: None,
        assignee: Assignee::Any,
        queue: None,
        tag: None,
        contact: None,
        after: None,
        limit: 50,
    };
    let cases: Vec<Conversation> = store.conversations(&access, query).await.expect("cases");
    let mut subjects: Vec<_> = cases.iter().map(|case| case.summary.subject.as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["Factuur", "Ketel lekt"], "{told}");
    let leak = cases.iter().find(|case| case.summary.subject == "Ketel lekt").expect("a case");
    let messages = store.messages(&access, leak.id, None, 50).await.expect("messages");
    let texts: Vec<_> = messages.iter().map(|message| message.content.text.as_str()).collect();
    assert_eq!(
        texts,
        ["De ketel lekt sinds dinsdag.", "Graag voor vrijdag.", "Wij komen woensdag."],
        "{told}"
    );
    assert_eq!(messages[2].deliveries[0].recipient.address, "jan@klant.example", "{told}");
    let source = messages[0].source.expect("a source");
    assert_eq!(store.blob(&access, source).await.expect("it opens"), b"raw", "{told}");
    let uploads = store.read(&access, Uploads).await.expect("read");
    assert_eq!(uploads.len(), 1, "{told}");
    let names: Vec<_> =
        store.api_keys(&access).await.expect("keys").into_iter().map(|key| key.name).collect();
    assert_eq!(names, ["Kassa"], "{told}");
    // A user of before the proofs (decision 8) could be anybody's row: it is there and counts for nothing.
    assert!(store.users(&access).await.expect("users").is_empty(), "{told}");
    assert_eq!(store.channel_accounts(&access).await.expect("accounts").len(), 1, "{told}");
    let ledger = store.ledger_page(&access.as_for(Purpose::Oversight), None, 1_000).await.expect("a ledger");
    assert!(ledger.entries.len() > 6, "{told}: {}", ledger.entries.len());

    // Everything is found.
    store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
    for word in ["ketel", "factuur", "woensdag", "jan@klant.example"] {
        assert!(found(store, &access, word).await > 0, "{told}: {word}");
    }

    // The queue holds one job for the answer, however many there were.
    let jobs = store.system().claim_jobs(account.tenant(), 50, clock.now()).await.expect("claimed");
    let deliver: Vec<_> = jobs.iter().filter(|job| job.kind == JobKind::Deliver).collect();
    assert_eq!(deliver.len(), 1, "{told}");
    assert_eq!(deliver[0].subject, messages[2].id.uuid(), "{told}");

    // It is answered, and what comes joins it.
    let thread = store.reply_thread(&access, leak.id).await.expect("asked").expect("a thread");
    let to = person("Jan", "jan@klant.example");
    let outgoing = Outgoing {
        conversation: leak.id,
        kind: MessageKind::Reply,
        id: MessageId::new(clock.now(), store.random().bytes()),
        thread: Some(thread.thread),
        account: Some(thread.account),
        content: MessageContent {
            from: person("Bakker", "info@bakker.example"),
            to: vec![to.clone()],
            text: "Het wordt donderdag.".to_owned(),
            ..MessageContent::default()
        },
        recipients: vec![(RecipientRole::To, to)],
        attachments: Vec::new(),
        how: crate::Handling::default(),
    };
    let user = UserId(Uuid::from_u128(1));
    let (purpose, request) = (Purpose::Service, RequestId(Uuid::nil()));
    let agent = crate::Access::for_test(
        account.tenant(),
        Actor::User(user),
        purpose,
        request,
        Visible::all(),
        clock.clone(),
    );
    store.write_out(&agent, &outgoing).await.expect("answered");
    let channel = crate::Access::channel(&account, RequestId(Uuid::nil()), clock.clone());
    let envelope = SealedEnvelope::default();
    let receive = Receive::prepare(store, &channel, &account, &envelope, b"raw", None).await.expect("sealed");
    let intake = receive.intake();
    store.write(&channel, receive).await.expect("received");
    let jobs = store.system().claim_jobs(account.tenant(), 50, clock.now()).await.expect("claimed");
    let job = jobs.into_iter().find(|job| job.subject == intake.uuid()).expect("a job for it");
    let source = store.intake_source(&channel, intake).await.expect("a source");
    let content = says("Jan", "Re: Ketel lekt", "Donderdag is goed, zilverpopulier.");
    let mail = IncomingMail {
        author: content.from.address.clone(),
        content,
        external_id: "vraag-4@klant.example".to_owned(),
        related: vec!["vraag-1@klant.example".to_owned()],
        reply_thread: None,
        incoming: Incoming::Person,
        files: Vec::new(),
        sent_at: None,
        report: None,
    };
    match store.file(&channel, &job, &source, &mail).await.expect("filed") {
        Filed::Message { conversation, opened: false, .. } => assert_eq!(conversation, leak.id, "{told}"),
        other => panic!("{told}: {other:?}"),
    }
    store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
    assert_eq!(found(store, &access, "zilverpopulier").await, 1, "{told}");
}

/// A second job for the same message, as earlier versions could make one.
struct SecondJob(MessageId, Timestamp);

impl Write for SecondJob {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let id = belofte_model::JobId::new(self.1, [9; 10]);
        tx.execute(
            sql!(
                "INSERT INTO job (tenant_id, id, kind, subject_id, state, run_at, attempts, fence, lease_until, \
                 error_code, created_at, changed_at) VALUES ($1, $2, 'deliver', $3, 'ready', $4, 0, 0, NULL, NULL, $4, $4) \
                 ON CONFLICT DO NOTHING"
            ),
            params![tenant, id, self.0, self.1],
        )
        .await?;
        Ok(())
    }
}

fn dump(command: &mut Command, to: &Path) {
    let output = command.output().expect("the program is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("a dump is text");
    // Commands of psql, which are no SQL.
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('\\')).collect();
    fs::write(to, ["-- SPDX-License-Identifier: EUPL-1.2\n", &lines.join("\n"), "\n"].concat())
        .expect("written");
}

/// Writes the fixture of this version into the folder that `BELOFTE_FIXTURE` names; without it
/// nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn write() {
    let Ok(out) = std::env::var("BELOFTE_FIXTURE") else { return };
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (access, store) = (desk.admin.access.clone(), &house.store);
        let one = says("Jan", "Ketel lekt", "De ketel lekt sinds dinsdag.");
        let first = desk.file(&house, one, "vraag-1@klant.example", &[]).await;
        let two = says("Piet", "Factuur", "Klopt factuur 2041 wel?");
        desk.file(&house, two, "vraag-2@klant.example", &[]).await;
        let three = says("Jan", "Re: Ketel lekt", "Graag voor vrijdag.");
        desk.file(&house, three, "vraag-3@klant.example", &["vraag-1@klant.example"]).await;
        let to = person("Jan", "jan@klant.example");
        let answer = desk.answer(&house, first, to, "Wij komen woensdag.").await;
        store.write(&access, SecondJob(answer, house.clock.now())).await.expect("a job");
        let file = NewFile {
            name: "plan.txt".to_owned(),
            media_type: "text/plain".to_owned(),
            content_id: None,
            inline: false,
            bytes: b"woensdag om tien uur".to_vec(),
        };
        upload(store, &access, file).await.expect("uploaded");
        let ends = house.clock.now() + belofte_model::Duration::from_secs(3600);
        let made = store
            .prepare_api_key(
                &access.as_for(Purpose::Administration),
                "Kassa",
                belofte_model::Scope::Read,
                ends,
            )
            .await;
        store.write(&access, made.expect("prepared").0).await.expect("made");
        invite(store, &access, belofte_model::Role::Agent, false).await.expect("invited");
        let begun = store.begin_request(&access, "key", &[1; 32]).await.expect("begun");
        assert!(matches!(begun, Begun::Proceed(_)));
        let folder = Path::new(&out).join(house.name());
        fs::create_dir_all(&folder).expect("a folder");
        fs::copy(house.place.folder.path().join("root.key"), folder.join("root.key")).expect("copied");
        let (from, engine) = (house.place.folder.path().to_owned(), house.place.engine.clone());
        store.close().await;
        match engine {
            EngineSettings::Sqlite { .. } => {
                for name in ["content", "keys"] {
                    let file = from.join(format!("{name}.db"));
                    dump(Command::new("sqlite3").arg(file).arg(".dump"), &folder.join(format!("{name}.sql")));
                }
            }
            EngineSettings::Postgres(settings) => {
                for (name, url) in [("content", settings.content_url), ("keys", settings.keys_url)] {
                    let arguments = ["--inserts", "--no-owner", "--no-privileges", "-d", &url];
                    dump(Command::new("pg_dump").args(arguments), &folder.join(format!("{name}.sql")));
                }
            }
        }
    }
}
