// SPDX-License-Identifier: EUPL-1.2
//! A back-up of content, made while the server runs: the database of the embedded engine as it is
//! at one instant, and the files of blobs. No key is in it.
//!
//! A blob is on disk before the row that names it, so blobs copied after the rows are all there.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::{Store, StoreError};

/// What a back-up of content came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentBackup {
    /// Whether the database is in it; that of a server is backed up with the server's own tools.
    pub database: bool,
    /// Files of blobs that were copied.
    pub copied: u64,
    /// Files of blobs that were there from an earlier back-up.
    pub kept: u64,
}

impl Store {
    /// Makes a back-up of content in `folder`, which may hold an earlier one: blobs that are there
    /// already stay. On the embedded engine `content.db` appears, whole and last, under its name.
    ///
    /// # Errors
    /// [`StoreError::Blob`] and [`StoreError::Full`] when `folder` cannot be written; the engine's
    /// errors. An earlier back-up still stands then.
    pub async fn back_up_content(&self, folder: &Path) -> Result<ContentBackup, StoreError> {
        let (data, folder, postgres) = (self.folder().to_owned(), folder.to_owned(), self.is_postgres());
        let work = move || back_up(&data, &folder, !postgres);
        tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Busy)?
    }
}

fn back_up(data: &Path, folder: &Path, database: bool) -> Result<ContentBackup, StoreError> {
    fs::create_dir_all(folder)?;
    let mut done = ContentBackup { database, ..ContentBackup::default() };
    let (part, whole) = (folder.join("content.db.part"), folder.join("content.db"));
    if database {
        remove(&part)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(data.join("content.db"), flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        let to = part.to_str().ok_or(StoreError::Blob(io::ErrorKind::InvalidFilename))?;
        connection.execute("VACUUM INTO ?1", [to])?;
        File::open(&part)?.sync_all()?;
    }
    let (from, to) = (data.join("blobs"), folder.join("blobs"));
    fs::create_dir_all(&to)?;
    copy(&from, &to, &mut done)?;
    if database {
        fs::rename(&part, &whole)?;
    }
    File::open(folder)?.sync_all()?;
    // What was erased since an earlier back-up does not stay in this one.
    prune(&from, &to)?;
    Ok(done)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn entries(folder: &Path) -> io::Result<Vec<(PathBuf, fs::FileType)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    entries.map(|entry| entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))).collect()
}

/// Copies the files of `from` that `to` lacks. A blob's file never changes.
fn copy(from: &Path, to: &Path, done: &mut ContentBackup) -> io::Result<()> {
    for (path, kind) in entries(from)? {
        let Some(name) = path.file_name() else { continue };
        let target = to.join(name);
        if kind.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&path, &target, done)?;
            continue;
        }
        let size = match fs::metadata(&path) {
            // It ended while we came here.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?.len(),
        };
        if fs::metadata(&target).is_ok_and(|there| there.len() == size) {
            done.kept += 1;
            continue;
        }
        let part = target.with_extension("part");
        match fs::copy(&path, &part) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        File::open(&part)?.sync_all()?;
        fs::rename(&part, &target)?;
        done.copied += 1;
    }
    File::open(to)?.sync_all()
}

/// Removes the files of `to` that `from` no longer has.
fn prune(from: &Path, to: &Path) -> io::Result<()> {
    for (path, kind) in entries(to)? {
        let Some(name) = path.file_name() else { continue };
        let source = from.join(name);
        if kind.is_dir() {
            prune(&source, &path)?;
        } else if !source.exists() {
            remove(&path)?;
        }
    }
    Ok(())
}
