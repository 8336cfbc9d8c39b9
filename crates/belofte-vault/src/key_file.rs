// SPDX-License-Identifier: EUPL-1.2
//! A key in a file that only its owner can read: never there in part, and on disk when it is told.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::constant_time;
use belofte_model::KeyId;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::derive::{Use, subkey};
use crate::{DataKey, Random, VaultError};

const MAX_FILE: u64 = 16 * 1024;

/// Reads the key of a file whose first line is `magic`; `None` when there is no file.
///
/// # Errors
/// [`VaultError::RootKeyExposed`] when group or others may read it,
/// [`VaultError::RootKeyMalformed`] when it is damaged, [`VaultError::RootKeyIo`].
pub(crate) fn read(path: &Path, magic: &str) -> Result<Option<DataKey>, VaultError> {
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
    parse(&text, magic).map(Some)
}

/// Makes a key and its file (mode 0600), which begins with `comment`; file and folder are on disk
/// when this returns, and the file is never there in part.
///
/// # Errors
/// [`VaultError::RootKeyExists`] when there is a file already, [`VaultError::RootKeyIo`].
pub(crate) fn create(
    path: &Path,
    magic: &str,
    comment: &str,
    random: &Random,
) -> Result<DataKey, VaultError> {
    let id = KeyId(uuid::Builder::from_random_bytes(random.bytes()).into_uuid());
    let key = DataKey::generate(id, random);
    let folder = folder_of(path);
    let name = path.file_name().ok_or(VaultError::RootKeyMalformed("the path names no file"))?;
    let mut part = std::ffi::OsString::from(".");
    part.push(name);
    part.push(format!(".{}", hex::encode(random.bytes::<8>())));
    let part = folder.join(part);

    let written = write_new(&part, &render(&key, magic, comment)).and_then(|()| fs::hard_link(&part, path));
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
    Ok(key)
}

/// Writes over the file of a key and removes it; both are on disk when this returns. A file that is
/// not there is gone already.
///
/// # Errors
/// [`VaultError::RootKeyIo`].
pub(crate) fn destroy(path: &Path) -> Result<(), VaultError> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // Where the disk writes in place nothing is left of it; elsewhere the removal has to do.
    let length = usize::try_from(file.metadata()?.len().min(MAX_FILE)).unwrap_or_default();
    file.write_all(&vec![0; length])?;
    file.sync_all()?;
    drop(file);
    fs::remove_file(path)?;
    File::open(folder_of(path))?.sync_all()?;
    Ok(())
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
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

pub(crate) fn render(key: &DataKey, magic: &str, comment: &str) -> Zeroizing<String> {
    let check = hex::encode(check_of(key.id(), key.secret()));
    let secret = Zeroizing::new(hex::encode(key.secret()));
    Zeroizing::new(format!("{comment}{magic}\nid {}\nkey {}\ncheck {check}\n", key.id(), &*secret))
}

pub(crate) fn parse(text: &str, magic: &str) -> Result<DataKey, VaultError> {
    let malformed = VaultError::RootKeyMalformed;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    if lines.next() != Some(magic) {
        return Err(malformed("its first line is not that of such a key"));
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
