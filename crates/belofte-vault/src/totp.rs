// SPDX-License-Identifier: EUPL-1.2
//! Codes by time (TOTP, RFC 6238, over HOTP, RFC 4226): HMAC-SHA-1, six digits. SHA-1 is what the apps of phones
//! know; as a key in an HMAC it is not affected by its collisions (RFC 6194, section 3.3).

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use zeroize::Zeroizing;

use crate::{DataKey, Random, SealContext, VaultError};

/// RFC 4648, section 6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Six digits.
const MODULUS: u32 = 1_000_000;

/// `bytes` in Base32 (RFC 4648, section 6) without padding.
fn base32(bytes: &[u8]) -> String {
    let (mut text, mut held, mut bits) = (String::with_capacity(bytes.len().div_ceil(5) * 8), 0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(BASE32[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(BASE32[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// A new recovery code: 80 random bits as sixteen characters of Base32, without anything between them.
#[must_use]
pub fn new_recovery_code(random: &Random) -> String {
    // More than is needed is asked for, so that it is asked for by itself.
    let bytes = Zeroizing::new(random.bytes::<20>());
    base32(&bytes[..10])
}

/// What a phone and the house share.
pub struct TotpSecret(Zeroizing<[u8; 20]>);

impl TotpSecret {
    /// Makes a new one of 160 bits (RFC 4226, section 4, R6).
    #[must_use]
    pub fn generate(random: &Random) -> Self {
        Self(Zeroizing::new(random.bytes()))
    }

    /// The secret as people type it into an app: Base32 without padding.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(base32(&*self.0))
    }

    /// The secret that [`text`](Self::text) told; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mut bytes, mut held, mut bits) = (Zeroizing::new(Vec::with_capacity(20)), 0_u32, 0);
        for letter in text.bytes() {
            let place = BASE32.iter().position(|known| *known == letter)?;
            held = held << 5 | u32::try_from(place).ok()?;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push((held >> bits & 0xff) as u8);
            }
        }
        <[u8; 20]>::try_from(&bytes[..]).ok().map(|secret| Self(Zeroizing::new(secret)))
    }

    /// Seals the secret for the place `ctx` under `key`.
    #[must_use]
    pub fn seal(&self, key: &DataKey, random: &Random, ctx: &SealContext) -> Vec<u8> {
        key.seal(random, ctx, &*self.0)
    }

    /// Opens what [`seal`](Self::seal) made for the same place.
    ///
    /// # Errors
    /// As [`DataKey::open`], and [`VaultError::Malformed`] when it has another length.
    pub fn open(key: &DataKey, ctx: &SealContext, sealed: &[u8]) -> Result<Self, VaultError> {
        let opened = Zeroizing::new(key.open(ctx, sealed)?);
        let secret = <[u8; 20]>::try_from(&opened[..]);
        secret
            .map(|secret| Self(Zeroizing::new(secret)))
            .map_err(|_| VaultError::Malformed("no secret of codes"))
    }

    /// The code of `period` (RFC 4226, section 5.3).
    #[must_use]
    pub fn code(&self, period: i64) -> u32 {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &*self.0);
        let tag = hmac::sign(&key, &period.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag[19] & 0x0f);
        let four = tag[offset..].first_chunk::<4>().expect("the offset is at most 15 of 20");
        (u32::from_be_bytes(*four) & 0x7fff_ffff) % MODULUS
    }

    /// The latest period, of the one before `period`, `period` itself and the one after it, whose code `given` is
    /// (RFC 6238, section 5.2). Takes the same time whichever of them it is, and when it is none.
    #[must_use]
    pub fn period_of(&self, given: u32, period: i64) -> Option<i64> {
        let mut found = None;
        for near in [period.saturating_sub(1), period, period.saturating_add(1)] {
            let expected = self.code(near).to_be_bytes();
            if constant_time::verify_slices_are_equal(&expected, &given.to_be_bytes()).is_ok() {
                found = Some(near);
            }
        }
        found
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use belofte_model::{Column, KeyId, TenantId};
    use uuid::Uuid;

    use super::*;

    fn of_the_rfc() -> TotpSecret {
        TotpSecret(Zeroizing::new(*b"12345678901234567890"))
    }

    #[test]
    fn codes_are_those_of_rfc_4226() {
        // Appendix D.
        let expected =
            [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
        let secret = of_the_rfc();
        assert_eq!(std::array::from_fn::<u32, 10, _>(|count| secret.code(count as i64)), expected);
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1; the last six of its eight digits.
        let secret = of_the_rfc();
        for (time, code) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000_i64, 353_130),
        ] {
            assert_eq!(secret.code(time / 30), code, "{time}");
        }
    }

    #[test]
    fn a_code_holds_one_period_before_and_after_and_no_longer() {
        let secret = of_the_rfc();
        let code = secret.code(1_000);
        let found: Vec<_> = (997..=1_003).map(|now| secret.period_of(code, now)).collect();
        assert_eq!(found, [None, None, Some(1_000), Some(1_000), Some(1_000), None, None]);
        assert_eq!(secret.period_of(secret.code(1_000) ^ 1, 1_000), None);
        assert_eq!(secret.period_of(u32::MAX, i64::MAX), None);
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        // Section 10, without padding.
        let all = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|text| base32(text.as_bytes()));
        assert_eq!(all, ["", "MY", "MZXQ", "MZXW6", "MZXW6YQ", "MZXW6YTB", "MZXW6YTBOI"]);
        let text = of_the_rfc().text();
        assert_eq!(*text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(TotpSecret::parse(&text).map(|secret| secret.code(0)), Some(755_224));
        assert!(TotpSecret::parse("GEZDGNBVGY3TQOJQ").is_none() && TotpSecret::parse("gezdgnbv").is_none());
    }

    #[test]
    fn recovery_codes_differ_and_have_eighty_bits() {
        let random = Random::seeded(1);
        let codes: std::collections::HashSet<_> = (0..1_000).map(|_| new_recovery_code(&random)).collect();
        assert_eq!(codes.len(), 1_000);
        assert!(codes.iter().all(|code| code.len() == 16 && code.bytes().all(|byte| BASE32.contains(&byte))));
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_alone() {
        let random = Random::seeded(1);
        let key = DataKey::generate(KeyId(Uuid::from_u128(1)), &random);
        let ctx = SealContext { tenant: TenantId(Uuid::nil()), column: Column(1), row: Uuid::from_u128(2) };
        let made = TotpSecret::generate(&random);
        let sealed = made.seal(&key, &random, &ctx);
        let opened = TotpSecret::open(&key, &ctx, &sealed).expect("our own");
        assert_eq!(opened.text(), made.text());
        let elsewhere = SealContext { row: Uuid::from_u128(3), ..ctx };
        assert!(TotpSecret::open(&key, &elsewhere, &sealed).is_err());
        assert!(TotpSecret::open(&key, &ctx, &key.seal(&random, &ctx, b"short")).is_err());
        assert_eq!(format!("{made:?}"), "TotpSecret(..)");
    }
}
