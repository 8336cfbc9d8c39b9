// SPDX-License-Identifier: EUPL-1.2
//! Signs mail in the name of a domain (RFC 6376). The mail rooms get this function and never the key: it is made,
//! sealed and opened here.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use zeroize::Zeroizing;

use crate::{DataKey, Random, SealContext, VaultError};

/// The signing function of one domain (`rsa-sha256`); clones share it.
#[derive(Clone)]
pub struct DkimKey(Arc<KeyPair>);

impl DkimKey {
    /// Makes a new one, of 2048 bits (RFC 8301, section 3.2). Takes up to a second.
    ///
    /// # Panics
    /// When the operating system has no random bytes: nothing can be signed safely then.
    #[must_use]
    pub fn generate() -> Self {
        // Primes are found by the library, with chance of its own: it takes none from a caller.
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("the operating system gives random bytes");
        Self(Arc::new(pair))
    }

    /// The signature of `message` (RSASSA-PKCS1-v1_5 with SHA-256).
    ///
    /// # Panics
    /// Never: the room for the signature has the size of the key.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let digest = digest(&SHA256, message);
        self.0.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature).expect("the room fits the key");
        signature
    }

    /// The public key as it is published: a SubjectPublicKeyInfo in DER, which is what verifiers read.
    ///
    /// # Panics
    /// Never: a public key that was just made has its form.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().expect("a public key has its form");
        der.as_ref().to_vec()
    }

    /// Seals the private key for the place `ctx` under `key`.
    ///
    /// # Panics
    /// Never: a private key that was just made or opened has its form.
    #[must_use]
    pub fn seal(&self, key: &DataKey, random: &Random, ctx: &SealContext) -> Vec<u8> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().expect("a private key has its form");
        key.seal(random, ctx, der.as_ref())
    }

    /// Opens what [`seal`](Self::seal) made for the same place.
    ///
    /// # Errors
    /// As [`DataKey::open`], and [`VaultError::Malformed`] when it is no private key.
    pub fn open(key: &DataKey, ctx: &SealContext, sealed: &[u8]) -> Result<Self, VaultError> {
        let der = Zeroizing::new(key.open(ctx, sealed)?);
        let pair = KeyPair::from_pkcs8(&der).map_err(|_| VaultError::Malformed("no RSA private key"))?;
        Ok(Self(Arc::new(pair)))
    }
}

impl fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DkimKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use belofte_model::{Column, KeyId, TenantId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_sealed_signs_for_the_same_public_key_and_opens_nowhere_else() {
        let random = Random::seeded(1);
        let key = DataKey::generate(KeyId(Uuid::from_u128(1)), &random);
        let ctx = SealContext { tenant: TenantId(Uuid::nil()), column: Column(1), row: Uuid::from_u128(2) };
        let made = DkimKey::generate();
        let sealed = made.seal(&key, &random, &ctx);
        let opened = DkimKey::open(&key, &ctx, &sealed).expect("our own");
        assert_eq!(opened.public_key(), made.public_key());
        let signature = opened.sign(b"a mail");
        let verifier = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, made.public_key());
        assert!(verifier.verify(b"a mail", &signature).is_ok());
        assert!(verifier.verify(b"a maiL", &signature).is_err());
        let elsewhere = SealContext { row: Uuid::from_u128(3), ..ctx };
        assert!(DkimKey::open(&key, &elsewhere, &sealed).is_err());
        assert_eq!(format!("{made:?}"), "DkimKey(..)");
        assert_ne!(DkimKey::generate().public_key(), made.public_key());
    }
}
