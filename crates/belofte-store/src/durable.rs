// SPDX-License-Identifier: EUPL-1.2
//! Folders and small files that are still there after a power cut.
//!
//! A synced file is lost with its folder's entry when that was not synced too: POSIX promises an
//! entry only after a sync of the folder that holds it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Makes `folder` and what is missing above it, for their owner only; its entry is on the disk when this returns, also
/// when it was there already: whoever made it may have died before a sync.
///
/// # Errors
/// Those of the system.
pub fn folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    let above = match folder.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => return Ok(()),
    };
    if !folder.is_dir() {
        if !above.is_dir() {
            self::folder(above)?;
        }
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !folder.is_dir() => {
                return Err(error);
            }
            _ => {}
        }
    }
    match entries(above) {
        // Somebody else's folder that we may pass and not read: it was made ready for us by its owner.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

/// Syncs the entries of `folder`: files in it that were made, renamed or removed.
///
/// # Errors
/// Those of the system.
pub fn entries(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Puts a small file with this mode where there was none or another one: after a power cut the old
/// one is there whole, or the new one is. Its entry is durable after [`entries`] of its folder.
///
/// # Errors
/// Those of the system; nothing is left then but a file that ends in `.new`.
pub fn file(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&name)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&name, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn folders_are_made_and_made_again() {
        let root = tempfile::tempdir().expect("a folder");
        let deep = root.path().join("a/b/c");
        folder(&deep).expect("made");
        folder(&deep).expect("there already");
        assert!(deep.is_dir());
        fs::write(root.path().join("file"), b"x").expect("written");
        assert!(folder(&root.path().join("file")).is_err());
        assert!(folder(&root.path().join("file/below")).is_err());
    }

    #[test]
    fn a_file_is_replaced_whole_with_its_mode() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("key.pem");
        file(&path, 0o600, b"first and longer").expect("written");
        file(&path, 0o600, b"second").expect("replaced");
        entries(root.path()).expect("synced");
        assert_eq!(fs::read(&path).expect("read"), b"second");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(root.path()).expect("listed").count(), 1);
    }
}
