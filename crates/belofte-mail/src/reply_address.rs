// SPDX-License-Identifier: EUPL-1.2
//! Reply addresses that name their conversation: `account+r.<tag>@domain`.
//!
//! The tag holds a reference chosen by the caller and the beginning of a message
//! authentication code made by the caller: this crate knows no key.

use std::fmt;

use belofte_model::EmailAddress;

/// The octets of the code that the address carries: 80 bits, for guesses that must each be
/// sent as a mail.
const MAC: usize = 10;
/// The longest reference, in octets: a UUID.
const MAX_REFERENCE: usize = 16;
/// RFC 5321, section 4.5.3.1.1: what others may refuse, we do not hand out.
const MAX_LOCAL: usize = 64;
/// What distinguishes our detail from a customer's own use of plus-addressing.
const PREFIX: &str = "r.";
/// RFC 4648, section 6, in lower case because mail systems fold case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// What a reply address says: which conversation, and a code that only we can make.
#[derive(Clone, PartialEq, Eq)]
pub struct ReplyAddress {
    reference: Vec<u8>,
    mac: [u8; MAC],
}

/// Why no reply address can be made of an account's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyAddressError {
    /// The reference is empty or over 16 octets.
    Reference,
    /// The account's address leaves no room: a local part has at most 64 octets (RFC 5321,
    /// section 4.5.3.1.1). A shorter reference may fit: one of 16 octets leaves 19 for the account, one
    /// of 3 leaves 40. Where none does, answers go to the plain address and are threaded by identifier.
    NoRoom,
}

impl fmt::Display for ReplyAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reference => "the reference of a reply address has 1 to 16 octets",
            Self::NoRoom => "the address of the account leaves no room for a tag",
        })
    }
}

impl std::error::Error for ReplyAddressError {}

impl ReplyAddress {
    /// A tag of a reference (1 to 16 octets; shorter ones leave more room for the account) and
    /// the code over it, of which the first ten octets are carried.
    ///
    /// # Errors
    /// `Reference` when the reference is empty or too long.
    pub fn new(reference: &[u8], mac: &[u8; 16]) -> Result<Self, ReplyAddressError> {
        if reference.is_empty() || reference.len() > MAX_REFERENCE {
            return Err(ReplyAddressError::Reference);
        }
        let mut short = [0; MAC];
        short.copy_from_slice(&mac[..MAC]);
        Ok(Self { reference: reference.to_vec(), mac: short })
    }

    /// The reference, not to be trusted before [`Self::matches`] said so.
    #[must_use]
    pub fn reference(&self) -> &[u8] {
        &self.reference
    }

    /// Whether the carried code is the beginning of `mac`, in constant time.
    #[must_use]
    pub fn matches(&self, mac: &[u8; 16]) -> bool {
        let difference = self.mac.iter().zip(mac).fold(0_u8, |seen, (ours, theirs)| seen | (ours ^ theirs));
        std::hint::black_box(difference) == 0
    }

    /// The plus detail (RFC 5233): `r.` and the tag in letters and digits.
    #[must_use]
    pub fn detail(&self) -> String {
        let mut octets = self.reference.clone();
        octets.extend_from_slice(&self.mac);
        format!("{PREFIX}{}", base32(&octets))
    }

    /// The address to which a customer's answer should go.
    ///
    /// # Errors
    /// `NoRoom` when the local part would be over 64 octets or the whole over 254.
    pub fn encode(&self, account: &EmailAddress) -> Result<EmailAddress, ReplyAddressError> {
        let address = account.with_detail(&self.detail());
        if address.local().len() > MAX_LOCAL {
            return Err(ReplyAddressError::NoRoom);
        }
        // An account may have a quoted local part, which takes no detail outside its quotes.
        EmailAddress::parse(&address.as_sent()).map_err(|_| ReplyAddressError::NoRoom)
    }

    /// Reads the plus detail of an address at which a mail arrived; case does not matter. None
    /// when it is not one of ours by form.
    #[must_use]
    pub fn decode(detail: &str) -> Option<Self> {
        let detail = detail.to_ascii_lowercase();
        let octets = base32_decoded(detail.strip_prefix(PREFIX)?)?;
        if octets.len() <= MAC || octets.len() > MAC + MAX_REFERENCE {
            return None;
        }
        let (reference, mac) = octets.split_at(octets.len() - MAC);
        let mut short = [0; MAC];
        short.copy_from_slice(mac);
        Some(Self { reference: reference.to_vec(), mac: short })
    }
}

/// The code is not shown.
impl fmt::Debug for ReplyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyAddress(..)")
    }
}

fn base32(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len().div_ceil(5) * 8);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for octet in octets {
        bits = bits << 8 | u32::from(*octet);
        count += 8;
        while count >= 5 {
            count -= 5;
            out.push(char::from(ALPHABET[(bits >> count & 31) as usize]));
        }
    }
    if count > 0 {
        out.push(char::from(ALPHABET[(bits << (5 - count) & 31) as usize]));
    }
    out
}

fn base32_decoded(text: &str) -> Option<Vec<u8>> {
    if text.len() > 64 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for octet in text.bytes() {
        let value = match octet {
            b'a'..=b'z' => octet - b'a',
            b'2'..=b'7' => octet - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 255) as u8);
        }
    }
    // Left-over bits are zero and fewer than a letter's, so that one tag has one spelling.
    (count < 5 && bits & ((1 << count) - 1) == 0).then_some(out)
}
