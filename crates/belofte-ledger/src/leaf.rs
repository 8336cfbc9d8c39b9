// SPDX-License-Identifier: EUPL-1.2
//! Commitments: what of an entry goes into the tree.

use sha2::{Digest as _, Sha256};

use crate::Hash;

/// Keeps these hashes apart from all others of the house; part of the format.
const DOMAIN: &[u8] = b"belofte ledger leaf 1\0";

/// A leaf of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf;

impl Leaf {
    /// The commitment to `entry`: SHA-256 over domain ‖ salt ‖ entry. `entry` are the canonical
    /// bytes of [`Entry::to_bytes`](crate::Entry::to_bytes); the salt is random, used once and
    /// kept as secret as the entry.
    #[must_use]
    pub fn commit(salt: &[u8; 16], entry: &[u8]) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(DOMAIN);
        hasher.update(salt);
        hasher.update(entry);
        hasher.finalize().into()
    }

    /// The hash that stands at the tree's lowest level for a commitment: SHA-256 over 0x00 ‖
    /// commitment (RFC 6962, section 2.1).
    #[must_use]
    pub fn hash(commitment: &Hash) -> Hash {
        tlog_tiles::record_hash(commitment).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_stays_what_it_is() {
        // Computed with another implementation.
        assert_eq!(
            hex::encode(Leaf::commit(&[1; 16], b"entry")),
            "7c08eb629bd5f55258e81f29f36f8408cf1515ed925700b3e4adea683b44dae3"
        );
        assert_eq!(
            hex::encode(Leaf::hash(&Leaf::commit(&[1; 16], b"entry"))),
            "f278676995acdf66d878f630fdeb9e2a52ede4a619f1cdfbaab348225f0ee21a"
        );
        assert_ne!(Leaf::commit(&[2; 16], b"entry"), Leaf::commit(&[1; 16], b"entry"));
        assert_ne!(Leaf::commit(&[1; 16], b"entrY"), Leaf::commit(&[1; 16], b"entry"));
    }
}
