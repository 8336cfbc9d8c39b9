// SPDX-License-Identifier: EUPL-1.2
//! The tree's right edge: the roots of its complete subtrees. That is all one needs to append
//! leaves and to know the root, however long the log is.

use tlog_tiles::{Error, HashReader, stored_hash_index, stored_hashes_for_record_hash, sub_tree_index};

use crate::{Hash, Leaf};

/// A hash to store: the tree's nodes have a dense numbering, in which later leaves never
/// change earlier numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredHash {
    /// The number of the node.
    pub index: u64,
    /// Its hash.
    pub hash: Hash,
}

/// Logs stay below this; beyond it the numbering would not fit 64 bits.
pub(crate) const MAX_SIZE: u64 = 1 << 48;

/// A log's size and right edge.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tree {
    size: u64,
    /// The complete subtrees, from left to right: at most one per bit of the size.
    peaks: Vec<StoredHash>,
}

impl Tree {
    /// The tree without leaves.
    #[must_use]
    pub const fn empty() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// The stored hashes that [`resume`](Self::resume) needs for a log of `size` leaves, by
    /// their numbers: at most one per bit of the size.
    #[must_use]
    pub fn needs(size: u64) -> Vec<u64> {
        sub_tree_index(0, size.min(MAX_SIZE), Vec::new())
    }

    /// The tree of `size` leaves from the hashes that [`needs`](Self::needs) names, in that
    /// order; `None` when their number does not fit.
    #[must_use]
    pub fn resume(size: u64, hashes: &[Hash]) -> Option<Self> {
        let needs = Self::needs(size);
        if size > MAX_SIZE || needs.len() != hashes.len() {
            return None;
        }
        let peaks = needs.into_iter().zip(hashes).map(|(index, hash)| StoredHash { index, hash: *hash });
        Some(Self { size, peaks: peaks.collect() })
    }

    /// How many leaves there are; the number of the next one.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a commitment; gives the hashes to store, one to 49 of them, under two on
    /// average, with ascending consecutive numbers.
    ///
    /// # Panics
    /// Beyond 2^48 leaves.
    pub fn append(&mut self, commitment: &Hash) -> Vec<StoredHash> {
        self.append_leaf(Leaf::hash(commitment))
    }

    /// As [`append`](Self::append), from the hash at the lowest level.
    pub(crate) fn append_leaf(&mut self, leaf: Hash) -> Vec<StoredHash> {
        assert!(self.size < MAX_SIZE, "a log stays below 2^48 entries");
        let leaf = tlog_tiles::Hash(leaf);
        let hashes = stored_hashes_for_record_hash(self.size, leaf, &Known(&self.peaks))
            .expect("an append reads the complete subtrees at the right edge only");
        let first = stored_hash_index(0, self.size);
        let stored: Vec<StoredHash> =
            (first..).zip(&hashes).map(|(index, hash)| StoredHash { index, hash: hash.0 }).collect();
        self.size += 1;
        // The last hash is the root of the subtree that swallowed the ones it was made of.
        self.peaks.truncate(self.peaks.len() + 1 - stored.len());
        self.peaks.extend(stored.last());
        stored
    }

    /// The root (RFC 6962, section 2.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().map(|peak| tlog_tiles::Hash(peak.hash));
        let Some(last) = peaks.next() else { return tlog_tiles::EMPTY_HASH.0 };
        peaks.fold(last, |right, left| tlog_tiles::node_hash(left, right)).0
    }
}

/// Hashes at hand, as the tree's algorithms want to read them.
pub(crate) struct Known<'a>(pub(crate) &'a [StoredHash]);

impl HashReader for Known<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, Error> {
        let find = |index: &u64| {
            let found = self.0.iter().find(|stored| stored.index == *index);
            found.map(|stored| tlog_tiles::Hash(stored.hash)).ok_or(Error::IndexesNotInTree)
        };
        indexes.iter().map(find).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// RFC 6962, section 2.1, word for word.
    fn reference(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest(b"").into(),
            [leaf] => Sha256::new().chain_update([0]).chain_update(leaf).finalize().into(),
            _ => {
                let k = leaves.len().next_power_of_two() / 2;
                let (left, right) = (reference(&leaves[..k]), reference(&leaves[k..]));
                Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
            }
        }
    }

    fn leaf(n: u64) -> Hash {
        Leaf::commit(&[0; 16], &n.to_be_bytes())
    }

    #[test]
    fn the_root_is_that_of_rfc_6962_at_every_size_and_after_resuming() {
        let (mut tree, mut stored, mut leaves) = (Tree::empty(), Vec::new(), Vec::new());
        for n in 0..150 {
            assert_eq!(tree.root(), reference(&leaves), "size {n}");
            let at = |index: &u64| -> Hash {
                let found: &StoredHash = &stored[*index as usize];
                assert_eq!(found.index, *index);
                found.hash
            };
            let hashes: Vec<Hash> = Tree::needs(n).iter().map(at).collect();
            assert_eq!(Tree::resume(n, &hashes).as_ref(), Some(&tree));
            leaves.push(leaf(n));
            stored.extend(tree.append(&leaf(n)));
            assert_eq!(tree.size(), n + 1);
        }
        assert_eq!(stored.len() as u64, tlog_tiles::stored_hash_count(150));
    }

    #[test]
    fn a_wrong_number_of_hashes_is_refused() {
        assert_eq!(Tree::resume(3, &[[0; 32]]), None);
        assert_eq!(Tree::resume(0, &[[0; 32]]), None);
        assert_eq!(Tree::resume(u64::MAX, &[]), None);
        assert_eq!(Tree::resume(0, &[]), Some(Tree::empty()));
    }

    proptest! {
        #[test]
        fn any_size_can_be_asked(size in any::<u64>()) {
            prop_assert!(Tree::needs(size).len() <= 49);
        }
    }
}
