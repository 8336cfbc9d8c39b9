// SPDX-License-Identifier: EUPL-1.2
//! Keeps the data folder its owner's only: what the operator's other users on the machine can
//! read, their programs and back-ups read too.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;

/// From now on every file that this process makes is its owner's only.
pub fn keep_new_files() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Makes the data folder `folder` (mode 0700) and those above it where they are missing, and takes
/// from group and others what older versions, or a hand, gave them. Returns whether there was
/// anything to take.
///
/// # Errors
/// The folder cannot be made, or is not ours to close.
pub fn make_folder(folder: &Path) -> io::Result<bool> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let open = open_to_others(folder);
    for path in &open {
        let mode = fs::symlink_metadata(path)?.mode() & 0o700;
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(!open.is_empty())
}

/// What of the data folder group or others may look into: the folder, what lies in it, and what lies
/// in its folders of indexes and certificates. Blobs lie below a folder that is looked at.
#[must_use]
pub fn open_to_others(folder: &Path) -> Vec<PathBuf> {
    let mut paths = vec![folder.to_owned()];
    for below in [folder.to_owned(), folder.join("idx"), folder.join("tls")] {
        // What is not there is open to nobody.
        let entries = fs::read_dir(&below).into_iter().flatten().flatten();
        paths.extend(entries.map(|entry| entry.path()));
    }
    // The mode of a link says nothing, and what it leads to is somebody's choice.
    paths.retain(|path| {
        fs::symlink_metadata(path).is_ok_and(|found| !found.is_symlink() && found.mode() & 0o077 != 0)
    });
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_open_is_closed_and_links_are_left_alone() {
        let outside = tempfile::tempdir().expect("a folder");
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("a/data");
        assert!(!make_folder(&data).expect("made"), "a new one is closed from the start");
        assert_eq!(fs::metadata(&data).expect("there").mode() & 0o777, 0o700);
        fs::create_dir(data.join("idx")).expect("made");
        let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours");
        for name in ["content.db", "idx/tenant.db"] {
            fs::write(data.join(name), "x").expect("written");
            open(&data.join(name), 0o644);
        }
        open(&data, 0o755);
        open(outside.path(), 0o755);
        std::os::unix::fs::symlink(outside.path(), data.join("blobs")).expect("made");
        assert!(open_to_others(&data).len() >= 3);
        assert!(make_folder(&data).expect("ours"));
        assert_eq!(open_to_others(&data), Vec::<PathBuf>::new());
        assert_eq!(fs::metadata(data.join("content.db")).expect("there").mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(outside.path()).expect("there").mode() & 0o777, 0o755);
    }
}
