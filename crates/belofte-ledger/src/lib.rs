// SPDX-License-Identifier: EUPL-1.2
//! The tamper-evident log of a tenant: a Merkle tree over salted commitments, with signed
//! checkpoints, proofs, an export and its offline verifier.
//!
//! | module | gives |
//! |---|---|
//! | `entry` | [`Entry`]: what stands in the ledger, with one canonical encoding |
//! | `leaf` | [`Leaf`]: the salted commitment to an entry |
//! | `tree` | [`Tree`]: the right edge of the tree, enough to append and to know the root |
//! | `proof` | inclusion and consistency |
//! | `checkpoint` | [`Checkpoint`]: origin, size and root as a signed note |
//! | `export`, `verify` | files that anybody can verify without us |
//!
//! The tree is that of RFC 6962 (section 2.1), the checkpoint that of C2SP `tlog-checkpoint`
//! and `signed-note`, the files those of C2SP `tlog-tiles`. What the log's entries are in the
//! sense of these texts are our commitments of 32 bytes: the tree can be published and kept
//! for ever, because without its salt a commitment says nothing of its entry.
//!
//! What this crate does *not* know: SQL, sockets, keys (a signature comes from a callback), the
//! current time, and how entries are sealed.

mod checkpoint;
mod entry;
mod export;
mod layout;
mod leaf;
mod proof;
mod tree;
mod verify;

pub use checkpoint::{Checkpoint, CheckpointError, verifier_key};
pub use entry::{Detail, Entry, EntryError, MAX_ENTRY};
pub use export::{Export, ExportError, ExportParts};
pub use layout::ExportFile;
pub use leaf::Leaf;
pub use proof::{
    ProofError, consistency_needs, consistency_proof, inclusion_needs, inclusion_proof, verify_consistency,
    verify_inclusion,
};
pub use tree::{StoredHash, Tree};
pub use verify::{Finding, Report, Standing, verify_dir, verify_dir_with_key};

/// A SHA-256 hash: a commitment, a node or a root.
pub type Hash = [u8; 32];
