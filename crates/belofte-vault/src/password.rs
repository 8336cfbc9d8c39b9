// SPDX-License-Identifier: EUPL-1.2
//! Passwords: argon2id (RFC 9106) with 19 MiB, two passes and one lane, as PHC strings.
//!
//! Both functions take tens of milliseconds and 19 MiB; the caller limits attempts and
//! concurrency *before* it calls them, off the async threads.

use std::borrow::Cow;

use argon2::password_hash::PasswordHasher as _;
use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};
use zeroize::Zeroizing;

use crate::Random;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The most that a stored hash may ask of this machine: 256 MiB, 16 passes, 8 lanes.
const LIMIT: (u32, u32, u32) = (256 * 1024, 16, 8);

fn argon2id(params: Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn our_params() -> Params {
    Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within argon2's limits")
}

/// The same password typed on two keyboards is the same bytes: NFC, as the OpaqueString
/// profile asks (RFC 8265, section 4.2.2).
fn prepared(password: &str) -> Zeroizing<Vec<u8>> {
    let text: Cow<'_, str> =
        if is_nfc(password) { Cow::Borrowed(password) } else { Cow::Owned(password.nfc().collect()) };
    Zeroizing::new(text.into_owned().into_bytes())
}

fn is_affordable(params: &Params) -> bool {
    params.m_cost() <= LIMIT.0 && params.t_cost() <= LIMIT.1 && params.p_cost() <= LIMIT.2
}

/// Hashes a password with a fresh salt; gives a PHC string (`$argon2id$v=19$m=19456,…`).
#[must_use]
pub fn hash(random: &Random, password: &str) -> String {
    let salt: [u8; 16] = random.bytes();
    let hash: PasswordHash = argon2id(our_params())
        .hash_password_with_salt(&prepared(password), &salt)
        .expect("argon2id takes any password with a salt of 16 bytes");
    hash.to_string()
}

/// Whether `password` is the one that `hash` was made of. A hash that is not argon2id, is
/// malformed or asks for absurd resources is nobody's.
#[must_use]
pub fn verify(password: &str, hash: &str) -> bool {
    let Ok(stored) = PasswordHash::new(hash) else { return false };
    if stored.algorithm.as_str() != "argon2id" || stored.version != Some(Version::V0x13.into()) {
        return false;
    }
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else { return false };
    let Ok(params) = Params::try_from(&stored) else { return false };
    if !is_affordable(&params) {
        return false;
    }
    let mut computed = Zeroizing::new([0; Output::MAX_LENGTH]);
    let Some(computed) = computed.get_mut(..expected.as_bytes().len()) else { return false };
    argon2id(params).hash_password_into(&prepared(password), salt.as_ref(), computed).is_ok()
        && constant_time::verify_slices_are_equal(computed, expected.as_bytes()).is_ok()
}

/// Does the work of [`verify`] for an account that does not exist, so that the time of an
/// answer does not tell which accounts do.
pub fn verify_nobody(password: &str) {
    let mut computed = Zeroizing::new([0; 32]);
    let done = argon2id(our_params()).hash_password_into(&prepared(password), &[0; 16], &mut *computed);
    std::hint::black_box((done.is_ok(), &computed));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_verifies_and_another_does_not() {
        let random = Random::seeded(1);
        let stored = hash(&random, "correct paard batterij");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("correct paard batterij", &stored));
        assert!(!verify("correct paard batteri", &stored));
        assert!(!verify("", &stored));
        assert_ne!(stored, hash(&random, "correct paard batterij"), "each hash has its own salt");
        verify_nobody("correct paard batterij");
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_password() {
        let stored = hash(&Random::seeded(2), "cafe\u{301}");
        assert!(verify("caf\u{e9}", &stored));
        assert!(!verify("cafe", &stored));
    }

    #[test]
    fn what_a_stored_hash_may_ask_is_limited() {
        let affordable = |m, t, p| is_affordable(&Params::new(m, t, p, None).unwrap());
        assert!(affordable(MEMORY_KIB, PASSES, LANES) && affordable(LIMIT.0, LIMIT.1, LIMIT.2));
        assert!(!affordable(LIMIT.0 + 1, 1, 1));
        assert!(!affordable(1024, LIMIT.1 + 1, 1));
        assert!(!affordable(1024, 1, LIMIT.2 + 1));
    }

    #[test]
    fn a_malformed_or_greedy_hash_is_nobodys() {
        let good = hash(&Random::seeded(3), "x");
        for stored in [
            String::new(),
            "$argon2id$".to_owned(),
            "x".to_owned(),
            good.replace("argon2id", "argon2i"),
            good.replace("m=19456", "m=4000000000"),
            good.replace("t=2", "t=4000000"),
            good[..good.len() - 4].to_owned(),
            good.rsplit_once('$').unwrap().0.to_owned(),
        ] {
            assert!(!verify("x", &stored), "{stored}");
        }
    }
}
