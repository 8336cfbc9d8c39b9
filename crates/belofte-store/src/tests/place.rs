// SPDX-License-Identifier: EUPL-1.2
//! A place with four stores, on either engine, that is gone after the test.

use std::path::Path;

use belofte_model::{Actor, Purpose, RequestId, TenantId, Visible};
use belofte_vault::{Random, RootKey};
use uuid::Uuid;

use crate::engine::{Migrations, PostgresSettings, migrate};
use crate::{Access, Clock, EngineSettings, MIGRATIONS, Store, StoreError, StoreSettings};

pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) engine: EngineSettings,
}

/// The engines that can be tested here: SQLite always, PostgreSQL when a server is named. Under
/// `CI` a missing server is a failure, elsewhere it is said aloud.
pub(crate) async fn places() -> Vec<Place> {
    places_with(None).await
}

/// As [`places`], with the schema of this version where that saves time: on PostgreSQL it is copied from a template.
pub(crate) async fn furnished_places() -> Vec<Place> {
    places_with(Some(&MIGRATIONS)).await
}

async fn places_with(schema: Option<&Migrations>) -> Vec<Place> {
    let folder = || tempfile::tempdir().expect("a folder");
    let mut all =
        vec![Place { name: "sqlite", folder: folder(), engine: EngineSettings::Sqlite { readers: 4 } }];
    match std::env::var("BELOFTE_TEST_POSTGRES") {
        Ok(url) => {
            let engine = EngineSettings::Postgres(two_databases(&url, schema).await);
            all.push(Place { name: "postgres", folder: folder(), engine });
        }
        Err(_) => {
            assert!(std::env::var_os("CI").is_none(), "BELOFTE_TEST_POSTGRES must name a server under CI");
            eprintln!("SKIPPED on PostgreSQL: BELOFTE_TEST_POSTGRES names no server");
        }
    }
    all
}

/// A connection for as long as `act` takes.
async fn connected<T>(
    config: &tokio_postgres::Config,
    act: impl AsyncFnOnce(&mut tokio_postgres::Client) -> T,
) -> T {
    let (mut client, connection) = config.connect(tokio_postgres::NoTls).await.expect("a server");
    tokio::select! {
        done = act(&mut client) => done,
        _ = connection => panic!("the server went away"),
    }
}

/// The name of a database with this schema, which is made when there is none yet. It names what is in it, and of
/// several processes that make it at once one wins.
async fn template(config: &tokio_postgres::Config, suffix: &str, schema: &[(&str, &str)]) -> String {
    let text: String = schema.iter().flat_map(|(name, text)| [*name, *text]).collect();
    let hash = belofte_vault::sha256(text.as_bytes());
    let name = format!(
        "store_{suffix}_{}",
        hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>()
    );
    let exists = async |client: &mut tokio_postgres::Client| {
        let row = client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await;
        row.expect("asked").is_some()
    };
    if connected(config, exists).await {
        return name;
    }
    let draft = format!("draft_{suffix}_{}", Uuid::from_bytes(Random::System.bytes()).simple());
    let make = async |client: &mut tokio_postgres::Client| {
        client.batch_execute(&format!("CREATE DATABASE {draft}")).await.expect("made");
    };
    connected(config, make).await;
    let fill = async |client: &mut tokio_postgres::Client| {
        migrate::postgres(client, schema).await.expect("migrated");
    };
    connected(config.clone().dbname(&draft), fill).await;
    // It waits until nobody is connected any more.
    let rename = async |client: &mut tokio_postgres::Client| {
        if client.batch_execute(&format!("ALTER DATABASE {draft} RENAME TO {name}")).await.is_err() {
            client.batch_execute(&format!("DROP DATABASE {draft}")).await.expect("dropped");
        }
    };
    connected(config, rename).await;
    assert!(connected(config, exists).await, "there is a template");
    name
}

async fn two_databases(url: &str, schema: Option<&Migrations>) -> PostgresSettings {
    let config: tokio_postgres::Config = url.parse().expect("an address of a server");
    let name = format!("store_{}", Uuid::from_bytes(Random::System.bytes()).simple());
    let parts = schema.map_or([None, None], |all| [Some(all.content_postgres), Some(all.keys_postgres)]);
    for (suffix, schema) in ["content", "keys"].into_iter().zip(parts) {
        let of = match schema {
            Some(schema) => format!(" TEMPLATE {}", template(&config, suffix, schema).await),
            None => String::new(),
        };
        let make = async |client: &mut tokio_postgres::Client| {
            client.batch_execute(&format!("CREATE DATABASE {name}_{suffix}{of}")).await.expect("made");
        };
        connected(&config, make).await;
    }
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
