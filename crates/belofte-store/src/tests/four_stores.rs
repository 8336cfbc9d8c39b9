// SPDX-License-Identifier: EUPL-1.2
//! Content, keys, index and blobs under kill -9: what was acknowledged is there exactly once,
//! opens with its key, has its blob and is found by search. `BELOFTE_KILLS` says how often to
//! kill (a few by default, 100 in the long suite).

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use belofte_model::{BlobId, Column, KeyClass, KeyId, MessageId, TenantId, Timestamp};
use belofte_vault::{DataKey, Random, SealContext};
use uuid::Uuid;

use super::place::open;
use super::{access, places};
use crate::engine::{Migrations, PostgresSettings, params, sql};
use crate::index::Entry;
use crate::keys::TenantKeys;
use crate::{EngineSettings, INLINE, Read, SealedKey, Store, StoreError, Tx, Write};

const MIGRATIONS: Migrations = Migrations {
    content_lite: &[(
        "V1__items",
        "CREATE TABLE counter (tenant_id BLOB PRIMARY KEY, next INTEGER NOT NULL) STRICT;
         CREATE TABLE item (tenant_id BLOB NOT NULL, id BLOB NOT NULL, no INTEGER NOT NULL, key_id BLOB NOT NULL,
           blob_id BLOB, sealed BLOB NOT NULL, PRIMARY KEY (tenant_id, id)) STRICT;",
    )],
    content_postgres: &[(
        "V1__items",
        "CREATE TABLE counter (tenant_id uuid PRIMARY KEY, next bigint NOT NULL);
         CREATE TABLE item (tenant_id uuid NOT NULL, id uuid NOT NULL, no bigint NOT NULL, key_id uuid NOT NULL,
           blob_id uuid, sealed bytea NOT NULL, PRIMARY KEY (tenant_id, id));",
    )],
    keys_lite: crate::MIGRATIONS.keys_lite,
    keys_postgres: crate::MIGRATIONS.keys_postgres,
};

pub(super) const TENANT: TenantId = TenantId(Uuid::from_u128(0x7e5));
const SEALED: Column = Column(1);
const BLOB: Column = Column(2);

struct Found(Vec<SealedKey>);

impl Write for Found {
    type Out = ();
    fn new_keys(&self) -> &[SealedKey] {
        &self.0
    }
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(sql!("INSERT INTO counter (tenant_id, next) VALUES ($1, 1)"), params![tenant]).await?;
        Ok(())
    }
}

struct Add {
    id: MessageId,
    sealed: Vec<u8>,
    blob: Option<BlobId>,
    keys: Vec<SealedKey>,
}

impl Write for Add {
    type Out = i64;
    fn new_keys(&self) -> &[SealedKey] {
        &self.keys
    }
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!(
                "INSERT INTO item (tenant_id, id, no, key_id, blob_id, sealed) VALUES ($1, $2, 0, $3, $4, $5)"
            ),
            params![tenant, self.id, self.keys[0].key.id(), self.blob, &self.sealed],
        )
        .await?;
        tx.execute(sql!("UPDATE counter SET next = next + 1 WHERE tenant_id = $1"), params![tenant]).await?;
        let no = tx
            .query_one(sql!("SELECT next FROM counter WHERE tenant_id = $1"), params![tenant], |row| {
                row.int(0)
            })
            .await?;
        tx.execute(
            sql!("UPDATE item SET no = $3 WHERE tenant_id = $1 AND id = $2"),
            params![tenant, self.id, no],
        )
        .await?;
        Ok(no)
    }
}

struct Item {
    id: Uuid,
    no: i64,
    key: KeyId,
    blob: Option<BlobId>,
    sealed: Vec<u8>,
}

struct After(i64);

impl Read for After {
    type Out = Vec<Item>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Item>, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!("SELECT id, no, key_id, blob_id, sealed FROM item WHERE tenant_id = $1 AND no > $2 ORDER BY no"),
            params![tenant, self.0],
            |row| {
                Ok(Item {
                    id: row.uuid(0)?,
                    no: row.int(1)?,
                    key: row.id(2)?,
                    blob: row.opt_id(3)?,
                    sealed: row.bytes(4)?,
                })
            },
        )
        .await
    }
}

/// What the item says, and the one token by which it is found.
fn body(id: Uuid) -> String {
    format!("the words of item {}", id.simple())
}

fn token(id: Uuid) -> String {
    let digits = id.simple().to_string();
    digits[digits.len() - 12..].to_owned()
}

async fn replay(store: &Store) -> Result<(), StoreError> {
    let applied = store.index_file().applied(TENANT)?;
    let fresh = store.read(&access(TENANT), After(applied)).await?;
    let Some(last) = fresh.last() else { return Ok(()) };
    let through = last.no;
    let entry = |item: &Item| Entry { no: item.no, message: MessageId(item.id), tokens: token(item.id) };
    let batch: Vec<Entry> = fresh.iter().map(entry).collect();
    store.index_file().apply(TENANT, through, &batch)
}

async fn add(store: &Store, keys: &TenantKeys, at: Timestamp) -> Result<Uuid, StoreError> {
    let random = Random::System;
    let id = MessageId::new(at, random.bytes());
    let key = keys.mint(&random, KeyClass::Conversation, Some(id.uuid()), 0, at);
    let context = |column| SealContext { tenant: TENANT, column, row: id.uuid() };
    let sealed = key.key.seal(&random, &context(SEALED), body(id.uuid()).as_bytes());
    let [dice] = random.bytes::<1>();
    let blob = (dice < 40).then(|| BlobId::new(at, random.bytes()));
    if let Some(blob) = blob {
        let bytes = key.key.seal(&random, &context(BLOB), &vec![dice; INLINE + 1]);
        let store = store.clone();
        tokio::task::spawn_blocking(move || store.blobs().put(TENANT, blob, &bytes))
            .await
            .expect("no panic")?;
    }
    store.write(&access(TENANT), Add { id, sealed, blob, keys: vec![key] }).await?;
    Ok(id.uuid())
}

/// The process that is killed. It prints every id that was acknowledged.
#[test]
fn child() {
    let Ok(folder) = std::env::var("BELOFTE_CHILD_FOLDER") else { return };
    let engine = match (std::env::var("BELOFTE_CHILD_CONTENT"), std::env::var("BELOFTE_CHILD_KEYS")) {
        (Ok(content_url), Ok(keys_url)) => EngineSettings::Postgres(PostgresSettings {
            content_url,
            keys_url,
            connections: 8,
            tls: crate::PostgresTls::default(),
        }),
        _ => EngineSettings::Sqlite { readers: 2 },
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = open(Path::new(&folder), engine, &MIGRATIONS).await.expect("stores that open");
        let keys = store.tenant_keys(TENANT).await.expect("keys");
        let mut lanes = tokio::task::JoinSet::new();
        for _ in 0..12 {
            let (store, keys) = (store.clone(), Arc::clone(&keys));
            lanes.spawn(async move {
                loop {
                    let now = store.clock().now();
                    let id = add(&store, &keys, now).await.expect("a write");
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "stored {id}").expect("a reader");
                    out.flush().expect("a reader");
                }
            });
        }
        loop {
            replay(&store).await.expect("an index");
            crate::fail::hit(crate::FailPoint::IndexPending);
            tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        }
    });
}

fn run_and_kill(folder: &Path, engine: &EngineSettings, round: usize) -> HashSet<Uuid> {
    let points = ["BlobWritten", "KeysCommitted", "ContentCommitted", "Answered", "IndexPending"];
    let [chance, when] = Random::System.bytes::<2>();
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", "tests::four_stores::child", "--nocapture", "--test-threads=1"])
        .env("BELOFTE_CHILD_FOLDER", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let EngineSettings::Postgres(settings) = engine {
        command
            .env("BELOFTE_CHILD_CONTENT", &settings.content_url)
            .env("BELOFTE_CHILD_KEYS", &settings.keys_url);
    }
    // Every second round dies at a named point, the others wherever they are.
    if round.is_multiple_of(2) {
        let point = points[usize::from(chance) % points.len()];
        command.env("BELOFTE_FAIL", format!("{point}:{}", 1 + usize::from(when) % 24));
    }
    let mut child = command.spawn().expect("a child");
    let lines = BufReader::new(child.stdout.take().expect("a pipe"));
    let child = Arc::new(std::sync::Mutex::new(child));
    // The clock of the kill begins with the first write: how long a start takes is the machine's affair.
    let mut killer = None;
    let mut stored = HashSet::new();
    for line in lines.lines().map_while(Result::ok) {
        if let Some(id) = line.split("stored ").nth(1) {
            stored.insert(id.trim().parse().expect("an id"));
            let child = Arc::clone(&child);
            killer.get_or_insert_with(|| {
                std::thread::spawn(move || {
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "the moment of the kill is meant to be ambient"
                    )]
                    std::thread::sleep(std::time::Duration::from_millis(20 + u64::from(when) * 2));
                    // SIGKILL; a child that a fail point ended already is no error.
                    let _ = child.lock().expect("no panic holds this lock").kill();
                })
            });
        }
    }
    if let Some(killer) = killer {
        killer.join().expect("no panic");
    }
    child.lock().expect("no panic holds this lock").wait().expect("an end");
    stored
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kills() {
    let kills: usize = std::env::var("BELOFTE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    for place in places().await {
        {
            let store = place.open(&MIGRATIONS).await.expect("stores");
            let (_, keys) =
                TenantKeys::found(&store.ring().root, &Random::System, TENANT, store.clock().now())
                    .expect("keys");
            store.write(&access(TENANT), Found(keys)).await.expect("a tenant");
            store.close().await;
        }
        let (mut acknowledged, mut torn_free) = (HashSet::new(), 0);
        for round in 0..kills {
            let (folder, engine) = (place.folder.path().to_owned(), place.engine.clone());
            let stored = tokio::task::spawn_blocking(move || run_and_kill(&folder, &engine, round))
                .await
                .expect("no panic");
            acknowledged.extend(stored);

            let store = place.open(&MIGRATIONS).await.expect("stores that open after a kill");
            replay(&store).await.expect("an index that can be brought up to date");
            store.index_file().check(TENANT).expect("a sound index");
            let items = store.read(&access(TENANT), After(0)).await.expect("items");
            let here: HashSet<Uuid> = items.iter().map(|item| item.id).collect();
            assert_eq!(here.len(), items.len(), "{}: an item is there twice", place.name);
            let lost: Vec<&Uuid> = acknowledged.difference(&here).collect();
            assert!(lost.is_empty(), "{}: acknowledged and lost: {lost:?}", place.name);
            for item in items.iter().skip(torn_free) {
                let key: DataKey = store.key(TENANT, item.key).await.expect("the key of stored content");
                let context = |column| SealContext { tenant: TENANT, column, row: item.id };
                let text = key.open(&context(SEALED), &item.sealed).expect("content that opens");
                assert_eq!(text, body(item.id).as_bytes());
                if let Some(blob) = item.blob {
                    let sealed =
                        store.blobs().get(TENANT, blob, 0..u64::MAX).expect("the blob of stored content");
                    assert_eq!(
                        key.open(&context(BLOB), &sealed).expect("a blob that opens").len(),
                        INLINE + 1
                    );
                }
                let found = store.index_file().search(TENANT, &token(item.id), None, 5).expect("a search");
                assert_eq!(found.numbers, vec![item.no], "found exactly once");
            }
            torn_free = items.len();
            store.close().await;
        }
        assert!(acknowledged.len() > kills * 5, "{}: only {} writes", place.name, acknowledged.len());
        println!("{}: {kills} kills, {} acknowledged, {torn_free} stored", place.name, acknowledged.len());
    }
}
