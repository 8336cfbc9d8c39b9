// SPDX-License-Identifier: EUPL-1.2
//! The root key: wraps the tenants' keys and nothing else. A closed set of providers; the
//! first keeps it in a file that only its owner can read.

use std::fmt;
use std::path::Path;

use belofte_model::{KeyId, TenantId};

use crate::{DataKey, Random, VaultError, key_file};

/// A provider of the root key.
#[derive(Clone, Debug)]
pub enum RootKey {
    /// A file on this machine.
    File(FileRootKey),
}

/// The root key read from a file.
#[derive(Clone)]
pub struct FileRootKey(DataKey);

impl fmt::Debug for FileRootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileRootKey({})", self.0.id())
    }
}

const MAGIC: &str = "belofte-root-key-1";

impl RootKey {
    /// Reads the root key of a file; `None` when there is no file.
    ///
    /// # Errors
    /// [`VaultError::RootKeyExposed`] when group or others may read it,
    /// [`VaultError::RootKeyMalformed`] when it is damaged, [`VaultError::RootKeyIo`].
    pub fn open_file(path: &Path) -> Result<Option<Self>, VaultError> {
        Ok(key_file::read(path, MAGIC)?.map(|key| Self::File(FileRootKey(key))))
    }

    /// Makes a root key and its file (mode 0600); both file and folder are on disk when this
    /// returns, and the file is never there in part.
    ///
    /// # Errors
    /// [`VaultError::RootKeyExists`] when there is a file already, [`VaultError::RootKeyIo`].
    pub fn create_file(path: &Path, random: &Random) -> Result<Self, VaultError> {
        key_file::create(path, MAGIC, COMMENT, random).map(|key| Self::File(FileRootKey(key)))
    }

    /// The root key's id: stored with every tenant key that it wraps.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.key().id()
    }

    /// Wraps a tenant's key; as [`DataKey::wrap`].
    #[must_use]
    pub fn wrap(&self, random: &Random, tenant: TenantId, child: &DataKey) -> Vec<u8> {
        self.key().wrap(random, tenant, child)
    }

    /// Opens a tenant's key; as [`DataKey::unwrap_key`].
    ///
    /// # Errors
    /// As [`DataKey::unwrap_key`].
    pub fn unwrap_key(&self, tenant: TenantId, child: KeyId, wrapped: &[u8]) -> Result<DataKey, VaultError> {
        self.key().unwrap_key(tenant, child, wrapped)
    }

    const fn key(&self) -> &DataKey {
        match self {
            Self::File(FileRootKey(key)) => key,
        }
    }
}

const COMMENT: &str = "\
# Belofte root key. Without this file nothing in this installation can be read again.
# Keep a copy off this machine, on paper or in a safe, apart from every back-up of the
# data. Whoever has both this file and the data can read everything. Mode must be 0600.
#
# Hoofdsleutel van Belofte. Zonder dit bestand is niets van deze installatie nog leesbaar.
# Bewaar een kopie buiten deze machine, op papier of in een kluis, gescheiden van elke
# back-up van de gegevens. Wie beide heeft, kan alles lezen. De rechten moeten 0600 zijn.
";

#[cfg(test)]
mod tests;
