// SPDX-License-Identifier: EUPL-1.2
//! A domain of the outside world that signs its mails (RFC 6376).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{RsaKey, Sha256};
use mail_auth::dkim::DkimSigner;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The name of its key.
pub const SELECTOR: &str = "s2026";

/// A domain with its key.
pub struct Signer {
    domain: String,
    key: Vec<u8>,
}

impl Signer {
    /// Makes a key for `domain`.
    pub fn new(domain: &str) -> Self {
        let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
        Self { domain: domain.to_owned(), key: key.expect("a key").serialize_der() }
    }

    fn key(&self) -> RsaKey<Sha256> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.as_slice()));
        RsaKey::from_key_der(key).expect("our own")
    }

    /// Where its key is published, and how.
    pub fn published(&self) -> (String, String) {
        let name = format!("{SELECTOR}._domainkey.{}", self.domain);
        (name, format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(self.key().public_key())))
    }

    /// `mail` with a signature that holds for so many seconds; for ever when 0.
    pub fn sign(&self, mail: &str, seconds: u64) -> String {
        let signer = DkimSigner::from_key(self.key()).domain(&self.domain).selector(SELECTOR);
        let signer = signer.headers(["From", "From", "To", "Subject", "Message-ID"]).expiration(seconds);
        let mut octets = Vec::new();
        signer.sign(mail.as_bytes()).expect("signed").write(&mut octets, true);
        String::from_utf8(octets).expect("ASCII") + mail
    }
}
