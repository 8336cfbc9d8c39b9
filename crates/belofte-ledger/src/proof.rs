// SPDX-License-Identifier: EUPL-1.2
//! Proofs that an entry is in a log, and that a log is the beginning of a later one.
//!
//! Whoever stores the hashes asks first which ones a proof needs, reads them in any way it
//! likes, and builds the proof from them; nothing here waits for a database.

use std::cell::RefCell;

use tlog_tiles::{
    Error, HashReader, TreeProof, check_record, check_tree, prove_record, prove_tree, record_hash,
};

use crate::tree::{Known, MAX_SIZE};
use crate::{Hash, StoredHash};

/// Why a proof cannot be made or does not prove.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// No such entry in a log of this size, or no such smaller log.
    #[error("a log of this size has no such part")]
    OutOfRange,
    /// A hash is missing that the proof needs.
    #[error("a stored hash is missing")]
    MissingHash,
    /// The proof does not lead to the root.
    #[error("the proof does not lead to the root")]
    Invalid,
}

/// Writes down which hashes are read.
#[derive(Default)]
struct Asked(RefCell<Vec<u64>>);

impl HashReader for Asked {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, Error> {
        self.0.borrow_mut().extend_from_slice(indexes);
        Ok(vec![tlog_tiles::Hash::default(); indexes.len()])
    }
}

fn in_range(part: bool, size: u64) -> Result<(), ProofError> {
    if part && size <= MAX_SIZE { Ok(()) } else { Err(ProofError::OutOfRange) }
}

fn bare(proof: Vec<tlog_tiles::Hash>) -> Vec<Hash> {
    proof.into_iter().map(|hash| hash.0).collect()
}

fn wrapped(proof: &[Hash]) -> TreeProof {
    proof.iter().copied().map(tlog_tiles::Hash).collect()
}

/// The stored hashes that an inclusion proof of entry `no` in a log of `size` needs.
///
/// # Errors
/// [`ProofError::OutOfRange`].
pub fn inclusion_needs(size: u64, no: u64) -> Result<Vec<u64>, ProofError> {
    in_range(no < size, size)?;
    let asked = Asked::default();
    prove_record(size, no, &asked).map_err(|_| ProofError::OutOfRange)?;
    Ok(asked.0.into_inner())
}

/// The proof that entry `no` is in the log of `size` (RFC 6962, section 2.1.1).
///
/// # Errors
/// [`ProofError::OutOfRange`], [`ProofError::MissingHash`].
pub fn inclusion_proof(size: u64, no: u64, hashes: &[StoredHash]) -> Result<Vec<Hash>, ProofError> {
    in_range(no < size, size)?;
    prove_record(size, no, &Known(hashes)).map(bare).map_err(|_| ProofError::MissingHash)
}

/// Checks that the commitment is entry `no` of the log with this size and root.
///
/// # Errors
/// [`ProofError::OutOfRange`], [`ProofError::Invalid`].
pub fn verify_inclusion(
    proof: &[Hash],
    size: u64,
    root: &Hash,
    no: u64,
    commitment: &Hash,
) -> Result<(), ProofError> {
    in_range(no < size, size)?;
    check_record(&wrapped(proof), size, tlog_tiles::Hash(*root), no, record_hash(commitment))
        .map_err(|_| ProofError::Invalid)
}

/// The stored hashes that a consistency proof from `earlier` to `size` needs.
///
/// # Errors
/// [`ProofError::OutOfRange`].
pub fn consistency_needs(size: u64, earlier: u64) -> Result<Vec<u64>, ProofError> {
    in_range((1..=size).contains(&earlier), size)?;
    let asked = Asked::default();
    prove_tree(size, earlier, &asked).map_err(|_| ProofError::OutOfRange)?;
    Ok(asked.0.into_inner())
}

/// The proof that the log of `earlier` entries is the beginning of that of `size` entries
/// (RFC 6962, section 2.1.2).
///
/// # Errors
/// [`ProofError::OutOfRange`], [`ProofError::MissingHash`].
pub fn consistency_proof(size: u64, earlier: u64, hashes: &[StoredHash]) -> Result<Vec<Hash>, ProofError> {
    in_range((1..=size).contains(&earlier), size)?;
    prove_tree(size, earlier, &Known(hashes)).map(bare).map_err(|_| ProofError::MissingHash)
}

/// Checks that the log (`earlier`, `earlier_root`) is the beginning of (`size`, `root`).
///
/// # Errors
/// [`ProofError::OutOfRange`], [`ProofError::Invalid`].
pub fn verify_consistency(
    proof: &[Hash],
    size: u64,
    root: &Hash,
    earlier: u64,
    earlier_root: &Hash,
) -> Result<(), ProofError> {
    in_range((1..=size).contains(&earlier), size)?;
    let (root, earlier_root) = (tlog_tiles::Hash(*root), tlog_tiles::Hash(*earlier_root));
    check_tree(&wrapped(proof), size, root, earlier, earlier_root).map_err(|_| ProofError::Invalid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Leaf, Tree};

    fn leaf(n: u64) -> Hash {
        Leaf::commit(&[0; 16], &n.to_be_bytes())
    }

    fn log(size: u64) -> (Vec<StoredHash>, Vec<Hash>) {
        let (mut tree, mut stored, mut roots) = (Tree::empty(), Vec::new(), vec![Tree::empty().root()]);
        for n in 0..size {
            stored.extend(tree.append(&leaf(n)));
            roots.push(tree.root());
        }
        (stored, roots)
    }

    fn pick(stored: &[StoredHash], needs: &[u64]) -> Vec<StoredHash> {
        needs.iter().map(|index| stored[*index as usize]).collect()
    }

    #[test]
    fn every_entry_of_every_size_is_proven_and_no_other() {
        let (stored, roots) = log(40);
        for size in 1..=40 {
            let root = &roots[size as usize];
            for no in 0..size {
                let hashes = pick(&stored, &inclusion_needs(size, no).unwrap());
                let proof = inclusion_proof(size, no, &hashes).unwrap();
                assert_eq!(verify_inclusion(&proof, size, root, no, &leaf(no)), Ok(()));
                assert!(verify_inclusion(&proof, size, root, no, &leaf(no + 1)).is_err());
                assert!(
                    verify_inclusion(&proof, size, root, (no + 1) % size, &leaf(no)).is_err() || size == 1
                );
                assert!(verify_inclusion(&proof, size, &[0; 32], no, &leaf(no)).is_err());
            }
            for earlier in 1..=size {
                let hashes = pick(&stored, &consistency_needs(size, earlier).unwrap());
                let proof = consistency_proof(size, earlier, &hashes).unwrap();
                let earlier_root = &roots[earlier as usize];
                assert_eq!(verify_consistency(&proof, size, root, earlier, earlier_root), Ok(()));
                assert!(verify_consistency(&proof, size, root, earlier, &[0; 32]).is_err());
                assert!(verify_consistency(&proof, size, &[0; 32], earlier, earlier_root).is_err());
            }
        }
    }

    #[test]
    fn what_is_out_of_range_or_missing_is_refused() {
        let (stored, _) = log(9);
        assert_eq!(inclusion_needs(9, 9), Err(ProofError::OutOfRange));
        assert_eq!(consistency_needs(9, 0), Err(ProofError::OutOfRange));
        assert_eq!(consistency_needs(9, 10), Err(ProofError::OutOfRange));
        assert_eq!(inclusion_needs(u64::MAX, 1), Err(ProofError::OutOfRange));
        assert_eq!(inclusion_proof(9, 3, &stored[..2]), Err(ProofError::MissingHash));
        assert_eq!(consistency_proof(9, 3, &[]), Err(ProofError::MissingHash));
    }

    proptest! {
        #[test]
        fn any_proof_is_handled(
            proof in proptest::collection::vec(any::<Hash>(), 0..70),
            size in any::<u64>(), no in any::<u64>(),
        ) {
            prop_assert!(verify_inclusion(&proof, size, &[1; 32], no, &[2; 32]).is_err());
            prop_assert!(verify_inclusion(&proof, size % 1000, &[1; 32], no % 1000, &[2; 32]).is_err());
            prop_assert!(verify_consistency(&proof, size, &[1; 32], no, &[2; 32]).is_err());
            prop_assert!(verify_consistency(&proof, size % 1000, &[1; 32], no % 1000, &[2; 32]).is_err());
        }
    }
}
