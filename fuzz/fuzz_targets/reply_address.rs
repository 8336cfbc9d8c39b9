// SPDX-License-Identifier: EUPL-1.2
//! A recipient of a stranger: an address or none, and of its details one is ours only in the one
//! spelling that we give it.
#![no_main]

use belofte_mail::ReplyAddress;
use belofte_model::EmailAddress;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| {
    let text = String::from_utf8_lossy(raw);
    if let Some(ours) = ReplyAddress::decode(&text) {
        assert_eq!(ours.detail(), text.to_ascii_lowercase());
    }
    let Ok(address) = EmailAddress::parse(&text) else { return };
    let again = EmailAddress::parse(&address.as_sent()).expect("what was read is read again");
    assert_eq!(again.normalised(), address.normalised());
    if let (base, Some(detail)) = address.split_detail()
        && let Some(ours) = ReplyAddress::decode(&detail)
        && let Ok(encoded) = ours.encode(&base)
    {
        assert_eq!(encoded.normalised(), address.normalised());
    }
});
