// SPDX-License-Identifier: EUPL-1.2
//! What the last server on the way wrote on top of a mail: the envelope of a mail that is read from a mailbox,
//! where no transport tells it.

use belofte_model::{EmailAddress, Timestamp};
use mail_parser::DateTime;

use crate::header::{self, date};

/// How much of a field is looked at, in octets.
const MAX_FIELD: usize = 4 * 1024;
/// So many recipients are looked at.
const MAX_RECIPIENTS: usize = 50;

/// The envelope as delivery has noted it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The reverse path of the first Return-Path (RFC 5321, section 4.4): `Some(None)` for `<>`, `None` when
    /// there is no such field.
    pub return_path: Option<Option<EmailAddress>>,
    /// To whom it was delivered, as the fields say that servers write for this, then To and Cc.
    pub recipients: Vec<EmailAddress>,
}

/// Reads the envelope of `raw` (RFC 5322).
#[must_use]
pub fn trace(raw: &[u8]) -> Trace {
    let Ok((fields, _)) = header::split(raw) else { return Trace::default() };
    let text = |value: &[u8]| String::from_utf8_lossy(&value[..value.len().min(MAX_FIELD)]).into_owned();
    let return_path = fields.first("return-path").map(|value| {
        let value = text(value);
        EmailAddress::parse(value.trim().trim_start_matches('<').trim_end_matches('>')).ok()
    });
    let mut recipients = Vec::new();
    for name in ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to"] {
        for value in fields.all(name).take(4) {
            let value = text(value);
            recipients.extend(EmailAddress::parse(value.trim().trim_matches(['<', '>'])).ok());
        }
    }
    for name in ["to", "cc"] {
        let listed = fields.mailboxes(name, &mut crate::Problems::default());
        recipients.extend(listed.into_iter().map(|mailbox| mailbox.address));
    }
    recipients.truncate(MAX_RECIPIENTS);
    Trace { return_path, recipients }
}

/// The moment of IMAP's INTERNALDATE, such as `17-Jul-1996 02:44:25 -0700` (RFC 9051, section 9); `None` when
/// it is none.
#[must_use]
pub fn internal_date(text: &str) -> Option<Timestamp> {
    let text = text.trim().replacen('-', " ", 2);
    date(format!("{text}\n").as_bytes())
}

/// The day of `at`, in UTC, as IMAP writes it: `1-Feb-1994` (RFC 9051, section 9).
#[must_use]
pub fn imap_day(at: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let date = DateTime::from_timestamp(at.as_secs());
    let month = MONTHS.get(usize::from(date.month).saturating_sub(1)).unwrap_or(&"Jan");
    format!("{}-{month}-{}", date.day, date.year)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).expect("an address")
    }

    #[test]
    fn the_envelope_is_read_from_what_servers_write() {
        let mail = b"Return-Path: <jan@klant.example>\r\nDelivered-To: info+x@shop.example\r\nX-Original-To: info@shop.example\r\n\
            From: Jan <jan@klant.example>\r\nTo: Info <info@shop.example>, b@shop.example\r\n\r\nDag.\r\n";
        let read = trace(mail);
        assert_eq!(read.return_path, Some(Some(address("jan@klant.example"))));
        let expected = ["info+x@shop.example", "info@shop.example", "info@shop.example", "b@shop.example"];
        assert_eq!(read.recipients, expected.map(address));
    }

    #[test]
    fn a_bounce_has_an_empty_path_and_a_bare_mail_none() {
        assert_eq!(trace(b"Return-Path: <>\r\nFrom: x@y.example\r\n\r\n").return_path, Some(None));
        assert_eq!(trace(b"From: x@y.example\r\n\r\n"), Trace::default());
        assert_eq!(trace(b""), Trace::default());
    }

    #[test]
    fn dates_of_mailboxes_are_read() {
        let at = internal_date("17-Jul-1996 02:44:25 -0700").expect("a date");
        assert_eq!(at, Timestamp::from_secs(837_596_665));
        assert_eq!(internal_date(" 7-Feb-2026 10:00:00 +0100"), Some(Timestamp::from_secs(1_770_454_800)));
        assert_eq!(internal_date("yesterday"), None);
        assert_eq!(imap_day(Timestamp::from_secs(1_770_454_800)), "7-Feb-2026");
        assert_eq!(imap_day(Timestamp::from_secs(0)), "1-Jan-1970");
    }
}
