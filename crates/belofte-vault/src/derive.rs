// SPDX-License-Identifier: EUPL-1.2
//! Subkeys: one HKDF-SHA-256 (RFC 5869) per use, so that no key serves two purposes.

use std::sync::LazyLock;

use ::hmac::{Hmac, KeyInit as _, Mac as _};
use aws_lc_rs::hkdf::{self, HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::{aead, hmac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The salt of every derivation of the house; a new scheme takes a new salt.
const SALT: &[u8] = b"belofte vault 1";

/// The purposes of subkeys. The label of each is part of the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Seal,
    Wrap,
    Blob,
    Lookup,
    Search,
    Mac,
    LedgerSign,
    RootFileCheck,
}

impl Use {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Seal => b"seal",
            Self::Wrap => b"wrap",
            Self::Blob => b"blob",
            Self::Lookup => b"lookup",
            Self::Search => b"search",
            Self::Mac => b"mac",
            Self::LedgerSign => b"ledger sign",
            Self::RootFileCheck => b"root file check",
        }
    }
}

struct Len(usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

/// HMAC under the salt, prepared once: of a derivation that is a third of the work.
static EXTRACT: LazyLock<Hmac<Sha256>> =
    LazyLock::new(|| Hmac::new_from_slice(SALT).expect("HMAC takes a key of any length"));

/// The 32-byte subkey of `secret` for one use: the first block of HKDF, whose two steps are written out here (RFC
/// 5869, 2.2 and 2.3), since a list of a million people derives a million.
pub(crate) fn subkey(secret: &[u8; 32], purpose: Use) -> Zeroizing<[u8; 32]> {
    let extracted: Zeroizing<[u8; 32]> =
        Zeroizing::new(EXTRACT.clone().chain_update(secret).finalize().into_bytes().into());
    let expand = Hmac::<Sha256>::new_from_slice(&*extracted).expect("HMAC takes a key of any length");
    Zeroizing::new(expand.chain_update(purpose.label()).chain_update([1]).finalize().into_bytes().into())
}

/// HKDF-SHA-256 in one call; `out` takes at most 255 × 32 bytes.
pub(crate) fn hkdf_sha256(salt: &[u8], secret: &[u8], info: &[u8], out: &mut [u8]) {
    let prk: hkdf::Prk = Salt::new(HKDF_SHA256, salt).extract(secret);
    prk.expand(&[info], Len(out.len()))
        .and_then(|okm| okm.fill(out))
        .expect("the output is far below HKDF's limit of 8160 bytes");
}

/// A prepared AES-256-GCM key.
pub(crate) fn aes_256_gcm(key: &[u8; 32]) -> aead::LessSafeKey {
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, key).expect("AES-256 takes a key of 32 bytes");
    aead::LessSafeKey::new(key)
}

/// A prepared HMAC-SHA-256 key for one use of `secret`.
pub(crate) fn hmac_sha256(secret: &[u8; 32], purpose: Use) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &*subkey(secret, purpose))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hkdf_is_that_of_rfc_5869() {
        // Appendix A.1, test case 1.
        let mut okm = [0; 42];
        let salt: Vec<u8> = (0x00..=0x0c).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        hkdf_sha256(&salt, &[0x0b; 22], &info, &mut okm);
        assert_eq!(
            hex::encode(okm),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        );
    }

    #[test]
    fn a_subkey_is_what_hkdf_gives() {
        for (first, purpose) in [Use::Seal, Use::Wrap, Use::RootFileCheck].into_iter().enumerate() {
            let secret = [u8::try_from(first).unwrap(); 32];
            let mut whole = [0; 32];
            hkdf_sha256(SALT, &secret, purpose.label(), &mut whole);
            assert_eq!(*subkey(&secret, purpose), whole);
        }
    }

    #[test]
    fn every_use_has_its_own_key() {
        use Use::{Blob, LedgerSign, Lookup, Mac, RootFileCheck, Seal, Search, Wrap};
        let mut keys: Vec<_> = [Seal, Wrap, Blob, Lookup, Search, Mac, LedgerSign, RootFileCheck]
            .map(|purpose| *subkey(&[7; 32], purpose))
            .to_vec();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 8);
    }
}
