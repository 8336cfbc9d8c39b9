// SPDX-License-Identifier: EUPL-1.2
//! The root key: wraps the tenants' keys and nothing else. A closed set of providers; the
//! first keeps it in a file that only its owner can read.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::constant_time;
use belofte_model::{KeyId, TenantId};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::derive::{Use, subkey};
use crate::{DataKey, Random, VaultError};

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
const MAX_FILE: u64 = 16 * 1024;

impl RootKey {
    /// Reads the root key of a file; `None` when there is no file.
    ///
    /// # Errors
    /// [`VaultError::RootKeyExposed`] when group or others may read it,
    /// [`VaultError::RootKeyMalformed`] when it is damaged, [`VaultError::RootKeyIo`].
    pub fn open_file(path: &Path) -> Result<Option<Self>, VaultError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Asked of the open file, so that nobody can swap it between question and reading.
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(VaultError::RootKeyMalformed("it is not a file"));
        }
        let mode = meta.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(VaultError::RootKeyExposed { mode });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(MAX_FILE).read_to_string(&mut text).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => VaultError::RootKeyMalformed("it is not text"),
            _ => VaultError::RootKeyIo(error),
        })?;
        parse(&text).map(|key| Some(Self::File(FileRootKey(key))))
    }

    /// Makes a root key and its file (mode 0600); both file and folder are on disk when this
    /// returns, and the file is never there in part.
    ///
    /// # Errors
    /// [`VaultError::RootKeyExists`] when there is a file already, [`VaultError::RootKeyIo`].
    pub fn create_file(path: &Path, random: &Random) -> Result<Self, VaultError> {
        let id = KeyId(uuid::Builder::from_random_bytes(random.bytes()).into_uuid());
        let key = DataKey::generate(id, random);
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let name = path.file_name().ok_or(VaultError::RootKeyMalformed("the path names no file"))?;
        let mut part = std::ffi::OsString::from(".");
        part.push(name);
        part.push(format!(".{}", hex::encode(random.bytes::<8>())));
        let part = folder.join(part);

        let written = write_new(&part, &render(&key)).and_then(|()| fs::hard_link(&part, path));
        let removed = match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        written.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => VaultError::RootKeyExists,
            _ => VaultError::RootKeyIo(error),
        })?;
        removed?;
        File::open(&folder)?.sync_all()?;
        Ok(Self::File(FileRootKey(key)))
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

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A short hash of id and key, so that a damaged file is called damaged before anything is
/// tried with it.
fn check_of(id: KeyId, secret: &[u8; 32]) -> [u8; 8] {
    let check = subkey(secret, Use::RootFileCheck);
    let mut bytes = check.to_vec();
    bytes.extend_from_slice(id.uuid().as_bytes());
    *crate::sha256(&bytes).first_chunk().expect("SHA-256 has 32 bytes")
}

fn render(key: &DataKey) -> Zeroizing<String> {
    let check = hex::encode(check_of(key.id(), key.secret()));
    let secret = Zeroizing::new(hex::encode(key.secret()));
    Zeroizing::new(format!(
        "# Belofte root key. Without this file nothing in this installation can be read again.\n\
         # Keep a copy off this machine, on paper or in a safe, apart from every back-up of the\n\
         # data. Whoever has both this file and the data can read everything. Mode must be 0600.\n\
         #\n\
         # Hoofdsleutel van Belofte. Zonder dit bestand is niets van deze installatie nog leesbaar.\n\
         # Bewaar een kopie buiten deze machine, op papier of in een kluis, gescheiden van elke\n\
         # back-up van de gegevens. Wie beide heeft, kan alles lezen. De rechten moeten 0600 zijn.\n\
         {MAGIC}\n\
         id {}\n\
         key {}\n\
         check {check}\n",
        key.id(),
        &*secret,
    ))
}

fn parse(text: &str) -> Result<DataKey, VaultError> {
    let malformed = VaultError::RootKeyMalformed;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    if lines.next() != Some(MAGIC) {
        return Err(malformed("its first line is not that of a root key"));
    }
    let (mut id, mut secret, mut check) = (None, None, None);
    for line in lines {
        match line.split_once(' ') {
            Some(("id", value)) if id.is_none() => {
                id = Some(Uuid::parse_str(value.trim()).map_err(|_| malformed("its id is not a UUID"))?);
            }
            Some(("key", value)) if secret.is_none() => {
                let mut bytes = Zeroizing::new([0; 32]);
                hex::decode_to_slice(value.trim(), &mut *bytes)
                    .map_err(|_| malformed("its key is not 64 hexadecimal digits"))?;
                secret = Some(bytes);
            }
            Some(("check", value)) if check.is_none() => {
                let mut bytes = [0; 8];
                hex::decode_to_slice(value.trim(), &mut bytes)
                    .map_err(|_| malformed("its check is not 16 hexadecimal digits"))?;
                check = Some(bytes);
            }
            _ => return Err(malformed("it has a line that does not belong")),
        }
    }
    let (Some(id), Some(secret), Some(check)) = (id, secret, check) else {
        return Err(malformed("it lacks its id, key or check line"));
    };
    let id = KeyId(id);
    if constant_time::verify_slices_are_equal(&check_of(id, &secret), &check).is_err() {
        return Err(malformed("id, key and check do not belong together"));
    }
    Ok(DataKey::from_secret(id, secret))
}

#[cfg(test)]
mod tests;
