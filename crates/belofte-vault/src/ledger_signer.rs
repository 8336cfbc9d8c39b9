// SPDX-License-Identifier: EUPL-1.2
//! Signs the ledger's checkpoints (Ed25519, RFC 8032). The ledger gets this function and never
//! the key.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

use crate::DataKey;
use crate::derive::{Use, subkey};

/// The signing function of one tenant's ledger; clones share it.
#[derive(Clone)]
pub struct LedgerSigner(Arc<Ed25519KeyPair>);

impl LedgerSigner {
    /// The signer that belongs to a key of class *ledger*; the same key gives the same signer.
    ///
    /// # Panics
    /// Never: any 32 bytes are an Ed25519 seed.
    #[must_use]
    pub fn from_data_key(key: &DataKey) -> Self {
        let seed = subkey(key.secret(), Use::LedgerSign);
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).expect("any 32 bytes are an Ed25519 seed");
        Self(Arc::new(pair))
    }

    /// The signature of `message`.
    ///
    /// # Panics
    /// Never: an Ed25519 signature has 64 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        *self.0.sign(message).as_ref().first_chunk().expect("an Ed25519 signature has 64 bytes")
    }

    /// The public key that verifies.
    ///
    /// # Panics
    /// Never: an Ed25519 public key has 32 bytes.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        *self.0.public_key().as_ref().first_chunk().expect("an Ed25519 public key has 32 bytes")
    }
}

impl fmt::Debug for LedgerSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LedgerSigner(..)")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    use belofte_model::KeyId;
    use uuid::Uuid;
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn the_public_key_verifies_and_stays() {
        let key = DataKey::from_secret(KeyId(Uuid::nil()), Zeroizing::new([1; 32]));
        let signer = LedgerSigner::from_data_key(&key);
        let public = signer.public_key();
        assert_eq!(hex::encode(public), "7837f36b0df4e288e9b537cecb059955dd250dcbe05088d88a89f814ae6a1dfe");
        let signature = signer.sign(b"checkpoint");
        let verifier = UnparsedPublicKey::new(&ED25519, public);
        assert!(verifier.verify(b"checkpoint", &signature).is_ok());
        assert!(verifier.verify(b"checkpoinT", &signature).is_err());
        assert_eq!(format!("{signer:?}"), "LedgerSigner(..)");
    }
}
