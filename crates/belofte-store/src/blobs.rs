// SPDX-License-Identifier: EUPL-1.2
//! Sealed bytes in files. What is small lies in its row instead (see [`INLINE`]).
//!
//! A file is durable, and so is its name, before the row that speaks of it; it goes after that
//! row. A file without a row is harmless, and the sweep removes it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use belofte_model::{BlobId, TenantId};

use crate::fail::{self, FailPoint};
use crate::{StoreError, durable};

/// Up to this many sealed bytes a blob lies in its row: one commit instead of three syncs.
pub const INLINE: usize = 64 << 10;

/// The folder of blob files: `blobs/<tenant>/<two digits>/<id>`.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: PathBuf,
    /// Whose shards this process has made sure of, one bit each.
    sure: Arc<Mutex<HashMap<TenantId, [u64; 4]>>>,
}

impl Blobs {
    /// Uses `folder`, which is made when the first blob comes.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, sure: Arc::default() }
    }

    fn path(&self, tenant: TenantId, blob: BlobId) -> PathBuf {
        let name = blob.uuid().simple().to_string();
        // The end of a version 7 id is random, its beginning is the time.
        let shard = &name[name.len() - 2..];
        self.folder.join(tenant.uuid().simple().to_string()).join(shard).join(&name)
    }

    /// Writes sealed bytes durably: file, then its name, then the folders above it.
    ///
    /// # Errors
    /// [`StoreError::Full`] or [`StoreError::Blob`]; nothing is left then.
    pub fn put(&self, tenant: TenantId, blob: BlobId, sealed: &[u8]) -> Result<(), StoreError> {
        let mut file = self.begin(tenant, blob)?;
        file.write(sealed)?;
        file.keep()
    }

    /// Begins the file of a blob that is written piece by piece.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn begin(&self, tenant: TenantId, blob: BlobId) -> Result<BlobFile, StoreError> {
        let path = self.path(tenant, blob);
        let folder = path.parent().expect("a blob lies in a shard");
        self.make_sure(tenant, blob, folder)?;
        let temporary = path.with_extension("new");
        let file = File::create(&temporary)?;
        Ok(BlobFile { path, temporary, file, kept: false })
    }

    /// The folders down to the shard of a blob are there, with durable entries. That one is there
    /// says nothing: its maker may have died, or be about to sync it. So each process makes sure
    /// once of each shard.
    fn make_sure(&self, tenant: TenantId, blob: BlobId, shard: &Path) -> Result<(), StoreError> {
        let number = blob.uuid().as_bytes()[15];
        let (word, bit) = (usize::from(number >> 6), 1 << (number & 63));
        let known = self.sure.lock().expect("no panic holds this lock").get(&tenant).copied();
        if known.is_some_and(|known| known[word] & bit != 0) && shard.is_dir() {
            return Ok(());
        }
        let own = shard.parent().expect("a shard lies in the folder of its tenant");
        if known.is_none() || !own.is_dir() {
            durable::folder(&self.folder)?;
            durable::folder(own)?;
        }
        durable::folder(shard)?;
        self.sure.lock().expect("no panic holds this lock").entry(tenant).or_default()[word] |= bit;
        Ok(())
    }

    /// Reads the sealed bytes of `range`, as far as the file goes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such file, [`StoreError::Blob`] otherwise.
    pub fn get(&self, tenant: TenantId, blob: BlobId, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let mut file = match File::open(self.path(tenant, blob)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(StoreError::NotFound),
            Err(error) => return Err(error.into()),
        };
        let end = range.end.min(file.metadata()?.len());
        let length = end.saturating_sub(range.start);
        file.seek(SeekFrom::Start(range.start))?;
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Removes a file; one that is not there is already removed.
    ///
    /// # Errors
    /// [`StoreError::Blob`].
    pub fn remove(&self, tenant: TenantId, blob: BlobId) -> Result<(), StoreError> {
        match fs::remove_file(self.path(tenant, blob)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The blobs of a tenant that lie in files, for the sweep. Files that were never finished are
    /// removed on the way when their id is smaller than `settled`: a younger one may be written at
    /// this moment. What does not carry a name of ours is not ours to remove.
    ///
    /// # Errors
    /// [`StoreError::Blob`].
    pub fn list(&self, tenant: TenantId, settled: uuid::Uuid) -> Result<Vec<BlobId>, StoreError> {
        let mut found = Vec::new();
        let folder = self.folder.join(tenant.uuid().simple().to_string());
        if !folder.is_dir() {
            return Ok(found);
        }
        for shard in fs::read_dir(folder)? {
            for file in fs::read_dir(shard?.path())? {
                let path = file?.path();
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
                let (stem, unfinished) = match name.strip_suffix(".new") {
                    Some(stem) => (stem, true),
                    None => (name, false),
                };
                let Ok(id) = uuid::Uuid::try_parse(stem) else { continue };
                if !unfinished {
                    found.push(BlobId(id));
                } else if id < settled {
                    fs::remove_file(&path)?;
                }
            }
        }
        Ok(found)
    }
}

/// The file of a blob while it is written, under a name that says so. Dropped before it is
/// [kept](Self::keep), it is gone.
#[derive(Debug)]
pub struct BlobFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    kept: bool,
}

impl BlobFile {
    /// Appends sealed bytes.
    ///
    /// # Errors
    /// [`StoreError::Full`] or [`StoreError::Blob`].
    pub fn write(&mut self, sealed: &[u8]) -> Result<(), StoreError> {
        Ok(self.file.write_all(sealed)?)
    }

    /// Makes it durable, and its name, and the folders above it.
    ///
    /// # Errors
    /// [`StoreError::Full`] or [`StoreError::Blob`]; nothing is left then.
    pub fn keep(mut self) -> Result<(), StoreError> {
        let folder = self.path.parent().expect("a blob lies in a shard");
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        self.kept = true;
        File::open(folder)?.sync_all()?;
        fail::hit(FailPoint::BlobWritten);
        Ok(())
    }
}

impl Drop for BlobFile {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now, the sweep removes.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> (TenantId, BlobId) {
        (TenantId(uuid::Uuid::from_u128(1)), BlobId(uuid::Uuid::from_u128(0xabcd)))
    }

    #[test]
    fn a_blob_is_read_in_part_listed_and_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::new(folder.path().join("blobs"));
        let (tenant, blob) = ids();
        blobs.put(tenant, blob, b"0123456789").expect("written");
        assert_eq!(blobs.get(tenant, blob, 2..5).expect("read"), b"234");
        assert_eq!(blobs.list(tenant, uuid::Uuid::max()).expect("listed"), vec![blob]);
        blobs.remove(tenant, blob).expect("removed");
        blobs.remove(tenant, blob).expect("removed twice is removed");
        assert!(matches!(blobs.get(tenant, blob, 0..1), Err(StoreError::NotFound)));
    }

    #[test]
    fn a_file_that_is_not_kept_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::new(folder.path().to_owned());
        let (tenant, blob) = ids();
        let temporary = blobs.path(tenant, blob).with_extension("new");
        let mut file = blobs.begin(tenant, blob).expect("begun");
        file.write(b"half").expect("written");
        assert!(temporary.exists());
        drop(file);
        assert!(!temporary.exists());
        let mut file = blobs.begin(tenant, blob).expect("begun");
        file.write(b"whole").expect("written");
        file.keep().expect("kept");
        assert!(!temporary.exists());
        assert_eq!(blobs.get(tenant, blob, 0..9).expect("read"), b"whole");
    }

    #[test]
    fn the_sweep_finds_and_removes_an_unfinished_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::new(folder.path().to_owned());
        let (tenant, blob) = ids();
        blobs.put(tenant, blob, b"x").expect("written");
        let unfinished = blobs.path(tenant, blob).with_extension("new");
        fs::write(&unfinished, b"half").expect("written");
        assert_eq!(blobs.list(tenant, blob.uuid()).expect("listed"), vec![blob]);
        assert!(unfinished.exists(), "it may be written at this moment");
        assert_eq!(blobs.list(tenant, uuid::Uuid::max()).expect("listed"), vec![blob]);
        assert!(!unfinished.exists());
    }
}
