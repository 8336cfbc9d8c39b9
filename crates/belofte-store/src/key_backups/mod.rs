// SPDX-License-Identifier: EUPL-1.2
//! Back-ups of keys, and what is destroyed in them.
//!
//! They lie in a second place, off this machine:
//!
//! | there | what |
//! |---|---|
//! | `backups/` | one sealed file per back-up, complete or not there; may be copied anywhere |
//! | `epochs/` | the key of each week, which opens that week's back-ups; never to be copied |
//! | `erased/` | which keys were destroyed; replayed before a restored server serves |
//!
//! A key that is destroyed goes from the key database at once, and from every back-up when the key
//! of the week in which it was made is destroyed. Until then a restore leaves it out, because it
//! stands in the erasure list.

mod dump;
mod erased;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use belofte_model::{Actor, Duration, Timestamp};
use belofte_vault::{EpochKey, VaultError};

use crate::{OperatorAct, Store, StoreError};

/// How long an epoch lasts.
pub const EPOCH: Duration = Duration::from_secs(7 * 86_400);
/// Epochs begin on Mondays at midnight UTC; the first Monday was the fifth of January 1970.
const FIRST: i64 = 4 * 86_400;

/// The number of the epoch that `at` lies in.
#[must_use]
pub fn epoch_of(at: Timestamp) -> i64 {
    (at.as_secs() - FIRST).div_euclid(7 * 86_400)
}

/// When an epoch begins.
#[must_use]
pub const fn epoch_start(epoch: i64) -> Timestamp {
    Timestamp::from_secs(epoch * 7 * 86_400 + FIRST)
}

/// What kept a back-up of keys from being made, read or destroyed.
#[derive(Debug, thiserror::Error)]
pub enum KeyBackupError {
    /// The second place could not be read or written.
    #[error("{path} cannot be read or written")]
    Place {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The key of an epoch cannot be used.
    #[error("the key of epoch {epoch} cannot be used")]
    EpochKey {
        /// The epoch.
        epoch: i64,
        /// Why not.
        #[source]
        source: VaultError,
    },
    /// The key that sealed the back-up was destroyed, or is another.
    #[error("the key of epoch {0} is not there: this back-up cannot be opened any more")]
    EpochGone(i64),
    /// There is no back-up in the folder.
    #[error("there is no back-up of keys in {0}")]
    None(PathBuf),
    /// A file is not what it should be.
    #[error("{path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The erasure list has fewer entries than when the back-up was made.
    #[error(
        "the erasure list has {found} entries and had {expected}: without it, erased data would come back"
    )]
    ListIncomplete {
        /// How many there are.
        found: u64,
        /// How many there were.
        expected: u64,
    },
    /// The key database has keys already.
    #[error("the key database is not empty; keys are restored into an empty one only")]
    NotEmpty,
    /// The root key is another than the one that wraps the keys in the back-up.
    #[error("the keys in this back-up are wrapped by the root key {0}, and the root key file holds another")]
    OtherRoot(belofte_model::KeyId),
    /// The stores failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> KeyBackupError {
    let path = path.to_owned();
    move |source| KeyBackupError::Place { path, source }
}

fn sync_folder(folder: &Path) -> Result<(), KeyBackupError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

/// A back-up that lies in the second place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyBackup {
    /// Its file.
    pub path: PathBuf,
    /// The epoch whose key sealed it.
    pub epoch: i64,
    /// When it was made.
    pub made_at: Timestamp,
    /// Whether that key is still there.
    pub opens: bool,
}

/// What a restore brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredKeys {
    /// The back-up.
    pub path: PathBuf,
    /// When it was made.
    pub made_at: Timestamp,
    /// How many keys were written.
    pub keys: u64,
    /// How many were left out, because they had been destroyed since.
    pub erased: u64,
}

/// The second place.
#[derive(Clone, Debug)]
pub struct KeyBackups {
    folder: PathBuf,
}

impl KeyBackups {
    /// The second place `folder`. Nothing is looked at or made yet.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn backups(&self) -> PathBuf {
        self.folder.join("backups")
    }

    fn epoch_file(&self, epoch: i64) -> PathBuf {
        self.folder.join("epochs").join(format!("epoch-{epoch}.key"))
    }

    /// Makes a folder below the second place. The second place itself is never made: when it is not
    /// mounted, a folder of that name would lie on this machine.
    fn room(&self, name: &str) -> Result<PathBuf, KeyBackupError> {
        let folder = self.folder.join(name);
        match fs::create_dir(&folder) {
            Ok(()) => sync_folder(&self.folder)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(at(&folder)(error)),
        }
        Ok(folder)
    }

    fn epoch_key(&self, epoch: i64) -> Result<Option<EpochKey>, KeyBackupError> {
        EpochKey::open_file(&self.epoch_file(epoch))
            .map_err(|source| KeyBackupError::EpochKey { epoch, source })
    }

    /// The key of `epoch`, made when it is not there. Two nodes that make it at once get the same.
    fn need_epoch_key(&self, epoch: i64, store: &Store) -> Result<EpochKey, KeyBackupError> {
        if let Some(key) = self.epoch_key(epoch)? {
            return Ok(key);
        }
        self.room("epochs")?;
        match EpochKey::create_file(&self.epoch_file(epoch), store.random()) {
            Ok(key) => Ok(key),
            Err(VaultError::RootKeyExists) => self.epoch_key(epoch)?.ok_or(KeyBackupError::EpochGone(epoch)),
            Err(source) => Err(KeyBackupError::EpochKey { epoch, source }),
        }
    }

    /// The epochs whose keys are there, oldest first.
    ///
    /// # Errors
    /// [`KeyBackupError::Place`].
    pub fn epochs(&self) -> Result<Vec<i64>, KeyBackupError> {
        let names = list(&self.folder.join("epochs"))?;
        let number = |name: &String| name.strip_prefix("epoch-")?.strip_suffix(".key")?.parse().ok();
        let mut epochs: Vec<i64> = names.iter().filter_map(number).collect();
        epochs.sort_unstable();
        Ok(epochs)
    }

    /// The back-ups, oldest first.
    ///
    /// # Errors
    /// [`KeyBackupError::Place`].
    pub fn list(&self) -> Result<Vec<KeyBackup>, KeyBackupError> {
        backups_in(&self.backups(), &self.epochs()?)
    }

    /// Makes a back-up of all keys as they are at one instant, sealed under the key of the present
    /// epoch; the erasure list is brought up to date first. When this returns, the back-up is on
    /// disk; when it fails there is none.
    ///
    /// # Errors
    /// [`KeyBackupError`]; the second place must be there.
    pub async fn back_up(&self, store: &Store) -> Result<KeyBackup, KeyBackupError> {
        self.write_erased(store).await?;
        let now = store.clock().now();
        let epoch = epoch_of(now);
        if self.epoch_key(epoch)?.is_none() {
            store.system().note(Actor::System, &OperatorAct::MakeEpochKey(epoch)).await?;
        }
        let key = self.need_epoch_key(epoch, store)?;
        let folder = self.room("backups")?;
        let path = folder.join(format!("keys-{}-{epoch}.sealed", now.as_micros()));
        dump::write(store, &key, epoch, now, self.erased_count()?, &path).await?;
        Ok(KeyBackup { path, epoch, made_at: now, opens: true })
    }

    /// Brings the keys of a back-up into an empty key database, without those that were destroyed
    /// since. `from` is a back-up, or a folder of which the newest that opens is taken (its own
    /// folder `backups` when it has one); the keys of epochs and the erasure list are those of this
    /// second place.
    ///
    /// # Errors
    /// [`KeyBackupError`]; nothing is changed then.
    pub async fn restore(&self, store: &Store, from: &Path) -> Result<RestoredKeys, KeyBackupError> {
        let path = if from.is_dir() {
            let inner = from.join("backups");
            let folder = if inner.is_dir() { inner } else { from.to_owned() };
            let all = backups_in(&folder, &self.epochs()?)?;
            let newest = all.iter().rev().find(|backup| backup.opens).or_else(|| all.last());
            newest.map(|backup| backup.path.clone()).ok_or(KeyBackupError::None(folder))?
        } else {
            from.to_owned()
        };
        let erased = self.erased()?;
        let open = |epoch| self.epoch_key(epoch);
        dump::read_into(store, &path, open, erased).await
    }

    /// Destroys the keys of epochs that began `kept` ago or longer, and removes the back-ups that
    /// they sealed: no back-up opens longer than `kept` after it was made. Each stands in the ledger of
    /// the installation before it is destroyed. Gives the epochs.
    ///
    /// # Errors
    /// [`KeyBackupError`].
    pub async fn destroy_due(
        &self,
        store: &Store,
        now: Timestamp,
        kept: Duration,
    ) -> Result<Vec<i64>, KeyBackupError> {
        let mut gone = Vec::new();
        for epoch in self.epochs()? {
            if now.since(epoch_start(epoch)) >= kept {
                store.system().note(Actor::System, &OperatorAct::DestroyEpochKey(epoch)).await?;
                EpochKey::destroy_file(&self.epoch_file(epoch))
                    .map_err(|source| KeyBackupError::EpochKey { epoch, source })?;
                gone.push(epoch);
            }
        }
        for backup in self.list()? {
            if !backup.opens {
                match fs::remove_file(&backup.path) {
                    // Another node was here.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    other => other.map_err(at(&backup.path))?,
                }
            }
        }
        Ok(gone)
    }
}

/// The names in a folder; none when it is not there.
fn list(folder: &Path) -> Result<Vec<String>, KeyBackupError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(at(folder))?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

fn backups_in(folder: &Path, epochs: &[i64]) -> Result<Vec<KeyBackup>, KeyBackupError> {
    let mut all = Vec::new();
    for name in list(folder)? {
        let parts = name.strip_prefix("keys-").and_then(|name| name.strip_suffix(".sealed"));
        let Some((made_at, epoch)) = parts.and_then(|parts| parts.split_once('-')) else { continue };
        let (Ok(made_at), Ok(epoch)) = (made_at.parse(), epoch.parse()) else { continue };
        let (made_at, opens) = (Timestamp::from_micros(made_at), epochs.contains(&epoch));
        all.push(KeyBackup { path: folder.join(&name), epoch, made_at, opens });
    }
    all.sort_by_key(|backup| backup.made_at);
    Ok(all)
}
