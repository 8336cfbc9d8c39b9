// SPDX-License-Identifier: EUPL-1.2
//! Writes that PostgreSQL commits together: each sees its own tenant alone, a failure stays with
//! whom it belongs to, and nobody is told before the COMMIT. The same bodies run on SQLite.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use belofte_model::{KeyClass, KeyId, TenantId, Timestamp};
use belofte_vault::Random;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::access;
use super::place::Place;
use crate::engine::{Migrations, params, sql};
use crate::keys::TenantKeys;
use crate::{EngineSettings, Read, Rows, SealedKey, Store, StoreError, Tx, Write};

const MIGRATIONS: Migrations = Migrations {
    content_lite: &[(
        "V1__groups",
        "CREATE TABLE tenant (id BLOB PRIMARY KEY, next_seq INTEGER NOT NULL, next_leaf INTEGER NOT NULL,
           next_case INTEGER NOT NULL) STRICT;
         CREATE TABLE item (tenant_id BLOB NOT NULL, id BLOB NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (tenant_id, id)) STRICT;
         CREATE TABLE tally (tenant_id BLOB NOT NULL, day INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (tenant_id, day)) STRICT;",
    )],
    content_postgres: &[(
        "V1__groups",
        "CREATE TABLE tenant (id uuid PRIMARY KEY, next_seq bigint NOT NULL, next_leaf bigint NOT NULL,
           next_case bigint NOT NULL);
         CREATE TABLE item (tenant_id uuid NOT NULL, id uuid NOT NULL, no bigint NOT NULL, PRIMARY KEY (tenant_id, id));
         CREATE TABLE tally (tenant_id uuid NOT NULL, day bigint NOT NULL, n bigint NOT NULL, PRIMARY KEY (tenant_id, day));
         ALTER TABLE item ENABLE ROW LEVEL SECURITY;
         ALTER TABLE item FORCE ROW LEVEL SECURITY;
         CREATE POLICY tenant_wall ON item USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid);
         CREATE SEQUENCE refusals;
         CREATE FUNCTION refuse() RETURNS bigint LANGUAGE plpgsql AS
           'BEGIN RAISE EXCEPTION USING ERRCODE = ''40001''; END';
         CREATE FUNCTION refuse_three() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN IF NEW.no < 0 AND nextval(''refusals'') <= 3 THEN RAISE EXCEPTION USING ERRCODE = ''40001''; END IF; RETURN NEW; END';
         CREATE TRIGGER refusing BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION refuse_three();",
    )],
    keys_lite: crate::MIGRATIONS.keys_lite,
    keys_postgres: crate::MIGRATIONS.keys_postgres,
};

const HERE: TenantId = TenantId(Uuid::from_u128(0xa));
const THERE: TenantId = TenantId(Uuid::from_u128(0xb));

struct Found;

impl Write for Found {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let text = sql!("INSERT INTO tenant (id, next_seq, next_leaf, next_case) VALUES ($1, 1, 1, 1)");
        tx.execute(text, params![tenant]).await.map(drop)
    }
}

/// What an [`Add`] does besides adding its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Also {
    Nothing,
    /// Counts the rows of any tenant that it can see.
    Look,
    /// Fails after it has written, in its body.
    Fail,
    /// Changes a row that is not there, at the end.
    Miss,
    /// The server refuses to serialise it at the first try, in its body.
    RefusedOnce,
    /// The server refuses its row three times, at the end.
    RefusedLate,
    /// Its connection breaks at the first try.
    Break,
}

struct Add {
    id: Uuid,
    also: Also,
    tries: AtomicU32,
    keys: Vec<SealedKey>,
    /// Takes a permit before it ends.
    gate: Option<Arc<Semaphore>>,
    /// Gets a permit when the body runs.
    entered: Arc<Semaphore>,
}

impl Add {
    fn new(n: u128, also: Also) -> Self {
        Self {
            id: Uuid::from_u128(n),
            also,
            tries: AtomicU32::new(0),
            keys: Vec::new(),
            gate: None,
            entered: Arc::new(Semaphore::new(0)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Added {
    no: i64,
    seen: Option<i64>,
    transaction: i64,
}

impl Write for Add {
    type Out = Added;

    fn new_keys(&self) -> &[SealedKey] {
        &self.keys
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Added, StoreError> {
        self.entered.add_permits(1);
        let first = self.tries.fetch_add(1, Ordering::SeqCst) == 0;
        let tenant = tx.tenant();
        let needs = crate::counters::Needs { events: 1, ..Default::default() };
        let no = crate::counters::take(tx, needs).await?.event;
        let stored = if self.also == Also::RefusedLate { -no } else { no };
        let insert = sql!("INSERT INTO item (tenant_id, id, no) VALUES ($1, $2, $3)");
        tx.late(insert, params![tenant, self.id, stored], Rows::Any).await?;
        let tally = sql!(
            "INSERT INTO tally (tenant_id, day, n) VALUES ($1, $2, $3) \
             ON CONFLICT (tenant_id, day) DO UPDATE SET n = tally.n + excluded.n"
        );
        tx.late_sum(tally, params![tenant, 7_i64, 1_i64], 1).await?;
        let (mut seen, mut transaction) = (None, 0);
        match self.also {
            Also::Nothing | Also::RefusedLate => {}
            Also::Look => {
                let count = sql!("SELECT CAST(count(*) AS bigint) FROM item");
                seen = Some(tx.query_one(count, &[], |row| row.int(0)).await?);
            }
            Also::Fail => {
                let update = sql!("UPDATE item SET no = 0 WHERE tenant_id = $1");
                tx.execute(update, params![tenant]).await?;
                return Err(StoreError::NotFound);
            }
            Also::Miss => {
                let update = sql!("UPDATE item SET no = $3 WHERE tenant_id = $1 AND id = $2");
                tx.late(update, params![tenant, Uuid::max(), 0_i64], Rows::One).await?;
            }
            Also::RefusedOnce if tx.is_postgres() && first => {
                tx.query(sql!("SELECT refuse()"), &[], |row| row.int(0)).await?;
            }
            Also::Break if tx.is_postgres() && first => {
                let end = sql!("SELECT CAST(pg_terminate_backend(pg_backend_pid()) AS text)");
                tx.query(end, &[], |_| Ok(())).await?;
            }
            Also::RefusedOnce | Also::Break => {}
        }
        if tx.is_postgres() {
            let text = sql!("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)");
            if self.also == Also::Look {
                transaction = tx.query_one(text, &[], |row| row.int(0)).await?;
            }
            if let Some(gate) = &self.gate {
                gate.acquire().await.map_err(|_| StoreError::Busy)?.forget();
            }
        }
        Ok(Added { no, seen, transaction })
    }
}

struct Items;

impl Read for Items {
    type Out = Vec<(Uuid, i64)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let text = sql!("SELECT id, no FROM item WHERE tenant_id = $1 ORDER BY abs(no)");
        tx.query(text, params![tenant], |row| Ok((row.uuid(0)?, row.int(1)?.abs()))).await
    }
}

struct Tally;

impl Read for Tally {
    type Out = i64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let tenant = tx.tenant();
        tx.query_one(sql!("SELECT n FROM tally WHERE tenant_id = $1"), params![tenant], |row| row.int(0))
            .await
    }
}

/// The engines, with so few connections that PostgreSQL has one lane: what waits is one group.
async fn places() -> Vec<Place> {
    let mut all = super::places().await;
    for place in &mut all {
        if let EngineSettings::Postgres(settings) = &mut place.engine {
            settings.connections = 4;
        }
    }
    all
}

async fn founded(place: &Place) -> Store {
    let store = place.open(&MIGRATIONS).await.expect("stores");
    for tenant in [HERE, THERE] {
        store.write(&access(tenant), Found).await.expect("a tenant");
    }
    store
}

type Answer = Result<Added, StoreError>;

/// A caller of its own, that a test can let go away.
fn write(store: &Store, tenant: TenantId, add: Add) -> JoinHandle<Answer> {
    let store = store.clone();
    TaskTracker::new().spawn(async move { store.write(&access(tenant), add).await })
}

/// Keeps the lane busy, so that what is written meanwhile waits for one group; a permit lets it
/// end.
async fn hold(store: &Store) -> (Arc<Semaphore>, JoinHandle<Answer>) {
    let gate = Arc::new(Semaphore::new(0));
    let add = Add { gate: Some(Arc::clone(&gate)), ..Add::new(1, Also::Nothing) };
    let entered = Arc::clone(&add.entered);
    let held = write(store, HERE, add);
    entered.acquire().await.expect("an open semaphore").forget();
    (gate, held)
}

/// Time for what was spawned to reach the queue.
async fn settled() {
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
}

/// Writes `adds`, so that PostgreSQL takes them as one group.
async fn together(store: &Store, adds: Vec<(TenantId, Add)>) -> Vec<Answer> {
    let (gate, held) = hold(store).await;
    let writes: Vec<JoinHandle<Answer>> =
        adds.into_iter().map(|(tenant, add)| write(store, tenant, add)).collect();
    settled().await;
    gate.add_permits(1);
    held.await.expect("no panic").expect("written");
    let mut answers = Vec::new();
    for write in writes {
        answers.push(write.await.expect("no panic"));
    }
    answers
}

/// Every number once and none left out, and as many counted as there are.
async fn sound(store: &Store, tenant: TenantId, expected: usize) {
    let items = store.read(&access(tenant), Items).await.expect("items");
    let numbers: Vec<i64> = items.iter().map(|(_, no)| *no).collect();
    assert_eq!(numbers, (1..=expected as i64).collect::<Vec<i64>>(), "numbers without a gap");
    assert_eq!(store.read(&access(tenant), Tally).await.expect("a tally"), expected as i64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_write_of_a_group_sees_its_own_tenant_alone() {
    for place in places().await {
        let store = founded(&place).await;
        let adds =
            (0..12_u128).map(|n| (if n % 3 == 0 { THERE } else { HERE }, Add::new(10 + n, Also::Look)));
        let answers = together(&store, adds.collect()).await;
        let answers: Vec<Added> = answers.into_iter().map(|answer| answer.expect("written")).collect();
        sound(&store, HERE, 9).await;
        sound(&store, THERE, 4).await;
        if store.is_postgres() && !may_pass(&place).await {
            assert!(answers.iter().all(|one| one.transaction == answers[0].transaction), "one transaction");
            for (n, one) in answers.iter().enumerate() {
                assert_eq!(one.seen, Some(one.no), "write {n} sees what its tenant has written, and no more");
            }
        }
        store.close().await;
    }
}

/// Whether the role of the test is held by row-level security.
async fn may_pass(place: &Place) -> bool {
    let EngineSettings::Postgres(settings) = &place.engine else { return true };
    let (client, connection) =
        tokio_postgres::connect(&settings.content_url, tokio_postgres::NoTls).await.expect("a server");
    let ask =
        client.query_one("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user", &[]);
    let may: bool = tokio::select! {
        row = ask => row.expect("a role").get(0),
        _ = connection => panic!("the server went away"),
    };
    if may {
        eprintln!("SKIPPED in part: this role passes through row-level security");
    }
    may
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_in_a_group_is_answered_to_its_own_write_alone() {
    for place in places().await {
        let store = founded(&place).await;
        let adds = (0..16_u128).map(|n| {
            let also = match n {
                3 | 11 => Also::Miss,
                6 => Also::Fail,
                _ => Also::Nothing,
            };
            (if n % 4 == 0 { THERE } else { HERE }, Add::new(10 + n, also))
        });
        for (n, answer) in together(&store, adds.collect()).await.into_iter().enumerate() {
            match n {
                3 | 11 => assert!(matches!(answer, Err(StoreError::Conflict)), "{}: {answer:?}", place.name),
                6 => assert!(matches!(answer, Err(StoreError::NotFound)), "{}: {answer:?}", place.name),
                _ => assert!(answer.is_ok(), "{}: write {n}: {answer:?}", place.name),
            }
        }
        sound(&store, HERE, 10).await;
        sound(&store, THERE, 4).await;
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_refuses_is_tried_again_and_its_neighbours_are_written_once() {
    for also in [Also::RefusedOnce, Also::RefusedLate, Also::Break] {
        for place in places().await {
            let store = founded(&place).await;
            let adds =
                (0..9_u128).map(|n| (HERE, Add::new(10 + n, if n == 4 { also } else { Also::Nothing })));
            for (n, answer) in together(&store, adds.collect()).await.into_iter().enumerate() {
                assert!(answer.is_ok(), "{}, {also:?}: write {n}: {answer:?}", place.name);
            }
            sound(&store, HERE, 10).await;
            store.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_answered_before_the_commit_and_who_goes_away_takes_nobody_along() {
    for place in places().await.into_iter().filter(|place| place.name == "postgres") {
        let store = founded(&place).await;
        let (first, held) = hold(&store).await;
        let last = Arc::new(Semaphore::new(0));
        let early: Vec<JoinHandle<Answer>> =
            (0..4_u128).map(|n| write(&store, HERE, Add::new(10 + n, Also::Look))).collect();
        settled().await;
        let late = write(&store, HERE, Add { gate: Some(Arc::clone(&last)), ..Add::new(20, Also::Nothing) });
        settled().await;
        first.add_permits(1);
        held.await.expect("no panic").expect("written");
        settled().await;
        // The bodies of the early ones have run; the group waits for its last member.
        assert!(early.iter().all(|write| !write.is_finished()), "answered before the commit");
        sound(&store, HERE, 1).await;
        early[1].abort();
        late.abort();
        last.add_permits(1);
        let mut answers = early.into_iter();
        answers.next().expect("one").await.expect("no panic").expect("written");
        assert!(answers.next().expect("one").await.is_err(), "its caller has gone away");
        settled().await;
        sound(&store, HERE, 6).await;
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_cannot_be_wrapped_any_more_keeps_back_its_own_write_alone() {
    for place in places().await {
        let store = founded(&place).await;
        let now = Timestamp::from_secs(1_800_000_000);
        let (keys, sealed) = TenantKeys::found(&store.ring().root, &Random::System, HERE, now).expect("keys");
        let founding = Add { keys: sealed, ..Add::new(2, Also::Nothing) };
        store.write(&access(HERE), founding).await.expect("keys of a tenant");
        let mint = |n: u128| keys.mint(&Random::System, KeyClass::Contact, Some(Uuid::from_u128(n)), 0, now);
        let gone = SealedKey { parent: KeyId(Uuid::max()), ..mint(12) };
        let (gate, held) = hold(&store).await;
        let writes: Vec<JoinHandle<Answer>> = [mint(10), mint(11), gone, mint(13)]
            .into_iter()
            .enumerate()
            .map(|(n, key)| {
                write(&store, HERE, Add { keys: vec![key], ..Add::new(10 + n as u128, Also::Nothing) })
            })
            .collect();
        settled().await;
        gate.add_permits(1);
        held.await.expect("no panic").expect("written");
        for write in writes {
            // The one whose key was retired is wrapped anew and written all the same.
            write.await.expect("no panic").expect("written");
        }
        sound(&store, HERE, 6).await;
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_content_is_there_before_its_keys_are() {
    for place in places().await {
        let EngineSettings::Postgres(settings) = &place.engine else { continue };
        let store = founded(&place).await;
        let now = Timestamp::from_secs(1_800_000_000);
        let (keys, sealed) = TenantKeys::found(&store.ring().root, &Random::System, HERE, now).expect("keys");
        let founding = Add { keys: sealed, ..Add::new(2, Also::Nothing) };
        store.write(&access(HERE), founding).await.expect("keys of a tenant");

        // Somebody holds the rows of the keys that wrap new ones, as a rotation does.
        let (client, connection) =
            tokio_postgres::connect(&settings.keys_url, tokio_postgres::NoTls).await.expect("a server");
        let driver = TaskTracker::new().spawn(connection);
        client.batch_execute("BEGIN; SELECT id FROM key FOR UPDATE").await.expect("held");
        let key = keys.mint(&Random::System, KeyClass::Contact, Some(Uuid::from_u128(7)), 0, now);
        let add = Add { keys: vec![key], ..Add::new(10, Also::Nothing) };
        let entered = Arc::clone(&add.entered);
        let writing = write(&store, HERE, add);
        // Its statements run, and it is neither there nor answered.
        entered.acquire().await.expect("an open semaphore").forget();
        settled().await;
        assert!(!writing.is_finished());
        assert_eq!(store.read(&access(HERE), Items).await.expect("items").len(), 1);
        client.batch_execute("COMMIT").await.expect("let go");
        writing.await.expect("no panic").expect("written");
        sound(&store, HERE, 2).await;
        drop(client);
        driver.await.expect("no panic").expect("ended in order");
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_cannot_be_written_keep_back_none_but_those_who_bring_them() {
    for place in places().await {
        if !matches!(place.engine, EngineSettings::Postgres(_)) {
            continue;
        }
        let store = founded(&place).await;
        let now = Timestamp::from_secs(1_800_000_000);
        let (keys, sealed) = TenantKeys::found(&store.ring().root, &Random::System, HERE, now).expect("keys");
        let founding = Add { keys: sealed, ..Add::new(2, Also::Nothing) };
        store.write(&access(HERE), founding).await.expect("keys of a tenant");

        place.run_on_keys("ALTER TABLE key RENAME TO away").await;
        let (gate, held) = hold(&store).await;
        let key = keys.mint(&Random::System, KeyClass::Contact, Some(Uuid::from_u128(7)), 0, now);
        let with = write(&store, HERE, Add { keys: vec![key.clone()], ..Add::new(10, Also::Nothing) });
        let without = write(&store, HERE, Add::new(11, Also::Nothing));
        settled().await;
        gate.add_permits(1);
        held.await.expect("no panic").expect("written");
        without.await.expect("no panic").expect("written");
        with.await.expect("no panic").expect_err("no content without its keys");
        sound(&store, HERE, 3).await;

        place.run_on_keys("ALTER TABLE away RENAME TO key").await;
        let again = write(&store, HERE, Add { keys: vec![key], ..Add::new(10, Also::Nothing) });
        again.await.expect("no panic").expect("written");
        sound(&store, HERE, 4).await;
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_finishes_what_is_queued() {
    for place in places().await {
        let store = founded(&place).await;
        let writes: Vec<JoinHandle<Answer>> =
            (0..40_u128).map(|n| write(&store, HERE, Add::new(10 + n, Also::Nothing))).collect();
        settled().await;
        store.close().await;
        let mut stored = 0;
        for write in writes {
            stored += usize::from(write.await.expect("no panic").is_ok());
        }
        assert_eq!(stored, 40, "{}", place.name);
        let store = place.open(&MIGRATIONS).await.expect("stores");
        sound(&store, HERE, 40).await;
        store.close().await;
    }
}
