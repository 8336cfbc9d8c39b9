// SPDX-License-Identifier: EUPL-1.2
//! The search index: one file per tenant on each node, outside the acknowledged commit, with either
//! engine (decision 17).
//!
//! `applied` moves in the transaction that adds the tokens, so each message is indexed exactly
//! once: a rowid that FTS5 gets twice leaves a ghost that its integrity check does not see. A file
//! that is missing, broken, ahead of its content or made from another one is made anew; the last
//! message that was added, the *anchor*, tells whether the content is still the same.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use belofte_model::{Duration, MessageId, TenantId};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::time::{ClockId, clock_gettime};

use crate::StoreError;
use crate::lexicons::SealedLexicon;

/// Open files are kept for this many tenants.
const OPEN: usize = 24;

/// Whether what is removed goes from where it stands, or is only marked as gone until it is merged away
/// (SQLite's documentation of FTS5, section 6.12). It is on while something is removed: with it every token
/// of what is added would be looked at one by one. A change of it first writes what was done before.
const SECURE_DELETE: &str = "INSERT INTO message (message, rank) VALUES ('secure-delete', ?1)";

/// So many pages are written by one step of merging: some milliseconds.
const MERGED_PAGES: i64 = 64;

/// The folder of index files.
pub struct Index {
    folder: PathBuf,
    open: Mutex<HashMap<TenantId, Arc<File>>>,
    /// Nanoseconds that processors have worked for it in turns of the indexer.
    worked: AtomicU64,
}

/// The file of one tenant: what searches never waits for what adds.
struct File {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

/// How far an index is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The number of the last message that is in it; 0 for an empty one.
    pub applied: i64,
    /// The last message that was added, by number and id, unless it was removed since.
    pub anchor: Option<(i64, MessageId)>,
}

/// A message as it is added.
pub struct Entry {
    /// Its number.
    pub no: i64,
    /// The message.
    pub message: MessageId,
    /// Its tokens in the form of FTS5.
    pub tokens: String,
}

/// What the index answers to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The number of the last message that is in the index.
    pub applied: i64,
    /// The numbers of the messages that match, newest first.
    pub numbers: Vec<i64>,
}

/// The nanoseconds that processors have worked for this thread (`clock_gettime`, POSIX.1-2017). Not a time of day.
fn on_this_thread() -> u64 {
    let worked = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(worked.tv_sec).unwrap_or_default();
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(worked.tv_nsec).unwrap_or_default())
}

impl Index {
    /// Uses `folder`.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, open: Mutex::default(), worked: AtomicU64::default() }
    }

    /// Does `act`, whose processor time counts as work for the index; on a thread that does nothing else meanwhile.
    pub fn counted<T>(&self, act: impl FnOnce() -> T) -> T {
        let before = on_this_thread();
        let done = act();
        self.worked.fetch_add(on_this_thread().saturating_sub(before), Ordering::Relaxed);
        done
    }

    /// How long processors have worked for it since it was made.
    #[must_use]
    pub fn worked(&self) -> Duration {
        Duration::from_nanos(self.worked.load(Ordering::Relaxed))
    }

    fn path(&self, tenant: TenantId) -> PathBuf {
        self.folder.join(format!("{}.db", tenant.uuid().simple()))
    }

    fn file(&self, tenant: TenantId) -> Result<Arc<File>, StoreError> {
        let mut open = self.open.lock().expect("no panic holds this lock");
        if let Some(file) = open.get(&tenant) {
            return Ok(Arc::clone(file));
        }
        if open.len() >= OPEN {
            open.clear();
        }
        let file = match self.try_open(tenant) {
            Ok(file) => file,
            // Broken: it holds nothing that cannot be made again. One that cannot be opened at the
            // moment stays.
            Err(error) if is_broken(&error) || has_code(&error, &[SQLITE_ERROR]) => {
                self.delete(tenant)?;
                self.try_open(tenant)?
            }
            Err(error) => return Err(error),
        };
        let file = Arc::new(file);
        open.insert(tenant, Arc::clone(&file));
        Ok(file)
    }

    /// Works with the file of a tenant. One that shows itself broken on the way goes, and is made anew
    /// from the content by whoever opens it next.
    fn with<T>(
        &self,
        tenant: TenantId,
        work: impl FnOnce(&File) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let file = self.file(tenant)?;
        let done = work(&file);
        if let Err(error) = &done
            && is_broken(error)
        {
            tracing::warn!(%tenant, %error, "an index is broken and is made anew");
            drop(file);
            self.remove_files(tenant)?;
        }
        done
    }

    fn try_open(&self, tenant: TenantId) -> Result<File, StoreError> {
        fs::create_dir_all(&self.folder)?;
        let connection = Connection::open(self.path(tenant))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Outside the acknowledged commit: a crash may take its end, which is then applied again.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -8_192)?;
        connection.pragma_update(None, "wal_autocheckpoint", 2_000)?;
        connection.execute_batch(
            "PRAGMA secure_delete = ON;
             CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value ANY) STRICT;",
        )?;
        let known: Option<i64> = connection
            .query_row("SELECT value FROM state WHERE name = 'applied'", [], |row| row.get(0))
            .map(Some)
            .or_else(|error| match error {
                rusqlite::Error::QueryReturnedNoRows => Ok(None),
                error => Err(error),
            })?;
        if known.is_none() {
            connection.execute_batch(
                "BEGIN;
                 CREATE VIRTUAL TABLE message USING fts5(tok, content = '', detail = none, tokenize = 'ascii');
                 INSERT INTO message (message, rank) VALUES ('usermerge', 2);
                 INSERT INTO message (message, rank) VALUES ('automerge', 8);
                 INSERT INTO message (message, rank) VALUES ('hashsize', 16777216);
                 INSERT INTO state (name, value) VALUES ('applied', 0);
                 COMMIT;",
            )?;
        }
        // Files of versions before had it on for good.
        let secure = "SELECT v FROM message_config WHERE k = 'secure-delete' AND v <> 0";
        if connection.prepare(secure)?.exists([])? {
            connection.execute(SECURE_DELETE, [false])?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(self.path(tenant), flags)?;
        reader.busy_timeout(std::time::Duration::from_secs(10))?;
        // As the engine's own readers: a plan that does not depend on the values.
        reader.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        reader.pragma_update(None, "cache_size", -16_384)?;
        Ok(File { writer: Mutex::new(connection), reader: Mutex::new(reader) })
    }

    fn remove_files(&self, tenant: TenantId) -> Result<(), StoreError> {
        self.open.lock().expect("no panic holds this lock").remove(&tenant);
        self.delete(tenant)
    }

    fn delete(&self, tenant: TenantId) -> Result<(), StoreError> {
        for suffix in ["", "-wal", "-shm"] {
            let path = PathBuf::from(format!("{}{suffix}", self.path(tenant).display()));
            match fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Throws the index of a tenant away; it is made anew from the content.
    ///
    /// # Errors
    /// [`StoreError::Blob`] when a file cannot be removed.
    pub fn reset(&self, tenant: TenantId) -> Result<(), StoreError> {
        self.remove_files(tenant)
    }

    /// The number of the last message that is in the index; 0 for an empty one.
    ///
    /// # Errors
    /// The engine's errors.
    pub fn applied(&self, tenant: TenantId) -> Result<i64, StoreError> {
        self.with(tenant, |file| applied(&file.reader.lock().expect("no panic holds this lock")))
    }

    /// How far the index is, and which message stands for the content that it was made from.
    ///
    /// # Errors
    /// The engine's errors.
    pub fn standing(&self, tenant: TenantId) -> Result<Standing, StoreError> {
        use rusqlite::OptionalExtension as _;
        self.with(tenant, |file| {
            let connection = file.reader.lock().expect("no panic holds this lock");
            let _one_state = OneState::begin(&connection)?;
            let mut statement = connection.prepare_cached(
                "SELECT n.value, m.value FROM state n, state m WHERE n.name = 'anchor_no' AND m.name = 'anchor'",
            )?;
            let anchor = statement
                .query_row([], |row| Ok((row.get(0)?, MessageId(row.get::<_, uuid::Uuid>(1)?))))
                .optional()?;
            Ok(Standing { applied: applied(&connection)?, anchor })
        })
    }

    /// Adds messages that follow the last one applied, in order of their number; those that are
    /// already in are passed over. `through` is the number up to which the content was looked at.
    ///
    /// # Errors
    /// The engine's errors; nothing is applied then.
    pub fn apply(&self, tenant: TenantId, through: i64, batch: &[Entry]) -> Result<(), StoreError> {
        self.with(tenant, |file| {
            let mut connection = file.writer.lock().expect("no panic holds this lock");
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let applied: i64 =
                transaction
                    .query_row("SELECT value FROM state WHERE name = 'applied'", [], |row| row.get(0))?;
            {
                let mut insert =
                    transaction.prepare_cached("INSERT INTO message (rowid, tok) VALUES (?1, ?2)")?;
                for entry in batch.iter().filter(|entry| entry.no > applied) {
                    insert.execute(rusqlite::params![entry.no, entry.tokens])?;
                }
            }
            if let Some(last) = batch.last().filter(|last| last.no > applied) {
                let mut put = transaction
                    .prepare_cached("INSERT OR REPLACE INTO state (name, value) VALUES (?1, ?2)")?;
                put.execute(rusqlite::params!["anchor_no", last.no])?;
                put.execute(rusqlite::params!["anchor", last.message.uuid()])?;
            }
            transaction
                .execute("UPDATE state SET value = max(value, ?1) WHERE name = 'applied'", [through])?;
            transaction.commit()?;
            Ok(())
        })
    }

    /// Merges a few of the pieces in which the index was written; a search looks into each of them.
    /// Gives whether there may be more to merge.
    ///
    /// # Errors
    /// The engine's errors; nothing is merged then.
    pub fn merge(&self, tenant: TenantId) -> Result<bool, StoreError> {
        let file = self.file(tenant)?;
        let connection = file.writer.lock().expect("no panic holds this lock");
        let before = connection.total_changes();
        connection
            .prepare_cached("INSERT INTO message (message, rank) VALUES ('merge', ?1)")?
            .execute([MERGED_PAGES])?;
        // Less than two changes: it found nothing to do (SQLite's documentation of FTS5, section 6.7).
        Ok(connection.total_changes() - before >= 2)
    }

    /// The lexicon that was saved in the file of a tenant.
    ///
    /// # Errors
    /// The engine's errors.
    pub(crate) fn lexicon(&self, tenant: TenantId) -> Result<Option<SealedLexicon>, StoreError> {
        use rusqlite::OptionalExtension as _;
        self.with(tenant, |file| {
            let connection = file.writer.lock().expect("no panic holds this lock");
            let found = connection
                .query_row(
                    "SELECT c.value, k.value, t.value FROM state c, state k, state t WHERE c.name = 'lexicon' \
                     AND k.name = 'lexicon_key' AND t.name = 'lexicon_through'",
                    [],
                    |row| {
                        let key: uuid::Uuid = row.get(1)?;
                        Ok(SealedLexicon { content: row.get(0)?, key: key.into(), through: row.get(2)? })
                    },
                )
                .optional()?;
            Ok(found)
        })
    }

    /// Saves the lexicon in the file of a tenant.
    ///
    /// # Errors
    /// The engine's errors; the one before stays then.
    pub(crate) fn save_lexicon(&self, tenant: TenantId, lexicon: &SealedLexicon) -> Result<(), StoreError> {
        self.with(tenant, |file| {
            let mut connection = file.writer.lock().expect("no panic holds this lock");
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            {
                let mut put = transaction
                    .prepare_cached("INSERT OR REPLACE INTO state (name, value) VALUES (?1, ?2)")?;
                put.execute(rusqlite::params!["lexicon", lexicon.content])?;
                put.execute(rusqlite::params!["lexicon_key", lexicon.key.uuid()])?;
                put.execute(rusqlite::params!["lexicon_through", lexicon.through])?;
            }
            transaction.commit()?;
            Ok(())
        })
    }

    /// Removes one message; `tokens` must be those that it was added with.
    ///
    /// # Errors
    /// The engine's errors.
    pub fn remove(&self, tenant: TenantId, no: i64, tokens: &str) -> Result<(), StoreError> {
        let file = self.file(tenant)?;
        let mut connection = file.writer.lock().expect("no panic holds this lock");
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        transaction.execute(SECURE_DELETE, [true])?;
        transaction
            .prepare_cached("INSERT INTO message (message, rowid, tok) VALUES ('delete', ?1, ?2)")?
            .execute(rusqlite::params![no, tokens])?;
        transaction.execute(SECURE_DELETE, [false])?;
        transaction.execute(
            "DELETE FROM state WHERE name IN ('anchor_no', 'anchor') \
             AND EXISTS (SELECT 1 FROM state n WHERE n.name = 'anchor_no' AND n.value = ?1)",
            [no],
        )?;
        transaction.commit()?;
        Ok(())
    }

    /// The messages that match `expression` (an FTS5 expression of tokens), newest first, below `before`
    /// when given, and how far the index is, both in one state of it.
    ///
    /// # Errors
    /// The engine's errors.
    pub fn search(
        &self,
        tenant: TenantId,
        expression: &str,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Named, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.with(tenant, |file| {
            let connection = file.reader.lock().expect("no panic holds this lock");
            let _one_state = OneState::begin(&connection)?;
            let applied = applied(&connection)?;
            let mut statement = connection.prepare_cached(
                "SELECT rowid FROM message WHERE message MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC LIMIT ?3",
            )?;
            let wanted = rusqlite::params![expression, before.unwrap_or(i64::MAX), limit];
            let numbers = statement.query_map(wanted, |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(Named { applied, numbers })
        })
    }

    /// How many messages are in the index, for `doctor` and tests.
    ///
    /// # Errors
    /// The engine's errors.
    pub fn check(&self, tenant: TenantId) -> Result<(), StoreError> {
        let file = self.file(tenant)?;
        let connection = file.writer.lock().expect("no panic holds this lock");
        connection.execute("INSERT INTO message (message) VALUES ('integrity-check')", [])?;
        Ok(())
    }
}

/// All that is asked while it lives is answered from one state of the file. As a transaction of the driver, which
/// would prepare its statements each time.
struct OneState<'a>(&'a Connection);

impl<'a> OneState<'a> {
    fn begin(connection: &'a Connection) -> Result<Self, StoreError> {
        connection.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self(connection))
    }
}

impl Drop for OneState<'_> {
    fn drop(&mut self) {
        // What fails here has left no transaction: the next one begins, or says why not.
        let _ = self.0.prepare_cached("ROLLBACK").and_then(|mut statement| statement.execute([]));
    }
}

const SQLITE_ERROR: i32 = 1;
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_NOTADB: i32 = 26;

/// Whether an error has one of these primary result codes of SQLite.
fn has_code(error: &StoreError, codes: &[i32]) -> bool {
    let StoreError::Driver { code } = error else { return false };
    code.parse::<i32>().is_ok_and(|code| codes.contains(&(code & 0xff)))
}

/// Whether an error says that the file is no sound database.
fn is_broken(error: &StoreError) -> bool {
    has_code(error, &[SQLITE_CORRUPT, SQLITE_NOTADB])
}

/// Whether an error says that the index cannot be used at the moment, which is no reason to refuse
/// what does without it.
pub(crate) const fn is_out_of_order(error: &StoreError) -> bool {
    matches!(error, StoreError::Driver { .. } | StoreError::Blob(_) | StoreError::Full | StoreError::NotFound)
}

fn applied(connection: &Connection) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM state WHERE name = 'applied'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> TenantId {
        TenantId(uuid::Uuid::from_u128(7))
    }

    fn entry(no: i64, tokens: &str) -> Entry {
        let message = MessageId(uuid::Uuid::from_u128(no.unsigned_abs().into()));
        Entry { no, message, tokens: tokens.to_owned() }
    }

    #[test]
    fn a_batch_applied_twice_leaves_no_ghost() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::new(folder.path().to_owned());
        let batch = vec![entry(3, "aaaaaaaa bbbbbbbb"), entry(5, "aaaaaaaa")];
        index.apply(tenant(), 6, &batch).expect("applied");
        index.apply(tenant(), 6, &batch).expect("passed over");
        assert_eq!(index.search(tenant(), "aaaaaaaa", None, 10).expect("found").numbers, vec![5, 3]);
        let anchor = Some((5, MessageId(uuid::Uuid::from_u128(5))));
        assert_eq!(index.standing(tenant()).expect("known"), Standing { applied: 6, anchor });
        index.remove(tenant(), 5, "aaaaaaaa").expect("removed");
        // What was removed on purpose does not stand for the content any more.
        assert_eq!(index.standing(tenant()).expect("known"), Standing { applied: 6, anchor: None });
        assert_eq!(
            index.search(tenant(), "aaaaaaaa", None, 10).expect("found"),
            Named { applied: 6, numbers: vec![3] }
        );
        index.check(tenant()).expect("sound");
    }

    #[test]
    fn what_is_removed_leaves_nothing_in_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::new(folder.path().to_owned());
        let lies_there = |token: &str| {
            let file = index.file(tenant()).expect("open");
            let writer = file.writer.lock().expect("nobody else");
            writer.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("all is in the file");
            let bytes = std::fs::read(index.path(tenant())).expect("read");
            bytes.windows(token.len()).any(|window| window == token.as_bytes())
        };
        index.apply(tenant(), 1, &[entry(1, "aaaaaaaa bbbbbbbb")]).expect("applied");
        index.apply(tenant(), 2, &[entry(2, "aaaaaaaa zyzyzyzy")]).expect("applied");
        index.apply(tenant(), 3, &[entry(3, "aaaaaaaa cccccccc")]).expect("applied");
        assert!(lies_there("zyzyzyzy"));
        index.remove(tenant(), 2, "aaaaaaaa zyzyzyzy").expect("removed");
        assert!(!lies_there("zyzyzyzy"));
        assert_eq!(index.search(tenant(), "aaaaaaaa", None, 10).expect("found").numbers, [3, 1]);
        assert!(index.search(tenant(), "zyzyzyzy", None, 10).expect("found").numbers.is_empty());
        index.check(tenant()).expect("sound");
    }

    #[test]
    fn a_file_of_a_version_before_is_taken_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::new(folder.path().to_owned());
        let secure = || {
            let file = index.file(tenant()).expect("open");
            let writer = file.writer.lock().expect("nobody else");
            let asked = "SELECT sum(v) FROM message_config WHERE k = 'secure-delete'";
            writer.query_row(asked, [], |row| row.get::<_, Option<i64>>(0)).expect("a number").unwrap_or(0)
        };
        index.apply(tenant(), 1, &[entry(1, "aaaaaaaa")]).expect("applied");
        {
            let file = index.file(tenant()).expect("open");
            file.writer.lock().expect("nobody else").execute(SECURE_DELETE, [true]).expect("as it was");
        }
        assert_eq!(secure(), 1);
        index.open.lock().expect("nobody else").clear();
        assert_eq!(secure(), 0);
        index.apply(tenant(), 2, &[entry(2, "aaaaaaaa")]).expect("applied");
        assert_eq!(index.search(tenant(), "aaaaaaaa", None, 10).expect("found").numbers, [2, 1]);
    }

    #[test]
    fn merging_leaves_one_piece_and_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::new(folder.path().to_owned());
        let pieces = |index: &Index| {
            let file = index.file(tenant()).expect("a file");
            let connection = file.reader.lock().expect("no panic holds this lock");
            let count = "SELECT count(DISTINCT segid) FROM message_idx";
            connection.query_row(count, [], |row| row.get::<_, i64>(0)).expect("a number")
        };
        for no in 1..=7 {
            index.apply(tenant(), no, &[entry(no, &format!("aaaaaaaa bbbbbbb{no}"))]).expect("applied");
        }
        assert!(pieces(&index) > 1, "{}", pieces(&index));
        let mut steps = 0;
        while index.merge(tenant()).expect("merged") {
            steps += 1;
            assert!(steps < 100, "merging does not end");
        }
        assert_eq!(pieces(&index), 1);
        let found = index.search(tenant(), "aaaaaaaa", None, 10).expect("found").numbers;
        assert_eq!(found, vec![7, 6, 5, 4, 3, 2, 1]);
        index.check(tenant()).expect("sound");
    }

    #[test]
    fn a_broken_file_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::new(folder.path().to_owned());
        std::fs::write(index.path(tenant()), b"this is no database at all, only text that is long enough")
            .expect("written");
        assert_eq!(index.applied(tenant()).expect("made anew"), 0);
    }

    #[test]
    fn a_file_that_breaks_while_it_is_open_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::new(folder.path().to_owned());
        let batch: Vec<_> = (1..2_000).map(|no| entry(no, &format!("aaaaaaaa b{no:07}"))).collect();
        index.apply(tenant(), 2_000, &batch).expect("applied");
        {
            let file = index.file(tenant()).expect("open");
            let writer = file.writer.lock().expect("nobody else");
            writer.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("all is in the file");
        }
        let mut bytes = std::fs::read(index.path(tenant())).expect("read");
        let length = bytes.len();
        bytes[4_096..length].fill(0x5a);
        std::fs::write(index.path(tenant()), bytes).expect("written");
        index.open.lock().expect("nobody else").clear();
        let broken = index.search(tenant(), "aaaaaaaa", None, 10);
        assert!(
            broken.is_err() || broken.is_ok_and(|named| named.applied == 0),
            "made anew at once, or next"
        );
        assert_eq!(index.applied(tenant()).expect("made anew"), 0);
        index.apply(tenant(), 2_000, &batch).expect("applied again");
        assert_eq!(
            index.search(tenant(), "aaaaaaaa", None, 3).expect("found").numbers,
            [1_999, 1_998, 1_997]
        );
    }

    #[test]
    fn a_file_that_cannot_be_opened_at_the_moment_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::new(folder.path().join("idx"));
        index.apply(tenant(), 5, &[entry(5, "aaaaaaaa")]).expect("applied");
        index.open.lock().expect("nobody else").clear();
        let away = folder.path().join("away");
        std::fs::rename(folder.path().join("idx"), &away).expect("moved");
        std::fs::write(folder.path().join("idx"), b"no folder").expect("written");
        let error = index.applied(tenant()).expect_err("no folder");
        assert!(is_out_of_order(&error), "{error}");
        std::fs::remove_file(folder.path().join("idx")).expect("removed");
        std::fs::rename(&away, folder.path().join("idx")).expect("moved back");
        assert_eq!(index.applied(tenant()).expect("back"), 5);
    }
}
