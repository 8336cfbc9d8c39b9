// SPDX-License-Identifier: EUPL-1.2
//! Bearer tokens: sessions, invitations, keys for programs.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Random;

/// A new token: 32 random bytes as 43 characters of base64url (RFC 4648, section 5).
#[must_use]
pub fn new_token(random: &Random) -> String {
    URL_SAFE_NO_PAD.encode(random.bytes::<32>())
}

/// What is stored of a token: its SHA-256. A token has 256 random bits, so no salt is needed.
#[must_use]
pub fn token_hash(token: &[u8]) -> [u8; 32] {
    sha256(token)
}

/// SHA-256 (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, bytes);
    *digest.as_ref().first_chunk().expect("SHA-256 has 32 bytes")
}

/// SHA-256 of what comes piece by piece.
#[derive(Clone)]
pub struct Sha256(digest::Context);

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256(..)")
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl Sha256 {
    /// Takes the next piece.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all pieces.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        *self.0.finish().as_ref().first_chunk().expect("SHA-256 has 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_fit_a_url() {
        let random = Random::seeded(1);
        let (first, second) = (new_token(&random), new_token(&random));
        assert_eq!(first.len(), 43);
        assert!(first.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_ne!(first, second);
    }

    #[test]
    fn the_hash_is_sha_256() {
        // FIPS 180-4 example "abc".
        assert_eq!(
            hex::encode(token_hash(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(token_hash(b"abc"), sha256(b"abc"));
    }

    #[test]
    fn pieces_hash_as_the_whole() {
        let mut hash = Sha256::default();
        for piece in [&b"a"[..], b"", b"bc"] {
            hash.push(piece);
        }
        assert_eq!(hash.finish(), sha256(b"abc"));
    }
}
