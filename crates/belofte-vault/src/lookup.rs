// SPDX-License-Identifier: EUPL-1.2
//! Keyed hashes: blind indexes to find a row by a value, short authenticators to sign one.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};

use crate::DataKey;
use crate::derive::{Use, hmac_sha256};

/// Makes blind indexes: equal values of one kind have equal indexes, and without the key
/// neither direction can be computed. One per tenant.
#[derive(Clone)]
pub struct LookupKey(hmac::Key);

impl LookupKey {
    /// The look-up key that belongs to a key of class *lookup*.
    #[must_use]
    pub fn from_data_key(key: &DataKey) -> Self {
        Self(hmac_sha256(key.secret(), Use::Lookup))
    }

    /// The index of a value. `kind` keeps equal values of different kinds apart; `normalised`
    /// is the value in its one canonical form, which the caller makes.
    #[must_use]
    pub fn index(&self, kind: &str, normalised: &str) -> [u8; 16] {
        tag(&self.0, kind, normalised.as_bytes())
    }
}

impl fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupKey(..)")
    }
}

/// Signs short messages for ourselves, such as the detail of a reply address.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// The authenticator key that belongs to `key`.
    #[must_use]
    pub fn from_data_key(key: &DataKey) -> Self {
        Self(hmac_sha256(key.secret(), Use::Mac))
    }

    /// The authenticator (HMAC-SHA-256, first 128 bits) of `message` within `domain`.
    #[must_use]
    pub fn tag(&self, domain: &str, message: &[u8]) -> [u8; 16] {
        tag(&self.0, domain, message)
    }

    /// Whether `tag` is that of `message` within `domain`; takes the same time either way.
    #[must_use]
    pub fn verify(&self, domain: &str, message: &[u8], tag: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.tag(domain, message), tag).is_ok()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
}

fn tag(key: &hmac::Key, domain: &str, message: &[u8]) -> [u8; 16] {
    let mut context = hmac::Context::with_key(key);
    // The length keeps ("ab", "c") and ("a", "bc") apart.
    context.update(&(domain.len() as u64).to_be_bytes());
    context.update(domain.as_bytes());
    context.update(message);
    let signed = context.sign();
    *signed.as_ref().first_chunk().expect("HMAC-SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use belofte_model::KeyId;
    use uuid::Uuid;
    use zeroize::Zeroizing;

    use super::*;

    fn key(byte: u8) -> DataKey {
        DataKey::from_secret(KeyId(Uuid::nil()), Zeroizing::new([byte; 32]))
    }

    #[test]
    fn an_index_stays_what_it_is() {
        let lookup = LookupKey::from_data_key(&key(1));
        assert_eq!(
            hex::encode(lookup.index("email", "sanne@voorbeeld.example")),
            "fb19f61159afa129163808c12df660e0"
        );
        assert_ne!(lookup.index("email", "31600000000"), lookup.index("phone", "31600000000"));
        assert_ne!(lookup.index("ab", "c"), lookup.index("a", "bc"));
        assert_ne!(LookupKey::from_data_key(&key(2)).index("a", "b"), lookup.index("a", "b"));
    }

    #[test]
    fn a_tag_signs_one_message_in_one_domain() {
        let mac = MacKey::from_data_key(&key(1));
        let tag = mac.tag("reply", b"conversation 1");
        assert_eq!(hex::encode(tag), "5496bc319b3ce7e7d676f8bd48d93eb6");
        assert!(mac.verify("reply", b"conversation 1", &tag));
        assert!(!mac.verify("reply", b"conversation 2", &tag));
        assert!(!mac.verify("other", b"conversation 1", &tag));
        assert!(!mac.verify("reply", b"conversation 1", &tag[..15]));
        assert!(!mac.verify("reply", b"conversation 1", &[]));
        assert!(!MacKey::from_data_key(&key(2)).verify("reply", b"conversation 1", &tag));
        assert_ne!(tag, LookupKey::from_data_key(&key(1)).index("reply", "conversation 1"));
    }

    #[test]
    fn debug_shows_nothing() {
        let key = key(0xab);
        let shown = format!("{:?} {:?}", LookupKey::from_data_key(&key), MacKey::from_data_key(&key));
        assert_eq!(shown, "LookupKey(..) MacKey(..)");
    }
}
