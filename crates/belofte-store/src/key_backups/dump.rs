// SPDX-License-Identifier: EUPL-1.2
//! The file of a back-up: one line that says what it is, then a sealed stream of one JSON line per
//! row, the last of which counts them.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use belofte_model::{KeyClass, KeyId, KeyState, TenantId, Timestamp};
use belofte_vault::EpochKey;
use belofte_vault::blob::{Sealer, open_all};
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

/// Writes rows into an empty key database, all or none.
struct Load(Vec<Line>);

impl Write for Load {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let any = tx.query_opt(sql!("SELECT id FROM key LIMIT 1"), params![], |_| Ok(())).await?;
        if any.is_some() {
            return Ok(false);
        }
        tx.execute(sql!("DELETE FROM witness"), params![]).await?;
        for line in &self.0 {
            match line {
                Line::Key { t, i, c, s, e, p, o, w, made, changed } => {
                    tx.execute(
                        sql!(
                            "INSERT INTO key (tenant_id, id, class, state, epoch, parent_id, owner_id, wrapped, \
                             created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                        ),
                        params![*t, *i, c.as_str(), s.as_str(), *e, *p, *o, w, *made, *changed],
                    )
                    .await?;
                }
                Line::Witness { t, leaf, commitment, seen, accepted } => {
                    tx.execute(
                        sql!(
                            "INSERT INTO witness (tenant_id, leaf, commitment, seen_at, doubt, number, accepted_at) \
                             VALUES ($1, $2, $3, $4, NULL, 0, $5)"
                        ),
                        params![*t, *leaf, commitment, *seen, *accepted],
                    )
                    .await?;
                }
                Line::End { .. } => {}
            }
        }
        Ok(true)
    }
}

/// Reads a back-up and loads what of it was not destroyed since.
pub(super) async fn read_into(
    store: &Store,
    path: &Path,
    open: impl Fn(i64) -> Result<Option<EpochKey>, KeyBackupError>,
    erased: &Erased,
) -> Result<RestoredKeys, KeyBackupError> {
    let damaged = |what| KeyBackupError::Damaged { path: path.to_owned(), what };
    let bytes = fs::read(path).map_err(at(path))?;
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("it has no head"))?;
    let (first, sealed) = (&bytes[..end], &bytes[end + 1..]);
    let head: Head = serde_json::from_slice(first).map_err(|_| damaged("its head cannot be read"))?;
    if head.format != FORMAT {
        return Err(damaged("another version of Belofte made it"));
    }
    let key = open(head.epoch)?.filter(|key| key.id() == head.epoch_key);
    let key = key.ok_or(KeyBackupError::EpochGone(head.epoch))?;
    if erased.entries() < head.erased {
        return Err(KeyBackupError::ListIncomplete { found: erased.entries(), expected: head.erased });
    }
    if store.ring().root.id() != head.root {
        return Err(KeyBackupError::OtherRoot(head.root));
    }
    let plain = open_all(key.data_key(), first, sealed).map_err(|_| damaged("it does not open"))?;
    let mut lines = Vec::new();
    for line in plain.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        lines.push(serde_json::from_slice(line).map_err(|_| damaged("a row cannot be read"))?);
    }
    let rows = lines.len().saturating_sub(1) as u64;
    if !matches!(lines.last(), Some(Line::End { rows: counted }) if *counted == rows) {
        return Err(damaged("rows are missing"));
    }
    let (mut keys, mut left_out) = (0, 0);
    for line in &mut lines {
        let Line::Key { t, i, s, w, .. } = line else { continue };
        if *s != KeyState::Destroyed && erased.has(*t, *i) {
            *s = KeyState::Destroyed;
            w.clear();
            left_out += 1;
        }
        keys += u64::from(*s != KeyState::Destroyed);
    }
    if !store.write_keys(None, Load(lines)).await? {
        return Err(KeyBackupError::NotEmpty);
    }
    let made_at = Timestamp::from_micros(head.made_at);
    Ok(RestoredKeys { path: path.to_owned(), made_at, keys, erased: left_out })
}
