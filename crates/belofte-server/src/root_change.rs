// SPDX-License-Identifier: EUPL-1.2
//! The root key's files while it is changed, so that a crash at any point leaves a server that starts.
//!
//! 1. `root.key.next` is made, synced: the keys are still wrapped by `root.key`.
//! 2. All tenants' keys are wrapped by the next one, in one transaction.
//! 3. `root.key` gets a second name, `root.key.<id>.old`, and then `root.key.next` takes its name.
//!
//! Which of the two files counts between 1 and 3 is said by the keys themselves: each row names the
//! root key that wraps it. So the next start knows, and does step 3 when it is left.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use belofte_model::KeyId;
use belofte_vault::{Random, RootKey};

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    PathBuf::from(name)
}

/// Where the next root key lies until it takes its place.
pub fn next_file(file: &Path) -> PathBuf {
    with_suffix(file, ".next")
}

/// Where the root key `id` lies after another took its place.
pub fn old_file(file: &Path, id: KeyId) -> PathBuf {
    with_suffix(file, &format!(".{id}.old"))
}

/// The next root key, when one was made and has not taken its place.
///
/// # Errors
/// When its file cannot be read.
pub fn waiting(file: &Path) -> anyhow::Result<Option<RootKey>> {
    let next = next_file(file);
    RootKey::open_file(&next).with_context(|| format!("the next root key {}", next.display()))
}

/// Makes the next root key, or takes the one that waits.
///
/// # Errors
/// When its file cannot be made.
pub fn begin(file: &Path, random: &Random) -> anyhow::Result<RootKey> {
    if let Some(next) = waiting(file)? {
        return Ok(next);
    }
    let next = next_file(file);
    RootKey::create_file(&next, random).with_context(|| format!("cannot make {}", next.display()))
}

/// Gives the next root key the name of the old one, whose id is `old` and which keeps another name.
/// Done again after it was cut off, it does what is left. Gives where the old one lies.
///
/// # Errors
/// When a file cannot be renamed.
pub fn finish(file: &Path, old: KeyId) -> anyhow::Result<PathBuf> {
    let (next, kept) = (next_file(file), old_file(file, old));
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let work = || {
        match fs::hard_link(file, &kept) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // The second name is on disk before the first is taken away.
        File::open(folder)?.sync_all()?;
        fs::rename(&next, file)?;
        File::open(folder)?.sync_all()
    };
    work().with_context(|| format!("cannot put {} in the place of {}", next.display(), file.display()))?;
    Ok(kept)
}
