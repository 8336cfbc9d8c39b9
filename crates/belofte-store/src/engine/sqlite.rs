// SPDX-License-Identifier: EUPL-1.2
//! SQLite: one writer thread that commits in groups; the readers are beside it (`readers`).
//!
//! Keys and content are two files with two connections. A COMMIT over ATTACHed files in WAL mode
//! tears when the machine is killed (content without its key), so the order is fixed instead:
//! keys first, content second, answers last; keys die only after the content that named them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use belofte_model::{KeyId, TenantId};
use futures_util::FutureExt;
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use super::readers::{Hands, Readers};
use super::{Read, Tx, Write, migrate, statistics};
use crate::StoreError;
use crate::engine::Migrations;
use crate::fail::{self, FailPoint};
use crate::keys::{self, SealedKey};

/// How the embedded engine is opened.
#[derive(Clone, Debug)]
pub struct SqliteSettings {
    /// The folder that holds `content.db` and `keys.db`.
    pub folder: PathBuf,
    /// How many readers may run at once.
    pub readers: usize,
}

/// No group is larger: an answer never waits for more than this many other writes.
const GROUP: usize = 256;
/// Waiting writes beyond this make callers wait, which is the back-pressure of intake.
const QUEUE: usize = 1024;
/// The write-ahead log is copied back when it holds more pages than this (32 MiB): what was written again
/// meanwhile is copied once …
const LOG_PAGES: i32 = 8_192;
/// … or more than this while nothing else waits.
const IDLE_LOG_PAGES: i32 = 1_024;

/// The embedded engine.
pub struct Sqlite {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Work>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    readers: Readers,
}

impl Sqlite {
    /// Opens both files, brings their schemas up to date and starts the writer.
    ///
    /// # Errors
    /// [`StoreError::Driver`] when a file cannot be opened, [`StoreError::Migration`] when its
    /// schema is newer than this program or a migration fails.
    pub fn open(settings: &SqliteSettings, migrations: &Migrations) -> Result<Self, StoreError> {
        crate::durable::folder(&settings.folder)?;
        let content_path = settings.folder.join("content.db");
        let keys_path = settings.folder.join("keys.db");
        let mut content = connect(&content_path, false)?;
        let mut keys = connect(&keys_path, false)?;
        keys.pragma_update(None, "secure_delete", "ON")?;
        migrate::lite(&mut keys, migrations.keys_lite)?;
        migrate::lite(&mut content, migrations.content_lite)?;
        statistics::tell(&mut content)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let logs = [watch_log(&mut content)?, watch_log(&mut keys)?];
        let readers = Readers::start(content_path, keys_path, settings.readers)?;
        let writer = Writer { content, keys, queue: receiver, dying: Vec::new(), logs };
        let writer = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(StoreError::from)?;
        Ok(Self { queue: Mutex::new(Some(sender)), writer: Mutex::new(Some(writer)), readers })
    }

    /// Queues a write and waits until its group is durable. `keys` stand for the value's own new
    /// keys when those had to be wrapped anew.
    ///
    /// # Errors
    /// [`StoreError::KeyGone`] with the key that wraps the new ones when it is not active any more;
    /// nothing is written then.
    /// What the body answers, or [`StoreError::Full`] and [`StoreError::Driver`] of the commit.
    pub async fn write<W: Write>(
        &self,
        tenant: Option<TenantId>,
        value: Arc<W>,
        keys: Option<Arc<[SealedKey]>>,
    ) -> Result<W::Out, StoreError> {
        self.queue(Pending { tenant, value, keys, on_keys: false, out: None, reply: None }).await
    }

    /// Runs a write on the key database alone, in a transaction of its own.
    ///
    /// # Errors
    /// As [`Sqlite::write`].
    pub async fn write_keys<W: Write>(
        &self,
        tenant: Option<TenantId>,
        value: Arc<W>,
    ) -> Result<W::Out, StoreError> {
        self.queue(Pending { tenant, value, keys: None, on_keys: true, out: None, reply: None }).await
    }

    async fn queue<W: Write>(&self, mut work: Pending<W>) -> Result<W::Out, StoreError> {
        let queue = self.queue.lock().expect("no panic holds this lock").clone().ok_or(StoreError::Busy)?;
        let (sender, receiver) = oneshot::channel();
        work.reply = Some(sender);
        queue.send(Box::new(work)).await.map_err(|_| StoreError::Busy)?;
        receiver.await.map_err(|_| StoreError::Busy)?
    }

    /// Runs a question on a snapshot of the content.
    ///
    /// # Errors
    /// What the body answers, and the engine's errors.
    pub async fn read<R: Read>(&self, tenant: Option<TenantId>, value: Arc<R>) -> Result<R::Out, StoreError> {
        self.readers.run(move |hands| hands.content(tenant, &*value)).await
    }

    /// Runs a question on a snapshot of the keys.
    ///
    /// # Errors
    /// What the body answers, and the engine's errors.
    pub async fn read_keys<R: Read>(
        &self,
        tenant: Option<TenantId>,
        value: Arc<R>,
    ) -> Result<R::Out, StoreError> {
        self.readers.run(move |hands| hands.keys(tenant, &*value)).await
    }

    /// Runs `act` on a thread that can read both files.
    ///
    /// # Errors
    /// What `act` answers; [`StoreError::Busy`] when the engine is closed.
    pub(crate) async fn visit<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Hands) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.run(act).await
    }

    /// Takes no more work, finishes what is queued and closes the files.
    pub fn close(&self) {
        self.readers.close();
        self.queue.lock().expect("no panic holds this lock").take();
        if let Some(writer) = self.writer.lock().expect("no panic holds this lock").take() {
            let _ = writer.join();
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}

pub(super) fn connect(path: &Path, read_only: bool) -> Result<Connection, StoreError> {
    let flags = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    if !read_only {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Durable before acknowledged: the log is synced at every commit.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "foreign_keys", "OFF")?;
    }
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // A plan must not depend on the values: otherwise every statement with a range is prepared
    // again whenever it is run, which costs more than running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Of a hundred thousand messages the inner pages of the trees fit in: a row then costs one page
    // of the file. It is taken only as pages are read.
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

/// The number of pages in the write-ahead log of `connection`, as of its last commit. The length of the
/// file says nothing of it: a log that was copied back is written again from its beginning.
fn watch_log(connection: &mut Connection) -> Result<Arc<AtomicI32>, StoreError> {
    let pages = Arc::new(AtomicI32::new(0));
    let seen = Arc::clone(&pages);
    connection.wal_hook(Some(move |_: &mut Wal, pages| {
        seen.store(pages, Ordering::Relaxed);
        Ok(())
    }))?;
    Ok(pages)
}

/// A queued write of any type.
trait Work: Send {
    fn tenant(&self) -> Option<TenantId>;
    /// Whether it changes the key database alone.
    fn on_keys(&self) -> bool;
    fn new_keys(&self) -> &[SealedKey];
    fn dead_keys(&self) -> &[KeyId];
    /// Runs the body; `true` keeps its changes.
    fn run(&mut self, connection: &mut Connection) -> bool;
    /// Forgets that the body was run: what it did was undone.
    fn reset(&mut self);
    /// Gives the work an answer before it was run.
    fn refuse(&mut self, error: StoreError);
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Pending<W: Write> {
    tenant: Option<TenantId>,
    value: Arc<W>,
    keys: Option<Arc<[SealedKey]>>,
    on_keys: bool,
    out: Option<Result<W::Out, StoreError>>,
    reply: Option<oneshot::Sender<Result<W::Out, StoreError>>>,
}

impl<W: Write> Work for Pending<W> {
    fn tenant(&self) -> Option<TenantId> {
        self.tenant
    }

    fn on_keys(&self) -> bool {
        self.on_keys
    }

    fn new_keys(&self) -> &[SealedKey] {
        self.keys.as_deref().unwrap_or_else(|| self.value.new_keys())
    }

    fn dead_keys(&self) -> &[KeyId] {
        self.value.dead_keys()
    }

    fn run(&mut self, connection: &mut Connection) -> bool {
        let mut tx = Tx::lite(connection, self.tenant);
        let out = self.value.run(&mut tx).now_or_never();
        let out = out.unwrap_or(Err(StoreError::Inconsistent { what: "a body of SQLite waited" }));
        let keep = out.is_ok();
        self.out = Some(out);
        keep
    }

    fn reset(&mut self) {
        self.out = None;
    }

    fn refuse(&mut self, error: StoreError) {
        self.out = Some(Err(error));
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let out = match (self.out, committed) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (Some(out), Ok(())) => out,
            (None, Ok(())) => Err(StoreError::Busy),
        };
        // The caller may have gone away; what is durable stays.
        if let Some(reply) = self.reply {
            let _ = reply.send(out);
        }
    }
}

struct Writer {
    content: Connection,
    keys: Connection,
    queue: mpsc::Receiver<Box<dyn Work>>,
    /// Keys whose content is gone; destroyed with the next commit of keys.
    dying: Vec<(TenantId, KeyId)>,
    /// How many pages are in the write-ahead logs of content and keys.
    logs: [Arc<AtomicI32>; 2],
}

impl Writer {
    fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP {
                match self.queue.try_recv() {
                    Ok(work) => group.push(work),
                    Err(_) => break,
                }
            }
            self.commit(group);
            if !self.dying.is_empty() && self.queue.is_empty() {
                // Failure leaves orphans for the sweep: harmless, and tried again next time.
                let _ = self.commit_keys(&[]);
            }
            self.checkpoint();
        }
        let _ = self.commit_keys(&[]);
        for connection in [&self.content, &self.keys] {
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }

    fn commit(&mut self, group: Vec<Box<dyn Work>>) {
        let (on_keys, mut group): (Vec<_>, Vec<_>) = group.into_iter().partition(|work| work.on_keys());
        for work in on_keys {
            self.commit_on_keys(work);
        }
        if group.is_empty() {
            return;
        }
        let result = self.commit_keys(&group).and_then(|refused| {
            fail::hit(FailPoint::KeysCommitted);
            self.commit_content(&mut group, &refused)
        });
        match result {
            Ok(kept) => {
                fail::hit(FailPoint::ContentCommitted);
                for (work, kept) in group.into_iter().zip(kept) {
                    if kept && let Some(tenant) = work.tenant() {
                        self.dying.extend(work.dead_keys().iter().map(|key| (tenant, *key)));
                    }
                    work.answer(Ok(()));
                }
                fail::hit(FailPoint::Answered);
            }
            Err(error) => {
                for work in group {
                    work.answer(Err(error.copy()));
                }
            }
        }
    }

    /// Commits the new keys of a group. For each work it gives the key that keeps it from being
    /// done: what was to wrap its keys is not active any more.
    fn commit_keys(&mut self, group: &[Box<dyn Work>]) -> Result<Vec<Option<KeyId>>, StoreError> {
        if self.dying.is_empty() && group.iter().all(|work| work.new_keys().is_empty()) {
            return Ok(vec![None; group.len()]);
        }
        let transaction = self.keys.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut refused = Vec::with_capacity(group.len());
        for work in group {
            refused.push(keys::insert_lite(&transaction, work.new_keys())?);
        }
        keys::destroy_lite(&transaction, &self.dying)?;
        transaction.commit()?;
        self.dying.clear();
        Ok(refused)
    }

    /// Runs a body on the key database.
    fn commit_on_keys(&mut self, mut work: Box<dyn Work>) {
        let connection = &mut self.keys;
        let result = (|| {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            let keep = work.run(connection);
            if connection.is_autocommit() {
                return Err(StoreError::Full);
            }
            connection.execute_batch(if keep { "COMMIT" } else { "ROLLBACK" })?;
            Ok(())
        })();
        if result.is_err() && !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        work.answer(result);
    }

    /// Runs every body and commits those that succeeded. They are run as if all did, and again in a
    /// savepoint each when one did not: with a savepoint every page that a body touches is kept twice.
    fn commit_content(
        &mut self,
        group: &mut [Box<dyn Work>],
        refused: &[Option<KeyId>],
    ) -> Result<Vec<bool>, StoreError> {
        if let Some(kept) = self.try_content(group, refused, false)? {
            return Ok(kept);
        }
        group.iter_mut().for_each(|work| work.reset());
        let kept = self.try_content(group, refused, true)?;
        kept.ok_or(StoreError::Inconsistent { what: "a group whose bodies are undone one by one" })
    }

    /// Runs every body and commits; `None` when one failed that cannot be undone alone (not `each`):
    /// nothing is committed then.
    fn try_content(
        &mut self,
        group: &mut [Box<dyn Work>],
        refused: &[Option<KeyId>],
        each: bool,
    ) -> Result<Option<Vec<bool>>, StoreError> {
        let connection = &mut self.content;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let alone = group.len() == 1;
        let mut kept = Vec::with_capacity(group.len());
        let bodies = (|| {
            for (work, refused) in group.iter_mut().zip(refused) {
                if let Some(parent) = refused {
                    work.refuse(StoreError::KeyGone(*parent));
                    kept.push(false);
                    continue;
                }
                if each {
                    connection.prepare_cached("SAVEPOINT body")?.execute([])?;
                }
                let keep = work.run(connection);
                if connection.is_autocommit() {
                    // The engine has undone the whole group (disk full, I/O error).
                    return Err(StoreError::Full);
                }
                if !keep && !each {
                    connection.execute_batch("ROLLBACK")?;
                    return Ok(alone.then(|| vec![false]));
                }
                if each {
                    if !keep {
                        connection.prepare_cached("ROLLBACK TO body")?.execute([])?;
                    }
                    connection.prepare_cached("RELEASE body")?.execute([])?;
                }
                kept.push(keep);
            }
            connection.execute_batch("COMMIT")?;
            Ok(Some(std::mem::take(&mut kept)))
        })();
        if bodies.is_err() && !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        bodies
    }

    fn checkpoint(&self) {
        let most = if self.queue.is_empty() { IDLE_LOG_PAGES } else { LOG_PAGES };
        for (connection, pages) in [&self.content, &self.keys].into_iter().zip(&self.logs) {
            if pages.load(Ordering::Relaxed) > most {
                // RESTART would wait for readers; PASSIVE copies what it can, and the log starts
                // over by itself once a copy was complete.
                let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_with_a_range_is_prepared_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let connection = connect(&folder.path().join("content.db"), false).expect("a database");
        connection
            .execute_batch("CREATE TABLE item (a BLOB NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (a, no))")
            .expect("a table");
        let text = "SELECT no FROM item WHERE a = ?1 AND no > ?2 ORDER BY no LIMIT ?3";
        let mut statement = connection.prepare(text).expect("prepared");
        for no in 0..10_i64 {
            let _: Option<i64> = statement.query_row((b"a", no, 5), |row| row.get(0)).ok();
        }
        assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
    }
}
