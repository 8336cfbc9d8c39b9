// SPDX-License-Identifier: EUPL-1.2
//! The file of a back-up: one line that says what it is, then a sealed stream of one JSON line per
//! row, the last of which counts them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use belofte_model::{KeyClass, KeyId, KeyState, TenantId, Timestamp};
use belofte_vault::blob::{HEADER, Opener, SEGMENT, Sealer, plain_len};
use belofte_vault::{DataKey, EpochKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::erased::Erased;
use super::{KeyBackupError, RestoredKeys, at, sync_folder};
use crate::engine::{params, sql};
use crate::keys::SYSTEM;
use crate::{Read, Store, StoreError, Tx, Write};

const FORMAT: &str = "belofte-key-backup-1";
/// Rows per step.
const BATCH: i64 = 2_000;

/// The first line of the file, in clear; the seal is bound to it.
#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    epoch: i64,
    epoch_key: KeyId,
    /// Microseconds since 1970 in UTC.
    made_at: i64,
    /// The root key that wraps the tenants' keys.
    root: KeyId,
    /// How many entries the erasure list had.
    erased: u64,
}

/// One row of the key database, or the end.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Key {
        t: TenantId,
        i: KeyId,
        c: KeyClass,
        s: KeyState,
        e: i64,
        p: KeyId,
        o: Option<Uuid>,
        w: Vec<u8>,
        made: i64,
        changed: i64,
    },
    Witness {
        t: TenantId,
        leaf: i64,
        commitment: Vec<u8>,
        seen: i64,
        accepted: Option<i64>,
    },
    End {
        rows: u64,
    },
}

struct Sink {
    file: BufWriter<File>,
    sealer: Sealer,
    rows: u64,
}

impl Sink {
    fn put(&mut self, line: &Line) -> Result<(), StoreError> {
        let mut text = serde_json::to_vec(line)
            .map_err(|_| StoreError::Inconsistent { what: "a key cannot be written down" })?;
        text.push(b'\n');
        let mut out = Vec::new();
        self.sealer.push(&text, &mut out);
        self.rows += 1;
        Ok(self.file.write_all(&out)?)
    }
}

/// Writes all rows into a sink, from one snapshot.
/// The sink is taken out at the end: who reads may hold the question a moment longer.
struct Dump(Mutex<Option<Sink>>);

const TAKEN: StoreError = StoreError::Inconsistent { what: "a back-up was ended twice" };

impl Read for Dump {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (mut tenant, mut key) = (Uuid::nil(), Uuid::nil());
        loop {
            let page = tx
                .query(
                    sql!(
                        "SELECT tenant_id, id, class, state, epoch, parent_id, owner_id, wrapped, created_at, changed_at \
                         FROM key WHERE (tenant_id, id) > ($1, $2) ORDER BY tenant_id, id LIMIT $3"
                    ),
                    params![tenant, key, BATCH],
                    |row| {
                        (tenant, key) = (row.uuid(0)?, row.uuid(1)?);
                        Ok(Line::Key {
                            t: row.id(0)?,
                            i: row.id(1)?,
                            c: row.name(2, KeyClass::parse)?,
                            s: row.name(3, KeyState::parse)?,
                            e: row.int(4)?,
                            p: row.id(5)?,
                            o: row.opt_uuid(6)?,
                            w: row.bytes(7)?,
                            made: row.int(8)?,
                            changed: row.int(9)?,
                        })
                    },
                )
                .await?;
            if page.is_empty() {
                break;
            }
            let mut sink = self.0.lock().expect("no panic holds this lock");
            let sink = sink.as_mut().ok_or(TAKEN)?;
            page.iter().try_for_each(|line| sink.put(line))?;
        }
        let witnesses = tx
            .query(
                sql!(
                    "SELECT tenant_id, leaf, commitment, seen_at, accepted_at FROM witness ORDER BY tenant_id"
                ),
                params![],
                |row| {
                    Ok(Line::Witness {
                        t: row.id(0)?,
                        leaf: row.int(1)?,
                        commitment: row.bytes(2)?,
                        seen: row.int(3)?,
                        accepted: row.opt_int(4)?,
                    })
                },
            )
            .await?;
        let mut sink = self.0.lock().expect("no panic holds this lock");
        let sink = sink.as_mut().ok_or(TAKEN)?;
        witnesses.iter().try_for_each(|line| sink.put(line))?;
        let rows = sink.rows;
        sink.put(&Line::End { rows })
    }
}

/// Writes the file `path`: beside it first, synced, and then under its name.
pub(super) async fn write(
    store: &Store,
    key: &EpochKey,
    epoch: i64,
    now: Timestamp,
    erased: u64,
    path: &Path,
) -> Result<(), KeyBackupError> {
    let head = Head {
        format: FORMAT.to_owned(),
        epoch,
        epoch_key: key.id(),
        made_at: now.as_micros(),
        root: store.ring().root.id(),
        erased,
    };
    let head = serde_json::to_string(&head)
        .map_err(|_| StoreError::Inconsistent { what: "the head of a back-up cannot be written" })?;
    let part = path.with_extension("part");
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
    let mut file = BufWriter::new(file.map_err(at(&part))?);
    writeln!(file, "{head}").map_err(at(&part))?;
    let sealer = Sealer::new(key.data_key(), store.random(), head.as_bytes());
    let dump = Arc::new(Dump(Mutex::new(Some(Sink { file, sealer, rows: 0 }))));
    let done = store.read_keys_shared(SYSTEM, Arc::clone(&dump)).await;
    let written = done.map_err(KeyBackupError::from).and_then(|()| {
        let sink = dump.0.lock().expect("no panic holds this lock").take();
        let Sink { mut file, sealer, .. } = sink.ok_or(TAKEN)?;
        let mut out = Vec::new();
        let _ = sealer.finish(&mut out);
        file.write_all(&out).map_err(at(&part))?;
        let file = file.into_inner().map_err(|error| at(&part)(error.into_error()))?;
        file.sync_all().map_err(at(&part))?;
        fs::rename(&part, path).map_err(at(path))?;
        sync_folder(path.parent().unwrap_or_else(|| Path::new(".")))
    });
    if written.is_err() {
        // What is there of it is no back-up, and is not called one.
        let _ = fs::remove_file(&part);
    }
    written
}

/// The rows of a back-up, opened segment by segment: memory does not grow with it.
struct Lines {
    file: BufReader<File>,
    opener: Opener,
    /// The segment that is read next.
    next: u64,
    /// What was opened and not told yet, from `told` on.
    plain: Vec<u8>,
    told: usize,
}

/// Why a back-up cannot be read to its end.
enum Broken {
    Io(io::Error),
    Damaged(&'static str),
}

impl Lines {
    /// The next row; `None` at the end.
    fn next(&mut self) -> Result<Option<Line>, Broken> {
        loop {
            if let Some(length) = self.plain[self.told..].iter().position(|byte| *byte == b'\n') {
                let line = &self.plain[self.told..self.told + length];
                self.told += length + 1;
                return serde_json::from_slice(line)
                    .map(Some)
                    .map_err(|_| Broken::Damaged("a row cannot be read"));
            }
            if self.next >= self.opener.segments() {
                let rest = self.plain.len() - self.told;
                return if rest == 0 { Ok(None) } else { Err(Broken::Damaged("a row is cut off")) };
            }
            self.plain.drain(..std::mem::take(&mut self.told));
            let range = self.opener.segment_range(self.next);
            let mut sealed = vec![0; usize::try_from(range.end - range.start).unwrap_or_default()];
            self.file.read_exact(&mut sealed).map_err(Broken::Io)?;
            let last = self.next + 1 == self.opener.segments();
            let opened = self.opener.open_segment(self.next, &sealed, last);
            self.plain.extend(opened.map_err(|_| Broken::Damaged("it does not open"))?);
            self.next += 1;
        }
    }
}

/// A back-up that can be read, as often as needed.
struct Backup {
    path: PathBuf,
    key: DataKey,
    head: Head,
    /// The first line, which the seal is bound to.
    first: Vec<u8>,
}

/// The longest head.
const HEAD: u64 = 4_096;

impl Backup {
    /// Reads the head and finds the key.
    fn open(
        path: &Path,
        open: impl Fn(i64) -> Result<Option<EpochKey>, KeyBackupError>,
    ) -> Result<Self, KeyBackupError> {
        let damaged = |what| KeyBackupError::Damaged { path: path.to_owned(), what };
        let mut first = Vec::new();
        let file = File::open(path).map_err(at(path))?;
        BufReader::new(file.take(HEAD)).read_until(b'\n', &mut first).map_err(at(path))?;
        if first.pop() != Some(b'\n') {
            return Err(damaged("it has no head"));
        }
        let head: Head = serde_json::from_slice(&first).map_err(|_| damaged("its head cannot be read"))?;
        if head.format != FORMAT {
            return Err(damaged("another version of Belofte made it"));
        }
        let key = open(head.epoch)?.filter(|key| key.id() == head.epoch_key);
        let key = key.ok_or(KeyBackupError::EpochGone(head.epoch))?.data_key().clone();
        Ok(Self { path: path.to_owned(), key, head, first })
    }

    /// Its rows from the beginning.
    fn lines(&self) -> Result<Lines, Broken> {
        let mut file = File::open(&self.path).map_err(Broken::Io)?;
        let begin = self.first.len() as u64 + 1;
        let sealed = file.metadata().map_err(Broken::Io)?.len().saturating_sub(begin);
        let length = plain_len(sealed).ok_or(Broken::Damaged("it does not open"))?;
        file.seek(SeekFrom::Start(begin)).map_err(Broken::Io)?;
        let mut file = BufReader::with_capacity(SEGMENT, file);
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(Broken::Io)?;
        let opener = Opener::new(&self.key, &self.first, &header, length);
        let opener = opener.map_err(|_| Broken::Damaged("it does not open"))?;
        Ok(Lines { file, opener, next: 0, plain: Vec::new(), told: 0 })
    }

    /// Calls `row` for every key and witness; refuses a back-up that is not whole.
    fn each(&self, mut row: impl FnMut(Line)) -> Result<(), Broken> {
        let (mut lines, mut rows) = (self.lines()?, 0);
        loop {
            match lines.next()?.ok_or(Broken::Damaged("rows are missing"))? {
                Line::End { rows: counted } if counted != rows => {
                    return Err(Broken::Damaged("rows are missing"));
                }
                Line::End { .. } => break,
                line => row(line),
            }
            rows += 1;
        }
        match lines.next()? {
            None => Ok(()),
            Some(_) => Err(Broken::Damaged("rows follow its end")),
        }
    }
}

/// Writes rows into an empty key database, all or none, as they are read. The back-up was read to
/// its end before; one that changes meanwhile ends the transaction.
struct Load {
    backup: Backup,
    /// What was destroyed since: it comes back as destroyed.
    erased: Erased,
}

impl Load {
    /// Leaves out what of a row was destroyed since; whether there was something.
    fn leave_out(&self, line: &mut Line) -> bool {
        let Line::Key { t, i, s, w, .. } = line else { return false };
        let gone = *s != KeyState::Destroyed && self.erased.has(*t, *i);
        if gone {
            *s = KeyState::Destroyed;
            w.clear();
        }
        gone
    }
}

impl Write for Load {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let any = tx.query_opt(sql!("SELECT id FROM key LIMIT 1"), params![], |_| Ok(())).await?;
        if any.is_some() {
            return Ok(false);
        }
        tx.execute(sql!("DELETE FROM witness"), params![]).await?;
        let broken = |broken| match broken {
            Broken::Io(error) => StoreError::from(error),
            Broken::Damaged(what) => StoreError::Inconsistent { what },
        };
        let mut lines = self.backup.lines().map_err(broken)?;
        loop {
            let mut line = lines.next().map_err(broken)?.ok_or(CHANGED)?;
            self.leave_out(&mut line);
            match line {
                Line::Key { t, i, c, s, e, p, o, w, made, changed } => {
                    tx.execute(
                        sql!(
                            "INSERT INTO key (tenant_id, id, class, state, epoch, parent_id, owner_id, wrapped, \
                             created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                        ),
                        params![t, i, c.as_str(), s.as_str(), e, p, o, &w, made, changed],
                    )
                    .await?;
                }
                Line::Witness { t, leaf, commitment, seen, accepted } => {
                    tx.execute(
                        sql!(
                            "INSERT INTO witness (tenant_id, leaf, commitment, seen_at, doubt, number, accepted_at) \
                             VALUES ($1, $2, $3, $4, NULL, 0, $5)"
                        ),
                        params![t, leaf, &commitment, seen, accepted],
                    )
                    .await?;
                }
                Line::End { .. } => return Ok(true),
            }
        }
    }
}

const CHANGED: StoreError = StoreError::Inconsistent { what: "a back-up changed while it was read" };

/// Reads a back-up and loads what of it was not destroyed since.
pub(super) async fn read_into(
    store: &Store,
    path: &Path,
    open: impl Fn(i64) -> Result<Option<EpochKey>, KeyBackupError>,
    erased: Erased,
) -> Result<RestoredKeys, KeyBackupError> {
    let backup = Backup::open(path, open)?;
    let head = &backup.head;
    if erased.entries() < head.erased {
        return Err(KeyBackupError::ListIncomplete { found: erased.entries(), expected: head.erased });
    }
    if store.ring().root.id() != head.root {
        return Err(KeyBackupError::OtherRoot(head.root));
    }
    let made_at = Timestamp::from_micros(head.made_at);
    let load = Load { backup, erased };
    let (mut keys, mut left_out) = (0, 0);
    let read = load.backup.each(|mut line| {
        left_out += u64::from(load.leave_out(&mut line));
        keys += u64::from(matches!(line, Line::Key { s, .. } if s != KeyState::Destroyed));
    });
    match read {
        Ok(()) => {}
        Err(Broken::Io(error)) => return Err(at(path)(error)),
        Err(Broken::Damaged(what)) => return Err(KeyBackupError::Damaged { path: path.to_owned(), what }),
    }
    if !store.write_keys(None, load).await? {
        return Err(KeyBackupError::NotEmpty);
    }
    Ok(RestoredKeys { path: path.to_owned(), made_at, keys, erased: left_out })
}
