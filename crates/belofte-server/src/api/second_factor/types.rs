// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about second factors.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::time::Time;

/// One's own second factor.
#[derive(Serialize, ToSchema)]
pub struct SecondFactor {
    /// Since when one has it; absent where one has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// How many recovery codes were not used.
    pub recovery_codes: u32,
    /// Whether the organisation asks one of one's role.
    pub asked: bool,
}

/// A secret for an app, told once. Nothing keeps it but the app, until it is confirmed.
#[derive(Serialize, ToSchema)]
pub struct NewSecret {
    /// What is typed into the app: Base32 (RFC 4648, section 6).
    pub secret: String,
    /// The same as an address for a QR code, with what the app calls it.
    pub uri: String,
    /// Until when it can be confirmed.
    pub expires_at: Time,
}

impl NewSecret {
    /// `secret` of who signs in at `tenant` with `email`.
    #[must_use]
    pub fn of(secret: belofte_store::NewSecret, tenant: &str, email: &str) -> Self {
        let text = secret.text.into_inner();
        Self { uri: uri(&text, tenant, email), secret: text, expires_at: secret.expires_at.into() }
    }
}

/// `text` for a part of an address (RFC 3986, section 2.1). A colon parts issuer and account, so that it stands in
/// neither.
fn part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.replace(':', " ").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The address that apps read: SHA-1, six digits and 30 seconds are what all of them take, and are told all the same.
fn uri(secret: &str, tenant: &str, email: &str) -> String {
    let (issuer, account) = (part(&format!("Belofte {tenant}")), part(email));
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
    )
}

/// The current password, and a code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordAndCode {
    /// The current password.
    #[schema(min_length = 1, max_length = 256)]
    pub password: String,
    /// The six digits of the app; where one has a second factor, a recovery code does as well.
    #[schema(min_length = 1, max_length = 64)]
    pub code: String,
}

/// Recovery codes, told once. Each is good once, in the place of a code of the app.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Ten of them.
    pub recovery_codes: Vec<String>,
}

/// Of which roles the organisation asks a second factor.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondFactorRule {
    /// Of admins.
    pub admin: bool,
    /// Of supervisors.
    pub supervisor: bool,
    /// Of agents.
    pub agent: bool,
}

/// Changes of that; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSecondFactorRule {
    /// Of admins.
    #[serde(default)]
    pub admin: Option<bool>,
    /// Of supervisors.
    #[serde(default)]
    pub supervisor: Option<bool>,
    /// Of agents.
    #[serde(default)]
    pub agent: Option<bool>,
}

impl From<belofte_model::SecondFactorRule> for SecondFactorRule {
    fn from(rule: belofte_model::SecondFactorRule) -> Self {
        let belofte_model::SecondFactorRule { admin, supervisor, agent } = rule;
        Self { admin, supervisor, agent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_reads_the_address_whatever_stands_in_the_names() {
        assert_eq!(
            uri("GEZDGNBV", "Bakker: & Zn", "jan+werk@bakker.example"),
            "otpauth://totp/Belofte%20Bakker%20%20%26%20Zn:jan%2Bwerk%40bakker.example?secret=GEZDGNBV\
             &issuer=Belofte%20Bakker%20%20%26%20Zn&algorithm=SHA1&digits=6&period=30"
        );
    }
}
