// SPDX-License-Identifier: EUPL-1.2
use belofte_model::EmailAddress;
use proptest::prelude::*;

use crate::{ReplyAddress, ReplyAddressError, content_hash, normalise_message_id};

#[test]
fn identifiers_are_normalised() {
    assert_eq!(normalise_message_id(" <a@b> ").as_deref(), Some("a@b"));
    assert_eq!(normalise_message_id("a b\r\n@c").as_deref(), Some("ab@c"));
    assert_eq!(normalise_message_id("<>"), None);
    assert_eq!(normalise_message_id(&"x".repeat(999)), None);
}

#[test]
fn a_reply_address_comes_back_in_any_case_and_only_with_its_code() {
    let account = EmailAddress::parse("klantenservice@winkel.example").expect("valid");
    let mac = [7; 16];
    for reference in [&[0, 1, 2, 255][..], &[9; 16], &[1]] {
        let reply = ReplyAddress::new(reference, &mac).expect("fits");
        let address = reply.encode(&account).expect("there is room");
        let (base, detail) =
            EmailAddress::parse(&address.as_sent().to_uppercase()).expect("valid").split_detail();
        assert_eq!(base.normalised(), account.normalised());
        let back = ReplyAddress::decode(&detail.expect("a detail")).expect("ours");
        assert_eq!(back.reference(), reference);
        assert!(back.matches(&mac) && !back.matches(&[8; 16]));
    }
}

proptest! {
    /// What is handed out keeps to the limits of RFC 5321, section 4.5.3.1, comes back as it was through
    /// systems that fold case, and is refused only where there is no room.
    #[test]
    fn a_reply_address_fits_and_comes_back_whatever_the_account_is_called(
        local in "[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?",
        reference in prop::collection::vec(any::<u8>(), 1..=16),
        mac in any::<[u8; 16]>(),
        upper: bool,
    ) {
        prop_assume!(!local.contains(".."));
        let account = EmailAddress::parse(&format!("{local}@winkel.example")).expect("valid");
        let reply = ReplyAddress::new(&reference, &mac).expect("fits");
        let room = 64 - 3 - ((reference.len() + 10) * 8).div_ceil(5);
        match reply.encode(&account) {
            Ok(address) => {
                prop_assert!(local.len() <= room && address.local().len() <= 64);
                let sent = if upper { address.as_sent().to_uppercase() } else { address.as_sent() };
                let (base, detail) = EmailAddress::parse(&sent).expect("valid").split_detail();
                prop_assert_eq!(base.normalised(), account.normalised());
                let back = ReplyAddress::decode(&detail.expect("a detail")).expect("ours");
                prop_assert_eq!(back.reference(), &reference[..]);
                let mut other = mac;
                other[9] ^= 1;
                prop_assert!(back.matches(&mac) && !back.matches(&other));
            }
            Err(error) => {
                prop_assert_eq!(error, ReplyAddressError::NoRoom);
                prop_assert!(local.len() > room);
            }
        }
        // A number below 16 million leaves 40 octets for the account.
        let short = ReplyAddress::new(&reference[..reference.len().min(3)], &mac).expect("fits");
        prop_assert!(local.len() > 40 || short.encode(&account).is_ok());
    }
}

#[test]
fn what_is_no_reply_address_is_none() {
    for detail in [
        "",
        "r.",
        "order-7",
        "r.abc",
        "r.0189",
        "R.!",
        "r.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        assert!(ReplyAddress::decode(detail).is_none(), "{detail}");
    }
    // One tag has one spelling: left-over bits must be zero.
    let detail = ReplyAddress::new(&[1], &[0; 16]).expect("fits").detail();
    let (head, last) = detail.split_at(detail.len() - 1);
    assert_eq!(last, "a");
    assert!(ReplyAddress::decode(&format!("{head}b")).is_none());
    let long = EmailAddress::parse("een-heel-lange-naam-van-een-afdeling@winkel.example").expect("valid");
    let reply = ReplyAddress::new(&[1; 16], &[0; 16]).expect("fits");
    assert_eq!(reply.encode(&long), Err(ReplyAddressError::NoRoom));
    assert_eq!(ReplyAddress::new(&[], &[0; 16]).err(), Some(ReplyAddressError::Reference));
}

#[test]
fn copies_over_different_ways_have_one_hash() {
    let first = b"Received: from a by b\r\nDelivered-To: x@winkel.example\r\nFrom: a@klant.example\r\nSubject: Een\r\n twee\r\nX-Spam: no\r\n\r\nHallo\r\n\r\n";
    let second = b"Return-Path: <a@klant.example>\nSubject: Een twee\nfrom: a@klant.example\n\nHallo\n";
    assert_eq!(content_hash(first), content_hash(second));
    for other in [
        &b"Subject: Een twee\nFrom: a@klant.example\n\nHallo!\n"[..],
        b"Subject: Een drie\nFrom: a@klant.example\n\nHallo\n",
        b"Subject: Een twee\nFrom: b@klant.example\n\nHallo\n",
        b"Subject: Een twee\nFrom: a@klant.example\nTo: c@x.example\n\nHallo\n",
    ] {
        assert_ne!(content_hash(second), content_hash(other));
    }
}
