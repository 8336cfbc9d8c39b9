// SPDX-License-Identifier: EUPL-1.2
//! A place with four stores, on either engine, that is gone after the test.

use std::path::Path;

use belofte_model::{Actor, Purpose, RequestId, TenantId, Visible};
use belofte_vault::{Random, RootKey};
use uuid::Uuid;

use crate::engine::{Migrations, PostgresSettings};
use crate::{Access, Clock, EngineSettings, MIGRATIONS, Store, StoreError, StoreSettings};

pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) engine: EngineSettings,
}

/// The engines that can be tested here: SQLite always, PostgreSQL when a server is named. Under
/// `CI` a missing server is a failure, elsewhere it is said aloud.
pub(crate) async fn places() -> Vec<Place> {
    let folder = || tempfile::tempdir().expect("a folder");
    let mut all =
        vec![Place { name: "sqlite", folder: folder(), engine: EngineSettings::Sqlite { readers: 4 } }];
    match std::env::var("BELOFTE_TEST_POSTGRES") {
        Ok(url) => {
            let engine = EngineSettings::Postgres(two_databases(&url).await);
            all.push(Place { name: "postgres", folder: folder(), engine });
        }
        Err(_) => {
            assert!(std::env::var_os("CI").is_none(), "BELOFTE_TEST_POSTGRES must name a server under CI");
            eprintln!("SKIPPED on PostgreSQL: BELOFTE_TEST_POSTGRES names no server");
        }
    }
    all
}

async fn two_databases(url: &str) -> PostgresSettings {
    let config: tokio_postgres::Config = url.parse().expect("an address of a server");
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("a server");
    let run = async {
        let name = format!("store_{}", Uuid::from_bytes(Random::System.bytes()).simple());
        for suffix in ["content", "keys"] {
            client.batch_execute(&format!("CREATE DATABASE {name}_{suffix}")).await.expect("made");
        }
        name
    };
    let name = tokio::select! {
        name = run => name,
        _ = connection => panic!("the server went away"),
    };
    // The later setting of a libpq address wins; both forms of address take one.
    let of = |suffix: &str| {
        if url.contains("://") {
            let (base, query) = url.split_once('?').unwrap_or((url, ""));
            let server = base.rsplit_once('/').map_or(base, |(server, _)| server);
            format!("{server}/{name}_{suffix}?{query}")
        } else {
            format!("{url} dbname={name}_{suffix}")
        }
    };
    PostgresSettings {
        content_url: of("content"),
        keys_url: of("keys"),
        connections: 8,
        tls: crate::PostgresTls::default(),
    }
}

impl Place {
    pub(crate) async fn open(&self, migrations: &Migrations) -> Result<Store, StoreError> {
        open(self.folder.path(), self.engine.clone(), migrations).await
    }

    /// Runs a statement on the key database by itself (PostgreSQL).
    pub(crate) async fn run_on_keys(&self, text: &str) {
        let EngineSettings::Postgres(settings) = &self.engine else { panic!("no server") };
        let config: tokio_postgres::Config = settings.keys_url.parse().expect("an address of a server");
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("a server");
        tokio::select! {
            done = client.batch_execute(text) => done.expect("done"),
            _ = connection => panic!("the server went away"),
        }
    }

    /// Runs a statement on the content by itself (PostgreSQL); gives the number that it answers with first.
    pub(crate) async fn ask_content(&self, text: &str) -> Option<i64> {
        let EngineSettings::Postgres(settings) = &self.engine else { panic!("no server") };
        let config: tokio_postgres::Config = settings.content_url.parse().expect("an address of a server");
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("a server");
        let ask = async {
            client.batch_execute("SET belofte.scope = 'system'").await?;
            client.query(text, &[]).await
        };
        let rows = tokio::select! {
            rows = ask => rows.expect("done"),
            _ = connection => panic!("the server went away"),
        };
        rows.first().map(|row| row.get(0))
    }

    /// The stores of this version, with a clock that the test moves.
    pub(crate) async fn open_at(&self, clock: &Clock) -> Result<Store, StoreError> {
        open_with(self.folder.path(), self.engine.clone(), &MIGRATIONS, clock.clone()).await
    }
}

pub(crate) async fn open(
    folder: &Path,
    engine: EngineSettings,
    migrations: &Migrations,
) -> Result<Store, StoreError> {
    open_with(folder, engine, migrations, Clock::System).await
}

async fn open_with(
    folder: &Path,
    engine: EngineSettings,
    migrations: &Migrations,
    clock: Clock,
) -> Result<Store, StoreError> {
    let path = folder.join("root.key");
    let root = match RootKey::open_file(&path).expect("a readable root key") {
        Some(root) => root,
        None => RootKey::create_file(&path, &Random::System).expect("a root key"),
    };
    let settings = StoreSettings { folder: folder.to_owned(), engine };
    Store::open_with(&settings, migrations, root, clock, Random::System).await
}

/// The stores of this version under a root key of the test's own.
pub(crate) async fn open_with_root(
    folder: &Path,
    engine: EngineSettings,
    root: RootKey,
    clock: Clock,
) -> Result<Store, StoreError> {
    let settings = StoreSettings { folder: folder.to_owned(), engine };
    Store::open_with(&settings, &MIGRATIONS, root, clock, Random::System).await
}

pub(crate) fn access(tenant: TenantId) -> Access {
    Access::for_test(
        tenant,
        Actor::System,
        Purpose::Upkeep,
        RequestId(Uuid::nil()),
        Visible::all(),
        Clock::System,
    )
}
