// SPDX-License-Identifier: EUPL-1.2
//! The key of an epoch: seals the back-ups of keys that are made in one week, and is destroyed when
//! its time is over. Then no copy of such a back-up opens, wherever it lies.

use std::fmt;
use std::path::Path;

use belofte_model::KeyId;

use crate::{DataKey, Random, VaultError, key_file};

const MAGIC: &str = "belofte-epoch-key-1";
const COMMENT: &str = "\
# Belofte: opens the back-ups of keys of one week. Never copy this file and keep it out of every
# back-up: when Belofte destroys it, the back-ups of that week are to be unreadable.
#
# Belofte: opent de reservekopieen van sleutels van een week. Kopieer dit bestand nooit en houd het
# buiten elke back-up: als Belofte het vernietigt, moeten de kopieen van die week onleesbaar zijn.
";

/// The key of an epoch, in a file of its own.
#[derive(Clone)]
pub struct EpochKey(DataKey);

impl fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EpochKey({})", self.0.id())
    }
}

impl EpochKey {
    /// Reads it; `None` when it was destroyed or never made.
    ///
    /// # Errors
    /// As [`RootKey::open_file`](crate::RootKey::open_file).
    pub fn open_file(path: &Path) -> Result<Option<Self>, VaultError> {
        Ok(key_file::read(path, MAGIC)?.map(Self))
    }

    /// Makes it with its file (mode 0600), on disk when this returns.
    ///
    /// # Errors
    /// As [`RootKey::create_file`](crate::RootKey::create_file).
    pub fn create_file(path: &Path, random: &Random) -> Result<Self, VaultError> {
        key_file::create(path, MAGIC, COMMENT, random).map(Self)
    }

    /// Destroys it: its file is written over and removed.
    ///
    /// # Errors
    /// [`VaultError::RootKeyIo`].
    pub fn destroy_file(path: &Path) -> Result<(), VaultError> {
        key_file::destroy(path)
    }

    /// Its id; stands in every back-up that it seals.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.id()
    }

    /// What seals and opens a stream ([`blob`](crate::blob)).
    #[must_use]
    pub const fn data_key(&self) -> &DataKey {
        &self.0
    }
}
