// SPDX-License-Identifier: EUPL-1.2
//! Says to push services who sends (VAPID, RFC 8292). The rooms that send get this function and never the key: it is
//! made, sealed and opened here.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::{DataKey, Random, SealContext, VaultError};

/// The signing function of one sender (ES256, RFC 7518, section 3.4); clones share it.
#[derive(Clone)]
pub struct PushKey(Arc<EcdsaKeyPair>);

impl PushKey {
    /// Makes a new one, on P-256 (RFC 8292, section 2).
    ///
    /// # Panics
    /// When the operating system has no random bytes: nothing can be signed safely then.
    #[must_use]
    pub fn generate() -> Self {
        // The library makes the number with chance of its own: it takes none from a caller.
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self(Arc::new(pair.expect("the operating system gives random bytes")))
    }

    /// The public key as browsers and push services take it: the point, uncompressed, in Base64 of addresses without
    /// padding (RFC 8292, section 3.2).
    #[must_use]
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.public_key())
    }

    /// The signature of `message`: two numbers of 32 octets (RFC 7518, section 3.4).
    ///
    /// # Panics
    /// Never: a key that was made or opened here signs any octets.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.0.sign_digest(&digest(&SHA256, message));
        signature.expect("a key that was made or opened here signs any octets").as_ref().to_vec()
    }

    /// Seals the private key for the place `ctx` under `key`.
    ///
    /// # Panics
    /// Never: a private key that was just made or opened has its form.
    #[must_use]
    pub fn seal(&self, key: &DataKey, random: &Random, ctx: &SealContext) -> Vec<u8> {
        let der = self.0.to_pkcs8v1().expect("a private key has its form");
        key.seal(random, ctx, der.as_ref())
    }

    /// Opens what [`seal`](Self::seal) made for the same place.
    ///
    /// # Errors
    /// As [`DataKey::open`], and [`VaultError::Malformed`] when it is no private key.
    pub fn open(key: &DataKey, ctx: &SealContext, sealed: &[u8]) -> Result<Self, VaultError> {
        let der = Zeroizing::new(key.open(ctx, sealed)?);
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der);
        Ok(Self(Arc::new(pair.map_err(|_| VaultError::Malformed("no private key on P-256"))?)))
    }
}

impl fmt::Debug for PushKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use belofte_model::{Column, KeyId, TenantId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_sealed_says_the_same_and_opens_nowhere_else() {
        let random = Random::seeded(1);
        let key = DataKey::generate(KeyId(Uuid::from_u128(1)), &random);
        let ctx = SealContext { tenant: TenantId(Uuid::nil()), column: Column(1), row: Uuid::from_u128(2) };
        let made = PushKey::generate();
        let sealed = made.seal(&key, &random, &ctx);
        let opened = PushKey::open(&key, &ctx, &sealed).expect("our own");
        assert_eq!(opened.public_key(), made.public_key());
        let elsewhere = SealContext { row: Uuid::from_u128(3), ..ctx };
        assert!(PushKey::open(&key, &elsewhere, &sealed).is_err());
        assert_eq!(format!("{made:?}"), "PushKey(..)");
        assert_ne!(PushKey::generate().public_key(), made.public_key());
    }

    #[test]
    fn a_signature_is_two_numbers_and_holds_by_the_public_key() {
        let key = PushKey::generate();
        let point = URL_SAFE_NO_PAD.decode(key.public_key()).expect("Base64");
        assert_eq!((point.len(), point[0]), (65, 4), "an uncompressed point");
        let signature = key.sign(b"a token");
        assert_eq!(signature.len(), 64);
        let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        assert!(verifier.verify(b"a token", &signature).is_ok());
        assert!(verifier.verify(b"a tokem", &signature).is_err());
    }
}
