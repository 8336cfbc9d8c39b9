// SPDX-License-Identifier: EUPL-1.2
//! The header that makes browsers save and not show (RFC 6266, RFC 8187).

use std::fmt::Write as _;

/// The longest name that is sent, in characters.
const LONGEST: usize = 200;

/// The value of `Content-Disposition` that saves a file as `name`. A name with other characters
/// than plain ASCII is sent twice: for those who read RFC 8187, and for all others with
/// underscores in their place.
#[must_use]
pub fn disposition(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| if c.is_control() || matches!(c, '/' | '\\') { '_' } else { c })
        .take(LONGEST)
        .collect();
    let name = name.trim();
    if name.is_empty() {
        return "attachment".to_owned();
    }
    let plain: String = name
        .chars()
        .map(|c| if (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '%') { c } else { '_' })
        .collect();
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            // attr-char of RFC 8187, section 3.2.1.
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                value.push(char::from(byte));
            } else {
                let _ = write!(value, "%{byte:02X}");
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn plain_names_stay_plain() {
        assert_eq!(disposition("factuur 2041.pdf"), "attachment; filename=\"factuur 2041.pdf\"");
        assert_eq!(disposition(""), "attachment");
        assert_eq!(disposition(" \u{7f} "), "attachment; filename=\"_\"");
    }

    #[test]
    fn other_names_are_sent_in_both_forms() {
        assert_eq!(
            disposition("offerte café €.pdf"),
            "attachment; filename=\"offerte caf_ _.pdf\"; filename*=UTF-8''offerte%20caf%C3%A9%20%E2%82%AC.pdf"
        );
    }

    #[test]
    fn no_name_can_leave_its_place() {
        for name in [
            "a\"; filename=evil.html",
            "a\r\nSet-Cookie: x=1",
            "../../etc/passwd",
            "a%2Fb",
            "\u{202e}fdp.exe",
        ] {
            let value = disposition(name);
            assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{value}");
            assert_eq!(value.matches('"').count(), 2, "{value}");
            assert!(!value.contains('/') && !value.contains('\\'), "{value}");
            http::HeaderValue::from_str(&value).expect("a header");
        }
    }
}
