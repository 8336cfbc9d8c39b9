// SPDX-License-Identifier: EUPL-1.2
//! Forward-only migrations (`refinery`), one folder per engine and database.

use refinery::error::Kind;
use refinery::{Migration, Runner};

use crate::StoreError;

/// The migrations of the four schemas: name and text, in order.
#[derive(Clone, Copy)]
pub struct Migrations {
    /// `content.db`.
    pub content_lite: &'static [(&'static str, &'static str)],
    /// `keys.db`.
    pub keys_lite: &'static [(&'static str, &'static str)],
    /// The content database.
    pub content_postgres: &'static [(&'static str, &'static str)],
    /// The key database.
    pub keys_postgres: &'static [(&'static str, &'static str)],
}

fn runner(migrations: &[(&str, &str)]) -> Result<Runner, StoreError> {
    let all: Result<Vec<Migration>, _> =
        migrations.iter().map(|(name, text)| Migration::unapplied(name, text)).collect();
    let all = all.map_err(|error| StoreError::Migration(error.to_string()))?;
    // A schema that is newer than this program, or a migration that was changed after it ran, is
    // an error and never guessed at. All that is to be done is one transaction: by themselves a migration
    // and the row that says that it was done would be two, and who dies between them never starts again.
    Ok(Runner::new(&all).set_abort_divergent(true).set_abort_missing(true).set_grouped(true))
}

/// Why it was not done. That the database is newer is said in words for whoever starts the program: no file of theirs
/// is missing.
fn refused(error: &refinery::Error, migrations: &[(&str, &str)]) -> StoreError {
    let newer = |applied: &Migration| {
        let known = migrations.iter().filter_map(|(name, text)| Migration::unapplied(name, text).ok());
        known.map(|known| known.version()).max().is_none_or(|newest| applied.version() > newest)
    };
    StoreError::Migration(match error.kind() {
        Kind::MissingVersion(applied) if newer(applied) => {
            format!("it is that of a newer version, which added {applied}; use that version")
        }
        _ => error.to_string(),
    })
}

/// Brings a SQLite file up to date.
///
/// # Errors
/// [`StoreError::Migration`].
pub fn lite(connection: &mut rusqlite::Connection, migrations: &[(&str, &str)]) -> Result<(), StoreError> {
    runner(migrations)?.run(connection).map_err(|error| refused(&error, migrations))?;
    Ok(())
}

/// Brings a PostgreSQL database up to date. Two nodes that start at once take turns: the whole
/// run holds a lock on refinery's own table name.
///
/// # Errors
/// [`StoreError::Migration`].
pub async fn postgres(
    client: &mut tokio_postgres::Client,
    migrations: &[(&str, &str)],
) -> Result<(), StoreError> {
    runner(migrations)?.run_async(client).await.map_err(|error| refused(&error, migrations))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::MIGRATIONS;

    #[test]
    fn who_dies_at_any_commit_of_an_upgrade_starts_again() {
        let folder = tempfile::tempdir().expect("a folder");
        for dies_at in 1.. {
            let file = folder.path().join(format!("{dies_at}.db"));
            let commits = Arc::new(AtomicU32::new(0));
            let counted = Arc::clone(&commits);
            let mut connection = rusqlite::Connection::open(&file).expect("a database");
            // What a commit does not come to is rolled back, as after a kill.
            let dies = move || counted.fetch_add(1, Ordering::SeqCst) + 1 >= dies_at;
            connection.commit_hook(Some(dies)).expect("a hook");
            let done = lite(&mut connection, MIGRATIONS.content_lite);
            drop(connection);
            let mut connection = rusqlite::Connection::open(&file).expect("a database");
            lite(&mut connection, MIGRATIONS.content_lite)
                .unwrap_or_else(|error| panic!("{dies_at}: {error}"));
            if done.is_ok() {
                assert!(dies_at > 1, "nothing was committed");
                return;
            }
        }
    }
}
