// SPDX-License-Identifier: EUPL-1.2
//! The plain alternative on SQLite: one connection, write-ahead log, every commit synced, FTS5.

use std::path::Path;

use rusqlite::{Connection, params_from_iter};
use uuid::Uuid;

use crate::plain::{self, Item, Statement, TENANT, Written};
use crate::search::Found;

/// A plain database.
pub struct Lite {
    connection: Connection,
}

const FULL_TEXT: &str = "CREATE VIRTUAL TABLE message_text USING fts5(subject, name, address, body, content = '', tokenize = 'unicode61')";

impl Lite {
    /// Makes one in `folder`, with the product's schema, and the product's settings of the engine.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        let connection = Connection::open(folder.join("plain.db"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -16_384)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // As long a log as the product lets grow.
        connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        connection.set_prepared_statement_cache_capacity(256);
        for (_, text) in belofte_store::MIGRATIONS.content_lite {
            connection.execute_batch(text)?;
        }
        connection.execute_batch(FULL_TEXT)?;
        let plain = Self { connection };
        plain.execute(&plain::tenant())?;
        Ok(plain)
    }

    fn execute(&self, (sql, params): &Statement<'_>) -> anyhow::Result<usize> {
        Ok(self.connection.prepare_cached(&sql.lite)?.execute(params_from_iter(params))?)
    }

    fn ask<T>(
        &self,
        (sql, params): &Statement<'_>,
        map: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> anyhow::Result<Option<T>> {
        let mut statement = self.connection.prepare_cached(&sql.lite)?;
        let mut rows = statement.query(params_from_iter(params))?;
        Ok(rows.next()?.map(map).transpose()?)
    }

    /// Files the items, committing `group` at a time.
    pub fn file(&self, items: &[Item], group: usize) -> anyhow::Result<()> {
        for group in items.chunks(group) {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            for item in group {
                self.write(item)?;
            }
            self.connection.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    fn write(&self, item: &Item) -> anyhow::Result<()> {
        let contact: Option<Uuid> = self.ask(&item.author(), |row| row.get(0))?;
        let mut known = None;
        for question in item.threads() {
            known = self.ask(&question, |row| Ok((row.get(0)?, row.get(1)?)))?;
            if known.is_some() {
                break;
            }
        }
        let written = Written::new(item, contact, known, false)?;
        for statement in written.before() {
            self.execute(&statement)?;
        }
        let next =
            self.ask(&plain::numbers(written.opens()), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for statement in written.after(next.ok_or(rusqlite::Error::QueryReturnedNoRows)?) {
            self.execute(&statement)?;
        }
        Ok(())
    }

    /// The newest messages that hold all words, fetched with their cases.
    pub fn search(&self, expression: &str, limit: usize) -> anyhow::Result<Found> {
        let mut statement = self.connection.prepare_cached(
            "SELECT m.content, c.summary, c.status, m.created_at FROM \
             (SELECT rowid AS no FROM message_text WHERE message_text MATCH ?2 ORDER BY rowid DESC LIMIT ?3) f \
             CROSS JOIN message m ON m.tenant_id = ?1 AND m.no = f.no \
             CROSS JOIN conversation c ON c.tenant_id = ?1 AND c.id = m.conversation_id",
        )?;
        let mut rows = statement.query(rusqlite::params![TENANT, expression, limit as i64])?;
        let mut found = Found::default();
        while let Some(row) = rows.next()? {
            let (content, summary): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let (status, _at): (String, i64) = (row.get(2)?, row.get(3)?);
            found.count += 1;
            found.bytes += content.len() + summary.len() + status.len();
        }
        Ok(found)
    }
}
