// SPDX-License-Identifier: EUPL-1.2
//! Names of folders as IMAP writes them: modified UTF-7 (RFC 3501, section 5.1.3), in quotes.
//!
//! Written here: the crates that do this bring a table of charsets and regular expressions for what is one
//! loop.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;

const MODIFIED: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// `name` in modified UTF-7, as a quoted string. Controls are left out: a line break would end the command.
pub(super) fn quoted(name: &str) -> String {
    let mut out = String::from("\"");
    let mut wide = String::new();
    let close = |wide: &mut String, out: &mut String| {
        if !wide.is_empty() {
            let octets: Vec<u8> = wide.encode_utf16().flat_map(u16::to_be_bytes).collect();
            out.push('&');
            out.push_str(&MODIFIED.encode(octets));
            out.push('-');
            wide.clear();
        }
    };
    for c in name.chars().filter(|c| !c.is_control()) {
        if c.is_ascii() {
            close(&mut wide, &mut out);
            match c {
                '&' => out.push_str("&-"),
                '"' | '\\' => out.extend(['\\', c]),
                c => out.push(c),
            }
        } else {
            wide.push(c);
        }
    }
    close(&mut wide, &mut out);
    out.push('"');
    out
}

/// A name that a server told, in quotes as it is: it is in modified UTF-7 already.
pub(super) fn quoted_as_told(name: &str) -> String {
    let mut out = String::from("\"");
    for c in name.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::{quoted, quoted_as_told};

    #[test]
    fn a_name_that_was_told_goes_back_as_it_came() {
        assert_eq!(quoted_as_told("Entw&APw-rfe"), "\"Entw&APw-rfe\"");
        assert_eq!(quoted_as_told("a\"b\\c\r\nA LOGOUT"), "\"a\\\"b\\\\cA LOGOUT\"");
    }

    #[test]
    fn names_are_written_as_the_standard_does() {
        assert_eq!(quoted("INBOX"), "\"INBOX\"");
        assert_eq!(quoted("R&D"), "\"R&-D\"");
        // RFC 3501, section 5.1.3.
        assert_eq!(quoted("~peter/mail/台北/日本語"), "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\"");
        assert_eq!(quoted("Entwürfe"), "\"Entw&APw-rfe\"");
        assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
        assert_eq!(quoted("x\"\r\nA LOGOUT"), "\"x\\\"A LOGOUT\"");
    }
}
