// SPDX-License-Identifier: EUPL-1.2
//! Forward-only migrations (`refinery`), one folder per engine and database.

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
    // an error and never guessed at.
    Ok(Runner::new(&all).set_abort_divergent(true).set_abort_missing(true))
}

/// Brings a SQLite file up to date.
///
/// # Errors
/// [`StoreError::Migration`].
pub fn lite(connection: &mut rusqlite::Connection, migrations: &[(&str, &str)]) -> Result<(), StoreError> {
    runner(migrations)?.run(connection).map_err(|error| StoreError::Migration(error.to_string()))?;
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
    runner(migrations)?.run_async(client).await.map_err(|error| StoreError::Migration(error.to_string()))?;
    Ok(())
}
