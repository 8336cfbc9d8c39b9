// SPDX-License-Identifier: EUPL-1.2
//! Mailboxes: a name and an address.

use std::fmt;

use belofte_model::{EmailAddress, EmailAddressError};
use mail_parser::{HeaderValue, parsers::MessageStream};

use crate::names::display_name;

/// The most mailboxes taken from one field.
const MAX_MAILBOXES: usize = 1_000;

/// A mailbox (RFC 5322, section 3.4): somebody's name, possibly empty, and address.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The cleaned display name; empty when there is none.
    pub name: String,
    /// The address.
    pub address: EmailAddress,
}

impl Mailbox {
    /// A mailbox of a name, which is cleaned, and an address.
    #[must_use]
    pub fn new(name: &str, address: EmailAddress) -> Self {
        Self { name: display_name(name, &address.as_sent()), address }
    }

    /// Reads what a person enters as somebody to write to: an address, or a name and the address in
    /// angle brackets. A domain in another script than Latin is put as mail carries it (RFC 5890,
    /// A-labels), in which form the mails of its people name it too.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn entered(text: &str) -> Result<Self, EmailAddressError> {
        let text = text.trim();
        // A line that ends within it is two lines to somebody.
        if text.contains(char::is_control) {
            return Err(EmailAddressError::BadCharacter);
        }
        let named = text.strip_suffix('>').and_then(|inner| inner.rsplit_once('<'));
        let (name, address) = named.unwrap_or(("", text));
        let mut address = EmailAddress::parse(address)?;
        if !address.domain().is_ascii() {
            let domain =
                idna::domain_to_ascii(address.domain()).map_err(|_| EmailAddressError::BadCharacter)?;
            address = EmailAddress::parse(&format!("{}@{domain}", address.local()))?;
        }
        Ok(Self::new(name, address))
    }
}

/// Names and addresses are personal data: it shows only that it is one.
impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox(..)")
    }
}

/// The mailboxes of a field value that ends in a line break; groups are flattened, what is no
/// address is left out.
pub(crate) fn mailboxes(value: &[u8]) -> Vec<Mailbox> {
    let HeaderValue::Address(list) = MessageStream::new(value).parse_address() else { return Vec::new() };
    list.iter()
        .filter_map(|entry| {
            let address = EmailAddress::parse(entry.address.as_deref()?).ok()?;
            Some(Mailbox::new(entry.name.as_deref().unwrap_or(""), address))
        })
        .take(MAX_MAILBOXES)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_enter_is_a_mailbox_or_refused() {
        let read = |text: &str| Mailbox::entered(text).map(|found| (found.name, found.address.as_sent()));
        let is = |name: &str, address: &str| Ok((name.to_owned(), address.to_owned()));
        assert_eq!(read(" jan@klant.example "), is("", "jan@klant.example"));
        assert_eq!(read("Jan Jansen <jan@klant.example>"), is("Jan Jansen", "jan@klant.example"));
        assert_eq!(read("\"Jansen, Jan\" <jan@klant.example>"), is("Jansen, Jan", "jan@klant.example"));
        assert_eq!(read("<jan@klant.example>"), is("", "jan@klant.example"));
        assert_eq!(read("jan@münchen.example"), is("", "jan@xn--mnchen-3ya.example"));
        for odd in [
            "",
            "jan",
            "Jan <jan@>",
            "Jan <jan@klant.example> rest",
            "a@b.example\r\nBcc: c@d.example",
            "Jan\r\nBcc: x@y.example <jan@klant.example>",
            "jan@klant.example\r\nRCPT TO:<evil@evil.example>",
        ] {
            assert!(read(odd).is_err(), "{odd:?}");
        }
    }
}
