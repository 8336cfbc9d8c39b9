// SPDX-License-Identifier: EUPL-1.2
//! People as cards (vCard 4.0, RFC 6350): what a card has a place for.

use belofte_model::FieldValue;
use belofte_store::ListedContact;

/// A line is folded after so many bytes (RFC 6350, section 3.2).
const WIDTH: usize = 75;

/// Text as a value (section 3.4): what would end it or divide it is escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ',' | ';' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Adds a line, folded: what follows a break begins with a space, and no character is torn.
fn line(out: &mut String, text: &str) {
    let mut width = 0;
    for c in text.chars() {
        if width + c.len_utf8() > WIDTH {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(c);
        width += c.len_utf8();
    }
    out.push_str("\r\n");
}

/// A card.
#[must_use]
pub fn card(one: &ListedContact) -> String {
    let mut out = String::new();
    let mut add = |name: &str, value: &str| line(&mut out, &format!("{name}:{value}"));
    add("BEGIN", "VCARD");
    add("VERSION", "4.0");
    add("UID", &format!("urn:uuid:{}", one.id.uuid()));
    // Every card has a name (section 6.2.1).
    let name = Some(one.name.expose()).filter(|name| !name.is_empty());
    let name = name.or_else(|| one.addresses.first().map(|address| address.expose()));
    add("FN", &escaped(name.map_or("", String::as_str)));
    for address in &one.addresses {
        add("EMAIL", &escaped(address.expose()));
    }
    for (_, value) in &one.fields {
        match value {
            FieldValue::Phone(number) => add("TEL;VALUE=uri", &format!("tel:{number}")),
            FieldValue::Email(address) => add("EMAIL", &escaped(address)),
            // An address of the web is no text: nothing in it is escaped.
            FieldValue::Url(url) => add("URL", &url.replace(char::is_control, "")),
            FieldValue::PostalAddress(at) => {
                let street = format!("{} {}", at.street, at.number);
                let parts = [street.trim(), &at.city, "", &at.postal_code, &at.country].map(escaped);
                add("ADR", &format!(";;{}", parts.join(";")));
            }
            _ => {}
        }
    }
    add("END", "VCARD");
    out
}

#[cfg(test)]
mod tests {
    use belofte_model::{ContactId, FieldId, PostalAddress, Timestamp};
    use belofte_vault::Pii;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_card_holds_what_it_has_a_place_for() {
        let field = |value| (FieldId(Uuid::nil()), value);
        let address = PostalAddress {
            street: "Lange Straat; achter".to_owned(),
            number: "1a".to_owned(),
            postal_code: "1234 AB".to_owned(),
            city: "Stad".to_owned(),
            country: "NL".to_owned(),
        };
        let one = ListedContact {
            id: ContactId(Uuid::from_u128(7)),
            name: Pii::new("Vries, de; Éls\nEND:VCARD".to_owned()),
            addresses: vec![Pii::new("els@klant.example".to_owned())],
            created_at: Timestamp::from_micros(0),
            conversations: 0,
            last_message_at: None,
            fields: vec![
                field(FieldValue::Phone("+31612345678".to_owned())),
                field(FieldValue::Integer(3)),
                field(FieldValue::PostalAddress(address)),
            ],
        };
        assert_eq!(
            card(&one),
            "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:00000000-0000-0000-0000-000000000007\r\n\
             FN:Vries\\, de\\; Éls\\nEND:VCARD\r\nEMAIL:els@klant.example\r\n\
             TEL;VALUE=uri:tel:+31612345678\r\nADR:;;Lange Straat\\; achter 1a;Stad;;1234 AB;NL\r\n\
             END:VCARD\r\n"
        );
    }

    #[test]
    fn long_lines_are_folded_and_no_character_is_torn() {
        let mut out = String::new();
        let text = format!("FN:{}", "é".repeat(100));
        line(&mut out, &text);
        assert!(out.ends_with("\r\n") && out.lines().all(|line| line.len() <= WIDTH), "{out}");
        assert_eq!(out.trim_end().replace("\r\n ", ""), text);
    }
}
