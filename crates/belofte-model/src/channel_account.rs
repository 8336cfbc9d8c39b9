// SPDX-License-Identifier: EUPL-1.2
//! Channel accounts: the mailboxes, numbers, widgets and pages through which customers come in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of channel. Closed: a new channel is a new variant, matched everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Internet mail (RFC 5321, RFC 5322).
    Email,
}

impl ChannelKind {
    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
        }
    }

    /// The kind of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        (name == "email").then_some(Self::Email)
    }
}

/// Whether an account takes and sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// Receives and sends.
    Active,
    /// Refuses mail with a temporary error, so that senders keep it; sends nothing.
    Paused,
    /// Is kept for its history only; its address is unknown to the listener.
    Removed,
}

impl AccountState {
    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Removed => "removed",
        }
    }

    /// The state of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Paused, Self::Removed].into_iter().find(|state| state.as_str() == name)
    }
}

/// How the line to a submission server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineSecurity {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// STARTTLS, without which nothing is sent (RFC 3207).
    StartTls,
    /// No TLS: only what the tenant chose so.
    None,
}

/// The signature of an account as `name` signs with it: `{name}` stands for the one who writes, `{address}`
/// for the address of the account. What they are replaced by is not looked through again.
#[must_use]
pub fn signed_as(signature: &str, name: &str, address: &str) -> String {
    let mut out = String::with_capacity(signature.len() + name.len());
    let mut rest = signature;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let known = [("name}", name), ("address}", address)]
            .into_iter()
            .find_map(|(word, value)| Some((value, after.strip_prefix(word)?)));
        match known {
            Some((value, behind)) => {
                out.push_str(value);
                rest = behind;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// An address of internet mail, split and normalised for comparison.
///
/// The local part is kept as given for sending; comparison folds case in both parts, as every
/// mail system in use does although RFC 5321, section 2.4 leaves it to the receiver.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    local: String,
    domain: String,
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailAddressError {
    /// No `@`, or nothing before or after it.
    Incomplete,
    /// Longer than 320 octets. The limits of RFC 5321, section 4.5.3.1 are lower, but mailing
    /// platforms in use exceed them, and the same section asks receivers not to insist.
    TooLong,
    /// A space, a control character or an angle bracket outside quotes.
    BadCharacter,
}

impl EmailAddress {
    /// Reads `local@domain`; a quoted local part keeps its quotes, a trailing dot of the domain
    /// goes, the domain is put in lower case.
    ///
    /// # Errors
    /// [`EmailAddressError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, EmailAddressError> {
        let text = text.trim();
        let at = text.rfind('@').ok_or(EmailAddressError::Incomplete)?;
        let (local, domain) = (&text[..at], text[at + 1..].trim_end_matches('.'));
        if local.is_empty() || domain.is_empty() {
            return Err(EmailAddressError::Incomplete);
        }
        if local.len() + 1 + domain.len() > 320 {
            return Err(EmailAddressError::TooLong);
        }
        let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
        let bad =
            |c: char| c.is_control() || (!quoted && (c.is_whitespace() || "<>()[],;:\\\"@".contains(c)));
        let bad_domain = |c: char| c.is_control() || c.is_whitespace() || "<>(),;\\\"@".contains(c);
        if local.chars().any(bad) || domain.chars().any(bad_domain) {
            return Err(EmailAddressError::BadCharacter);
        }
        Ok(Self { local: local.to_owned(), domain: domain.to_lowercase() })
    }

    /// The part before the `@`, as given.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The whole address as it is sent.
    #[must_use]
    pub fn as_sent(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    /// The form by which addresses are compared and indexed: lower case in both parts.
    #[must_use]
    pub fn normalised(&self) -> String {
        format!("{}@{}", self.local.to_lowercase(), self.domain)
    }

    /// The address without its plus detail (RFC 5233) and the detail: `info+x@a` → (`info@a`, `x`).
    #[must_use]
    pub fn split_detail(&self) -> (Self, Option<String>) {
        match self.local.split_once('+') {
            Some((base, detail)) if !base.is_empty() => {
                (Self { local: base.to_owned(), domain: self.domain.clone() }, Some(detail.to_owned()))
            }
            _ => (self.clone(), None),
        }
    }

    /// The address with a plus detail added (RFC 5233).
    #[must_use]
    pub fn with_detail(&self, detail: &str) -> Self {
        Self { local: format!("{}+{detail}", self.local), domain: self.domain.clone() }
    }
}

/// An address is personal data: it shows only that it is one.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_compared_and_split() {
        let address = EmailAddress::parse(" Info+Order-7@Shop.Example. ").expect("valid");
        assert_eq!(address.as_sent(), "Info+Order-7@shop.example");
        assert_eq!(address.normalised(), "info+order-7@shop.example");
        let (base, detail) = address.split_detail();
        assert_eq!((base.as_sent().as_str(), detail.as_deref()), ("Info@shop.example", Some("Order-7")));
        assert_eq!(base.with_detail("x").as_sent(), "Info+x@shop.example");
        assert!(EmailAddress::parse("\"a b\"@shop.example").is_ok());
    }

    #[test]
    fn a_signature_is_filled_in_once() {
        let signed = |signature| signed_as(signature, "Els {address}", "info@winkel.example");
        assert_eq!(signed("Groet,\n{name}\n{address}"), "Groet,\nEls {address}\ninfo@winkel.example");
        assert_eq!(signed("{{name} {naam} {"), "{Els {address} {naam} {");
        assert_eq!(signed(""), "");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (text, why) in [
            ("nobody", EmailAddressError::Incomplete),
            ("@shop.example", EmailAddressError::Incomplete),
            ("a@", EmailAddressError::Incomplete),
            ("a b@shop.example", EmailAddressError::BadCharacter),
            ("a@shop.example\r\nBcc: b@c.example", EmailAddressError::BadCharacter),
            ("<a@shop.example", EmailAddressError::BadCharacter),
        ] {
            assert_eq!(EmailAddress::parse(text), Err(why), "{text:?}");
        }
        let bounce = format!("bounce+{}@mailing.example", "a".repeat(100));
        assert!(EmailAddress::parse(&bounce).is_ok(), "platforms send from such addresses");
        let long = format!("{}@shop.example", "a".repeat(320));
        assert_eq!(EmailAddress::parse(&long), Err(EmailAddressError::TooLong));
    }

    #[test]
    fn an_address_does_not_show_itself_in_debug_output() {
        let address = EmailAddress::parse("secret@shop.example").expect("valid");
        assert!(!format!("{address:?}").contains("secret"));
    }
}
