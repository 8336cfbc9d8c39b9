// SPDX-License-Identifier: EUPL-1.2
//! Verifies an exported ledger offline, in memory that does not grow with the ledger.
//!
//! The signed root decides. When the entries give it, they are what was signed. When they do
//! not, the tiles are asked: if *they* give the signed root, their leaves are authentic, and
//! the first entry that departs from them can be named.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use belofte_model::Timestamp;

use crate::layout::{CHECKPOINT, ENTRIES, KEY, Line, Lines, Sink, TileLeaves, Tiles};
use crate::{Checkpoint, CheckpointError, Hash, Leaf, Tree};

/// What is wrong with an exported ledger: the first thing found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// A file is missing or cannot be read.
    #[error("the file {file} cannot be read")]
    Unreadable {
        /// Its name within the folder.
        file: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The checkpoint does not open with the key.
    #[error("the checkpoint does not hold")]
    Checkpoint(#[source] CheckpointError),
    /// The earlier checkpoint does not open with the key: it is of another log or key.
    #[error("the earlier checkpoint does not hold")]
    EarlierCheckpoint(#[source] CheckpointError),
    /// The key in the folder is not the one that was expected.
    #[error("the folder was signed by another key than the expected one")]
    OtherKey,
    /// The ledger is shorter than it was.
    #[error("the ledger has {size} entries, but had {earlier} at the earlier checkpoint")]
    Shorter {
        /// How many entries it has.
        size: u64,
        /// How many it had.
        earlier: u64,
    },
    /// What was signed earlier has been rewritten.
    #[error("the first {earlier} entries are not those of the earlier checkpoint")]
    Rewritten {
        /// The size of the earlier checkpoint.
        earlier: u64,
    },
    /// An entry is not the one that was signed.
    #[error("entry {no} was changed")]
    Changed {
        /// The entry.
        no: u64,
    },
    /// An entry is missing.
    #[error("entry {no} was removed")]
    Removed {
        /// The entry.
        no: u64,
    },
    /// There is an entry that was never signed.
    #[error("an entry was added at {no}")]
    Added {
        /// Its place.
        no: u64,
    },
    /// Another signed entry stands in this place.
    #[error("the entries were reordered: at {no} stands entry {holds}")]
    Reordered {
        /// The place.
        no: u64,
        /// The entry that stands there.
        holds: u64,
    },
    /// The entries are those that were signed, but a file of the tree is damaged.
    #[error("the entries are intact, but {file} is not the tree's")]
    Tile {
        /// Its path within the folder.
        file: String,
    },
    /// Neither entries nor tiles give the signed root; nothing says which entry is to blame.
    #[error("neither the entries nor the tiles give the signed root over {size} entries")]
    Root {
        /// The size of the checkpoint.
        size: u64,
    },
}

impl Finding {
    /// The entry that the finding names.
    #[must_use]
    pub const fn entry(&self) -> Option<u64> {
        match self {
            Self::Changed { no } | Self::Removed { no } | Self::Added { no } | Self::Reordered { no, .. } => {
                Some(*no)
            }
            _ => None,
        }
    }
}

/// What a verified ledger can be said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// What is there is what was signed. Whether later entries were withheld cannot be told.
    Consistent,
    /// Also, it holds all that an earlier checkpoint of this size signed, unchanged.
    CompleteSince(u64),
}

/// A ledger that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The log's name.
    pub origin: String,
    /// The verifier key; whoever verifies compares it with the one received before.
    pub key: String,
    /// How many entries it has.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The times of the first and the last entry.
    pub span: Option<(Timestamp, Timestamp)>,
    /// What can be said of it.
    pub standing: Standing,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} entries, ", self.origin, self.size)?;
        match self.standing {
            Standing::Consistent => f.write_str("consistent"),
            Standing::CompleteSince(size) => write!(f, "consistent, complete since checkpoint {size}"),
        }
    }
}

/// Verifies the export in `dir` against its own key, and against an `earlier` checkpoint (the
/// bytes of a signed note) when there is one.
///
/// # Errors
/// The first [`Finding`].
pub fn verify_dir(dir: &Path, earlier: Option<&[u8]>) -> Result<Report, Finding> {
    verify_dir_with_key(dir, earlier, None)
}

/// As [`verify_dir`], and the folder's key must be `expected`. Without an expected key or an
/// earlier checkpoint an export that was forged whole, with a key of the forger, holds: the
/// report names the key for that reason.
///
/// # Errors
/// The first [`Finding`].
pub fn verify_dir_with_key(
    dir: &Path,
    earlier: Option<&[u8]>,
    expected: Option<&str>,
) -> Result<Report, Finding> {
    let key = String::from_utf8(small_file(dir, KEY)?)
        .map_err(|_| Finding::Checkpoint(CheckpointError::Key))?
        .trim_end()
        .to_owned();
    if expected.is_some_and(|expected| expected.trim() != key) {
        return Err(Finding::OtherKey);
    }
    let now = Checkpoint::open(&small_file(dir, CHECKPOINT)?, &key).map_err(Finding::Checkpoint)?;
    let earlier = match earlier {
        Some(note) => Some(Checkpoint::open(note, &key).map_err(Finding::EarlierCheckpoint)?),
        None => None,
    };
    let (size, before) = (now.size, earlier.as_ref().map(|earlier| earlier.size));
    if let Some(before) = before.filter(|before| *before > size) {
        return Err(Finding::Shorter { size, earlier: before });
    }

    let read = Entries::read(dir, &now, before)?;
    if !read.holds(&now) {
        return Err(locate(dir, &now)?);
    }
    if let (Some(earlier), Some(root)) = (&earlier, read.earlier_root)
        && root != earlier.root
    {
        return Err(Finding::Rewritten { earlier: earlier.size });
    }
    if let Some(no) = read.misnumbered {
        return Err(Finding::Changed { no });
    }
    if let Some(file) = read.damaged_tile {
        return Err(Finding::Tile { file });
    }
    let standing = before.map_or(Standing::Consistent, Standing::CompleteSince);
    let Checkpoint { origin, size, root } = now;
    Ok(Report { origin, key, size, root, span: read.span, standing })
}

/// Checkpoints and keys are small; more is not read.
fn small_file(dir: &Path, file: &'static str) -> Result<Vec<u8>, Finding> {
    let mut bytes = Vec::new();
    File::open(dir.join(file))
        .and_then(|open| open.take(1 << 20).read_to_end(&mut bytes))
        .map_err(|source| Finding::Unreadable { file, source })?;
    Ok(bytes)
}

fn lines(dir: &Path) -> Result<Lines<BufReader<File>>, Finding> {
    let file = File::open(dir.join(ENTRIES)).map_err(unreadable_entries)?;
    Ok(Lines::new(BufReader::with_capacity(1 << 16, file)))
}

fn unreadable_entries(source: io::Error) -> Finding {
    Finding::Unreadable { file: ENTRIES, source }
}

fn unreadable_tiles(source: io::Error) -> Finding {
    Finding::Unreadable { file: "tile", source }
}

/// What one reading of the entries gives.
struct Entries {
    tree: Tree,
    readable: bool,
    earlier_root: Option<Hash>,
    misnumbered: Option<u64>,
    damaged_tile: Option<String>,
    span: Option<(Timestamp, Timestamp)>,
}

impl Entries {
    fn read(dir: &Path, now: &Checkpoint, earlier: Option<u64>) -> Result<Self, Finding> {
        let mut tree = Tree::empty();
        let mut tiles = Tiles::new(Sink::Compare(dir.to_owned(), None));
        let (mut readable, mut misnumbered, mut span) = (true, None, None);
        let mut earlier_root = (earlier == Some(0)).then(|| tree.root());
        for line in lines(dir)? {
            let line = line.map_err(unreadable_entries)?;
            let Some(line) = line.filter(|_| tree.size() < now.size) else {
                readable = false;
                break;
            };
            let no = tree.size();
            let own = line.entry.filter(|(own, _)| *own == no && line.no == no);
            match own {
                Some((_, at)) => {
                    let at = Timestamp::from_micros(at);
                    span = Some((span.map_or(at, |(first, _)| first), at));
                }
                None => misnumbered = misnumbered.or(Some(no)),
            }
            tree.append(&line.commitment);
            tiles.push(&line.commitment).map_err(unreadable_tiles)?;
            if earlier == Some(tree.size()) {
                earlier_root = Some(tree.root());
            }
        }
        let damaged_tile = match tiles.finish().map_err(unreadable_tiles)? {
            Sink::Compare(_, damaged) => damaged,
            Sink::Keep(_) => None,
        };
        Ok(Self { tree, readable, earlier_root, misnumbered, damaged_tile, span })
    }

    fn holds(&self, now: &Checkpoint) -> bool {
        self.readable && self.tree.size() == now.size && self.tree.root() == now.root
    }
}

/// Finds the first entry that departs from the signed leaves.
fn locate(dir: &Path, now: &Checkpoint) -> Result<Finding, Finding> {
    let unlocated = Finding::Root { size: now.size };
    let mut signed = Tree::empty();
    for leaf in TileLeaves::new(dir, now.size) {
        signed.append_leaf(leaf.map_err(unreadable_tiles)?);
    }
    if signed.size() != now.size || signed.root() != now.root {
        return Ok(unlocated);
    }
    let mut entries = lines(dir)?;
    let mut leaves = TileLeaves::new(dir, now.size);
    let mut first: Option<Departure> = None;
    for no in 0_u64.. {
        let entry = entries.next().transpose().map_err(unreadable_entries)?;
        let leaf = leaves.next().transpose().map_err(unreadable_tiles)?;
        if entry.is_none() && leaf.is_none() {
            break;
        }
        // `Some(None)` is an entry that is there and cannot be read.
        let entry = entry.map(|line| line.map(|line: Line| Leaf::hash(&line.commitment)));
        match &mut first {
            None if leaf.is_some() && entry == Some(leaf) => {}
            None => first = Some(Departure { no, entry, leaf, entry_is: None, leaf_is_later: false }),
            Some(departure) => departure.look(no, entry.flatten(), leaf),
        }
    }
    Ok(first.map_or(unlocated, |departure| departure.finding()))
}

/// The first place where entry and signed leaf differ, and what the places after it show.
struct Departure {
    no: u64,
    entry: Option<Option<Hash>>,
    leaf: Option<Hash>,
    /// Where the entry that stands here belongs, if it was signed for a later place.
    entry_is: Option<u64>,
    /// Whether the entry that belongs here stands at a later place.
    leaf_is_later: bool,
}

impl Departure {
    fn look(&mut self, no: u64, entry: Option<Hash>, leaf: Option<Hash>) {
        if leaf.is_some() && self.entry == Some(leaf) && self.entry_is.is_none() {
            self.entry_is = Some(no);
        }
        if entry.is_some() && entry == self.leaf {
            self.leaf_is_later = true;
        }
    }

    const fn finding(&self) -> Finding {
        let no = self.no;
        match (&self.entry, &self.leaf, self.entry_is, self.leaf_is_later) {
            (None, ..) => Finding::Removed { no },
            (_, None, ..) => Finding::Added { no },
            (.., Some(holds), true) => Finding::Reordered { no, holds },
            (.., Some(_), false) => Finding::Removed { no },
            (.., None, true) => Finding::Added { no },
            (.., None, false) => Finding::Changed { no },
        }
    }
}

#[cfg(test)]
mod tests;
