// SPDX-License-Identifier: EUPL-1.2
//! Looks at databases without changing them, for `belofte doctor`: nothing is made, migrated or
//! repaired here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use belofte_model::Timestamp;
use rusqlite::{Connection, OpenFlags};
use tokio_postgres::Client;

use crate::engine::read_address;
use crate::{Clock, EngineSettings, MIGRATIONS, PostgresSettings, StoreError, StoreSettings};

/// What was found out about one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// Every migration of this version, and no other.
    UpToDate,
    /// It answers, but so many migrations are missing; the next start brings them.
    Behind(usize),
    /// A newer version was here.
    Ahead,
    /// There is no file or no table yet.
    Absent,
    /// It cannot be read.
    Unreachable,
}

/// What was found out about a role of PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleState {
    /// Row-level security does not hold for it.
    pub superuser: bool,
    /// Row-level security does not hold for it.
    pub bypasses_rls: bool,
}

/// What time a server said it was, and when it was asked. It looked at its clock at some moment in between: how long it
/// took to answer says nothing of its clock (Cristian, "Probabilistic clock synchronization", 1989).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerTime {
    /// When it was asked, by the clock of this machine.
    pub asked: Timestamp,
    /// What it said.
    pub said: Timestamp,
    /// When its answer was there, by the clock of this machine.
    pub answered: Timestamp,
}

impl ServerTime {
    /// How far the two clocks are apart, at the least.
    #[must_use]
    pub fn apart(&self) -> Duration {
        let early = if self.said < self.asked { self.asked.since(self.said) } else { Duration::ZERO };
        let late = if self.said > self.answered { self.said.since(self.answered) } else { Duration::ZERO };
        early.max(late)
    }
}

/// What was found out about the stores.
#[derive(Clone, Debug)]
pub struct Examination {
    /// The database of content.
    pub content: SchemaState,
    /// The database of keys.
    pub keys: SchemaState,
    /// The role that reaches the content, on PostgreSQL.
    pub role: Option<RoleState>,
    /// Whether keys and content are one database, whatever their addresses are; `None` when it
    /// cannot be told.
    pub same_database: Option<bool>,
    /// What time the server of the content says it is, on PostgreSQL.
    pub server_time: Option<ServerTime>,
    /// Index files that do not hold together; they can be deleted and are made again.
    pub broken_indexes: Vec<PathBuf>,
    /// How many index files there are.
    pub indexes: usize,
}

/// Looks at the stores of `settings`, whose clock is compared with `clock`. What cannot be reached is part of the answer.
///
/// # Errors
/// None: every failure is a finding.
pub async fn examine(settings: &StoreSettings, clock: &Clock) -> Examination {
    let (folder, idx) = (settings.folder.clone(), settings.folder.join("idx"));
    let (indexes, broken_indexes) =
        tokio::task::spawn_blocking(move || check_indexes(&idx)).await.unwrap_or_default();
    let mut found = match &settings.engine {
        EngineSettings::Sqlite { .. } => tokio::task::spawn_blocking(move || lite(&folder)).await.ok(),
        EngineSettings::Postgres(settings) => Some(postgres(settings, Some(clock)).await),
    }
    .unwrap_or_else(unreachable);
    found.indexes = indexes;
    found.broken_indexes = broken_indexes;
    found
}

/// The schemas of the databases of content and keys, without looking at anything else.
///
/// # Errors
/// None: every failure is a state.
pub async fn schemas(settings: &StoreSettings) -> (SchemaState, SchemaState) {
    let folder = settings.folder.clone();
    let found = match &settings.engine {
        EngineSettings::Sqlite { .. } => tokio::task::spawn_blocking(move || lite(&folder)).await.ok(),
        EngineSettings::Postgres(settings) => Some(postgres(settings, None).await),
    }
    .unwrap_or_else(unreachable);
    (found.content, found.keys)
}

const fn unreachable() -> Examination {
    Examination {
        content: SchemaState::Unreachable,
        keys: SchemaState::Unreachable,
        role: None,
        same_database: None,
        server_time: None,
        broken_indexes: Vec::new(),
        indexes: 0,
    }
}

/// The number of a migration: `V12__name` is 12.
fn number(name: &str) -> Option<i64> {
    name.strip_prefix('V')?.split_once("__")?.0.parse().ok()
}

fn compare(expected: &[(&str, &str)], applied: &BTreeSet<i64>) -> SchemaState {
    let expected: BTreeSet<i64> = expected.iter().filter_map(|(name, _)| number(name)).collect();
    if applied.difference(&expected).next().is_some() {
        return SchemaState::Ahead;
    }
    match expected.difference(applied).count() {
        0 => SchemaState::UpToDate,
        missing => SchemaState::Behind(missing),
    }
}

fn read_only(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

fn lite(folder: &Path) -> Examination {
    let state = |name: &str, expected: &[(&str, &str)]| {
        let path = folder.join(name);
        if !path.exists() {
            return SchemaState::Absent;
        }
        match applied_lite(&path) {
            Ok(Some(applied)) => compare(expected, &applied),
            Ok(None) => SchemaState::Absent,
            Err(_) => SchemaState::Unreachable,
        }
    };
    Examination {
        content: state("content.db", MIGRATIONS.content_lite),
        keys: state("keys.db", MIGRATIONS.keys_lite),
        same_database: Some(false),
        ..unreachable()
    }
}

fn applied_lite(path: &Path) -> Result<Option<BTreeSet<i64>>, rusqlite::Error> {
    let connection = read_only(path)?;
    let there: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_master WHERE name = 'refinery_schema_history'",
        [],
        |row| row.get(0),
    )?;
    if there == 0 {
        return Ok(None);
    }
    let mut rows = connection.prepare("SELECT version FROM refinery_schema_history")?;
    rows.query_map([], |row| row.get(0))?.collect::<Result<_, _>>().map(Some)
}

/// How many index files there are, and which of them are broken.
fn check_indexes(folder: &Path) -> (usize, Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return (0, Vec::new()) };
    let files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "db"))
        .collect();
    let sound = |path: &PathBuf| {
        let check = read_only(path)
            .and_then(|file| file.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)));
        check.is_ok_and(|said| said == "ok")
    };
    (files.len(), files.iter().filter(|path| !sound(path)).cloned().collect())
}

async fn postgres(settings: &PostgresSettings, clock: Option<&Clock>) -> Examination {
    let content = look(settings, &settings.content_url, MIGRATIONS.content_postgres, clock).await;
    let keys = look(settings, &settings.keys_url, MIGRATIONS.keys_postgres, None).await;
    let mut found = unreachable();
    if let (Ok(content), Ok(keys)) = (&content, &keys) {
        found.same_database = Some(content.identity == keys.identity);
    }
    if let Ok(keys) = keys {
        found.keys = keys.schema;
    }
    if let Ok(content) = content {
        found.content = content.schema;
        found.role = Some(content.role);
        found.server_time = content.time;
    }
    found
}

struct Looked {
    schema: SchemaState,
    role: RoleState,
    /// The database's id and the start of its server: no two databases share both.
    identity: (i64, i64),
    time: Option<ServerTime>,
}

async fn look(
    settings: &PostgresSettings,
    url: &str,
    expected: &[(&str, &str)],
    clock: Option<&Clock>,
) -> Result<Looked, StoreError> {
    let (config, connector) = read_address(url, &settings.tls)?;
    let (client, connection) = config.connect(connector).await?;
    tokio::select! {
        looked = ask(&client, expected, clock) => looked,
        _ = connection => Err(StoreError::Busy),
    }
}

async fn ask(
    client: &Client,
    expected: &[(&str, &str)],
    clock: Option<&Clock>,
) -> Result<Looked, StoreError> {
    let asked = clock.map(Clock::now);
    let row = client
        .query_one(
            "SELECT r.rolsuper, r.rolbypassrls, d.oid::bigint, \
             (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint, \
             (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, \
             to_regclass('refinery_schema_history') IS NOT NULL \
             FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()",
            &[],
        )
        .await?;
    let said = Timestamp::from_micros(row.try_get(4)?);
    let time = asked.zip(clock.map(Clock::now)).map(|(asked, answered)| ServerTime { asked, said, answered });
    let schema = if row.try_get(5)? {
        let rows = client.query("SELECT version::bigint FROM refinery_schema_history", &[]).await?;
        let applied: Result<BTreeSet<i64>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        compare(expected, &applied?)
    } else {
        SchemaState::Absent
    };
    Ok(Looked {
        schema,
        role: RoleState { superuser: row.try_get(0)?, bypasses_rls: row.try_get(1)? },
        identity: (row.try_get(2)?, row.try_get(3)?),
        time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_compared_by_number() {
        let expected = [("V1__house", ""), ("V2__room", "")];
        let applied = |numbers: &[i64]| compare(&expected, &numbers.iter().copied().collect());
        assert_eq!(applied(&[1, 2]), SchemaState::UpToDate);
        assert_eq!(applied(&[1]), SchemaState::Behind(1));
        assert_eq!(applied(&[1, 2, 3]), SchemaState::Ahead);
    }

    #[test]
    fn a_slow_answer_is_no_wrong_clock() {
        let at = Timestamp::from_secs;
        let apart = |said| ServerTime { asked: at(1_000), said: at(said), answered: at(1_020) }.apart();
        for said in [1_000, 1_007, 1_020] {
            assert_eq!(apart(said), Duration::ZERO, "{said}");
        }
        assert_eq!(apart(994), Duration::from_secs(6));
        assert_eq!(apart(1_026), Duration::from_secs(6));
    }

    #[tokio::test]
    async fn a_folder_without_databases_stays_without() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = EngineSettings::Sqlite { readers: 1 };
        let settings = StoreSettings { folder: folder.path().to_owned(), engine };
        let found = examine(&settings, &Clock::System).await;
        assert_eq!((found.content, found.keys), (SchemaState::Absent, SchemaState::Absent));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn a_broken_index_file_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let (good, bad) = (folder.path().join("good.db"), folder.path().join("bad.db"));
        Connection::open(&good).expect("made").execute_batch("CREATE TABLE t (x)").expect("made");
        fs::write(&bad, vec![7; 8_192]).expect("written");
        assert_eq!(check_indexes(folder.path()), (2, vec![bad]));
    }
}
