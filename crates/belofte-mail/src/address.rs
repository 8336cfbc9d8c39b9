// SPDX-License-Identifier: EUPL-1.2
//! Mailboxes: a name and an address.

use std::fmt;

use belofte_model::EmailAddress;
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
