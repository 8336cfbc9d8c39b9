// SPDX-License-Identifier: EUPL-1.2
//! What can go wrong at the vault's border.

use std::io;

/// Why the vault refused. No variant carries a plaintext, a key or any bytes of a seal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// Fewer bytes than the smallest seal has.
    #[error("sealed bytes are truncated ({len} bytes)")]
    Truncated {
        /// How many bytes there were.
        len: usize,
    },
    /// The first byte names a format that this version does not know.
    #[error("unknown format version {0} of sealed bytes")]
    UnknownVersion(u8),
    /// The authentication failed: other bytes, another place (tenant, column, row) or another
    /// key than when it was sealed. Which of these cannot be told, by design.
    #[error("sealed bytes do not open: they, their place or the key differ from when they were sealed")]
    NotAuthentic,
    /// What was opened authentically does not have the shape it should have.
    #[error("the opened bytes are malformed: {0}")]
    Malformed(&'static str),
    /// A sealed stream was asked for a segment that it does not have, or with wrong length.
    #[error("the segment does not fit its stream")]
    Segment,
    /// The root key file can be read by others than its owner.
    #[error("the key file has mode {mode:04o}; it must be readable by its owner alone (0600)")]
    RootKeyExposed {
        /// The permission bits found.
        mode: u32,
    },
    /// There is a root key already; it is never overwritten.
    #[error("a key file exists already and is not overwritten")]
    RootKeyExists,
    /// The root key file is damaged.
    #[error("the key file is damaged: {0}")]
    RootKeyMalformed(&'static str),
    /// The root key file could not be read or written.
    #[error("the key file could not be read or written")]
    RootKeyIo(#[from] io::Error),
}
