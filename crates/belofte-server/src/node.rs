// SPDX-License-Identifier: EUPL-1.2
//! Who this process is among those that serve: the node that its data folder belongs to.
//!
//! One process serves from a data folder at a time. The lock on the file `node` says so for as
//! long as the process lives, however it ends; the identity in it outlives the process. So a
//! process that holds the lock knows that whoever held leases in the name of this node is gone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::Context as _;
use belofte_model::NodeId;
use belofte_store::{Clock, durable};
use belofte_vault::Random;

/// The file in the data folder.
const FILE: &str = "node";

/// The right to serve from a data folder, until it is dropped.
#[derive(Debug)]
pub struct Node {
    id: NodeId,
    /// Locked; the system lets go when the process ends, by kill -9 as well.
    _lock: File,
}

impl Node {
    /// Takes the data folder `folder` for this process. A folder without an identity gets one.
    ///
    /// # Errors
    /// In words for the operator: when another process serves from this folder, and what keeps the
    /// file from being read or written.
    pub fn take(folder: &Path, clock: &Clock, random: &Random) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => anyhow::bail!(
                "another process serves from the data folder {} already; a second one needs a data folder of \
                 its own",
                folder.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(|| format!("cannot read {}", path.display()))?;
        let id = match text.trim().parse() {
            Ok(id) => id,
            // New, or cut off when the disk was full: leases of an identity that is lost end by
            // themselves.
            Err(_) => {
                let id = NodeId::new(clock.now(), random.bytes());
                let write = |file: &mut File| {
                    file.set_len(0)?;
                    file.rewind()?;
                    file.write_all(format!("{id}\n").as_bytes())?;
                    file.sync_all()
                };
                write(&mut file).with_context(|| format!("cannot write {}", path.display()))?;
                id
            }
        };
        // A process that died after it made the file may not have come to this: an identity that is
        // lost makes the leases of the one before wait for their end.
        durable::entries(folder).with_context(|| format!("cannot sync {}", folder.display()))?;
        Ok(Self { id, _lock: file })
    }

    /// The identity.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(folder: &Path) -> anyhow::Result<Node> {
        Node::take(folder, &Clock::System, &Random::System)
    }

    #[test]
    fn one_at_a_time_and_the_next_is_the_same_node() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = take(folder.path()).expect("free");
        let refused = take(folder.path()).expect_err("taken").to_string();
        assert!(refused.contains("another process serves"), "{refused}");
        let id = first.id();
        drop(first);
        assert_eq!(take(folder.path()).expect("free again").id(), id);
    }

    #[test]
    fn an_identity_that_was_cut_off_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE), "0193").expect("written");
        let id = take(folder.path()).expect("free").id();
        assert_eq!(take(folder.path()).expect("free again").id(), id);
    }
}
