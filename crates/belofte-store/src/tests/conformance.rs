// SPDX-License-Identifier: EUPL-1.2
//! Both engines take and give the same: every type, NULL, conflicts, failures that undo only
//! their own write, and a write that the server refuses to serialise.

use std::sync::atomic::{AtomicU32, Ordering};

use belofte_model::{TenantId, Timestamp};
use uuid::Uuid;

use super::{access, places};
use crate::engine::{Migrations, params, sql};
use crate::{Read, Store, StoreError, Tx, Write};

const MIGRATIONS: Migrations = Migrations {
    content_lite: &[(
        "V1__types",
        "CREATE TABLE typed (tenant_id BLOB NOT NULL, id BLOB NOT NULL, n INTEGER, b BLOB, t TEXT, u BLOB,
           PRIMARY KEY (tenant_id, id)) STRICT, WITHOUT ROWID;",
    )],
    content_postgres: &[(
        "V1__types",
        "CREATE TABLE typed (tenant_id uuid NOT NULL, id uuid NOT NULL, n bigint, b bytea, t text COLLATE \"C\", u uuid,
           PRIMARY KEY (tenant_id, id));
         CREATE FUNCTION refuse() RETURNS bigint LANGUAGE plpgsql AS
           'BEGIN RAISE EXCEPTION USING ERRCODE = ''40001''; END';",
    )],
    keys_lite: crate::MIGRATIONS.keys_lite,
    keys_postgres: crate::MIGRATIONS.keys_postgres,
};

const TENANT: TenantId = TenantId(Uuid::from_u128(0x7e5));

#[derive(Clone, PartialEq, Debug)]
struct Typed {
    id: Uuid,
    n: Option<i64>,
    b: Option<Vec<u8>>,
    t: Option<String>,
    u: Option<Uuid>,
}

struct Put {
    row: Typed,
    /// The server refuses the first so many tries.
    refusals: u32,
    tries: AtomicU32,
    /// Fails after it has written.
    fails: bool,
}

impl Put {
    fn new(row: Typed) -> Self {
        Self { row, refusals: 0, tries: AtomicU32::new(0), fails: false }
    }
}

impl Write for Put {
    type Out = (u64, u32);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tries = self.tries.fetch_add(1, Ordering::SeqCst) + 1;
        let tenant = tx.tenant();
        let Typed { id, n, b, t, u } = &self.row;
        let written = tx
            .execute(
                sql!(
                    "INSERT INTO typed (tenant_id, id, n, b, t, u) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
                ),
                params![tenant, *id, *n, b.as_ref(), t.as_ref(), *u],
            )
            .await?;
        if tx.is_postgres() && tries <= self.refusals {
            tx.query(sql!("SELECT refuse()"), &[], |row| row.int(0)).await?;
        }
        if self.fails {
            return Err(StoreError::Conflict);
        }
        Ok((written, tries))
    }
}

struct All;

impl Read for All {
    type Out = Vec<Typed>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!("SELECT id, n, b, t, u FROM typed WHERE tenant_id = $1 ORDER BY id"),
            params![tenant],
            |row| {
                Ok(Typed {
                    id: row.uuid(0)?,
                    n: row.opt_int(1)?,
                    b: row.opt_bytes(2)?,
                    t: row.opt_text(3)?,
                    u: row.opt_uuid(4)?,
                })
            },
        )
        .await
    }
}

fn rows() -> Vec<Typed> {
    let text = "Ünïcode ✓ 'quote' \"double\" $1 ?2 \u{202e}";
    vec![
        Typed { id: Uuid::from_u128(1), n: None, b: None, t: None, u: None },
        Typed { id: Uuid::from_u128(2), n: Some(i64::MIN), b: Some(vec![]), t: Some(String::new()), u: None },
        Typed {
            id: Uuid::from_u128(3),
            n: Some(Timestamp::from_secs(4_000_000_000).as_micros()),
            b: Some((0..=255).collect()),
            t: Some(text.to_owned()),
            u: Some(Uuid::max()),
        },
    ]
}

async fn write(store: &Store, put: Put) -> Result<(u64, u32), StoreError> {
    store.write(&access(TENANT), put).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_keep_what_they_are_given() {
    for place in places().await {
        let store = place.open(&MIGRATIONS).await.expect("stores");
        for row in rows() {
            assert_eq!(write(&store, Put::new(row.clone())).await.expect("written"), (1, 1));
            assert_eq!(write(&store, Put::new(row)).await.expect("a conflict is no error"), (0, 1));
        }
        assert_eq!(store.read(&access(TENANT), All).await.expect("read"), rows(), "{}", place.name);
        let other = TenantId(Uuid::from_u128(0xbad));
        assert_eq!(
            store.read(&access(other), All).await.expect("read"),
            vec![],
            "another tenant sees nothing"
        );
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_write_undoes_itself_and_not_its_neighbours() {
    for place in places().await {
        let store = place.open(&MIGRATIONS).await.expect("stores");
        let mut writes = tokio::task::JoinSet::new();
        for n in 0..40_u32 {
            let store = store.clone();
            writes.spawn(async move {
                let row = Typed {
                    id: Uuid::from_u128(u128::from(n)),
                    n: Some(i64::from(n)),
                    b: None,
                    t: None,
                    u: None,
                };
                let put = Put { fails: n % 2 == 1, ..Put::new(row) };
                (n, write(&store, put).await)
            });
        }
        while let Some(done) = writes.join_next().await {
            let (n, result) = done.expect("no panic");
            assert_eq!(result.is_ok(), n % 2 == 0, "{}: write {n}", place.name);
        }
        let kept = store.read(&access(TENANT), All).await.expect("read");
        assert_eq!(kept.len(), 20);
        assert!(kept.iter().all(|row| row.n.expect("a number") % 2 == 0), "{}", place.name);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_cannot_be_serialised_is_tried_again_as_the_same_value() {
    for place in places().await {
        let store = place.open(&MIGRATIONS).await.expect("stores");
        let row = rows().remove(2);
        let put = Put { refusals: 3, ..Put::new(row.clone()) };
        let (written, tries) = write(&store, put).await.expect("written in the end");
        assert_eq!((written, tries), if store.is_postgres() { (1, 4) } else { (1, 1) });
        assert_eq!(store.read(&access(TENANT), All).await.expect("read"), vec![row]);
        if store.is_postgres() {
            let put = Put { refusals: u32::MAX, ..Put::new(rows().remove(0)) };
            let refused = write(&store, put).await;
            assert!(
                matches!(refused, Err(StoreError::Driver { code }) if code == "40001"),
                "given up in the end"
            );
            assert_eq!(store.read(&access(TENANT), All).await.expect("read").len(), 1);
        }
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_store_refuses_and_a_changed_migration_is_not_guessed_at() {
    for place in places().await {
        let store = place.open(&MIGRATIONS).await.expect("stores");
        store.close().await;
        let refused = write(&store, Put::new(rows().remove(0))).await;
        assert!(matches!(refused, Err(StoreError::Busy)), "{}: {refused:?}", place.name);
        let changed = Migrations {
            content_lite: &[("V1__types", "CREATE TABLE other (id BLOB)")],
            content_postgres: &[("V1__types", "CREATE TABLE other (id bytea)")],
            ..MIGRATIONS
        };
        assert!(matches!(place.open(&changed).await, Err(StoreError::Migration(_))), "{}", place.name);
    }
}
