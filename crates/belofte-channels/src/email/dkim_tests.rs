// SPDX-License-Identifier: EUPL-1.2
//! What was signed verifies, by a verifier that is not ours; and not when anything that a reader sees was changed.

use std::sync::LazyLock;

use belofte_vault::DkimKey;
use mail_auth::AuthenticatedMessage;
use mail_auth::common::parse::TxtRecordParser as _;
use mail_auth::common::verify::DomainKey;

use super::*;
use crate::email::signing_record::record;

static KEY: LazyLock<DkimKey> = LazyLock::new(DkimKey::generate);

fn signer() -> MailSigner {
    MailSigner { domain: "winkel.example".to_owned(), selector: "belofte-1".to_owned(), key: KEY.clone() }
}

const MAIL: &str = "Date: Mon, 2 Nov 2026 10:00:00 +0000\r\nFrom: Winkel <info@winkel.example>\r\n\
                    To: \"Jan\"\r\n <jan@klant.example>\r\nSubject: Uw   vraag\r\nMIME-Version: 1.0\r\n\
                    Content-Type: text/plain\r\n\r\nDag Jan,\r\n\r\nDat kan.  \r\n\r\n\r\n";

/// Whether the one signature of `mail` holds.
fn holds(mail: &[u8]) -> bool {
    let message = AuthenticatedMessage::parse(mail).expect("a mail");
    let [field] = &message.dkim_headers[..] else { panic!("{} signatures", message.dkim_headers.len()) };
    let signature = &field.header;
    let body = message.body_hashes.iter().find(|(way, ..)| *way == signature.cb).expect("a hash of the body");
    if body.3 != signature.bh {
        return false;
    }
    let fields = futures_util::FutureExt::now_or_never(message.get_canonicalized_header());
    let fields = fields.expect("it waits for nothing").expect("fields");
    let key = DomainKey::parse(record(&KEY.public_key()).as_bytes()).expect("our own record");
    key.p.verify_bytes(&fields, &signature.b, signature.a).is_ok()
}

fn sign(mail: &str) -> String {
    String::from_utf8(signed(&signer(), mail.as_bytes(), Timestamp::from_secs(1_793_000_000))).expect("ASCII")
}

#[test]
fn what_was_signed_verifies_and_is_the_same_each_time() {
    let mail = sign(MAIL);
    assert!(mail.ends_with(MAIL), "nothing of it was changed");
    assert!(
        mail.starts_with(
            "DKIM-Signature: v=1; a=rsa-sha256; s=belofte-1; d=winkel.example; c=relaxed/relaxed;"
        )
    );
    assert!(mail.contains("t=1793000000;"), "{mail}");
    assert!(holds(mail.as_bytes()), "{mail}");
    assert_eq!(mail, sign(MAIL));
}

#[test]
fn no_reader_is_shown_anything_else_than_was_signed() {
    let mail = sign(MAIL);
    for (what, from, to) in [
        ("another author", "From: Winkel", "From: Bank"),
        ("a second author", "\r\nFrom: W", "\r\nFrom: Bank <b@bank.example>\r\nFrom: W"),
        ("a second subject", "\r\nSubject:", "\r\nSubject: Betaal nu\r\nSubject:"),
        ("an answer that goes elsewhere", "\r\nSubject:", "\r\nReply-To: x@evil.example\r\nSubject:"),
        ("a reader more", "\r\nSubject:", "\r\nCc: x@evil.example\r\nSubject:"),
        ("another kind of body", "text/plain", "text/html"),
        ("another body", "Dat kan.", "Dat kan niet."),
        ("words behind it", "Dat kan.  \r\n", "Dat kan.  \r\nBetaal op NL00.\r\n"),
    ] {
        let changed = mail.replacen(from, to, 1);
        assert_ne!(changed, mail, "{what}");
        assert!(!holds(changed.as_bytes()), "{what}");
    }
    for (what, from, to) in [
        ("folded otherwise", "To: \"Jan\"\r\n <", "To: \"Jan\" <"),
        ("a trace before it", "DKIM-Signature:", "Received: by mx.example\r\nDKIM-Signature:"),
        ("a field of a server", "\r\nSubject:", "\r\nX-Spam: no\r\nSubject:"),
        ("empty lines at its end", "kan.  \r\n\r\n\r\n", "kan.\r\n"),
    ] {
        let changed = mail.replacen(from, to, 1);
        assert_ne!(changed, mail, "{what}");
        assert!(holds(changed.as_bytes()), "{what}");
    }
}

#[test]
fn odd_line_ends_are_signed_as_they_are_sent() {
    for odd in [
        "From: a@winkel.example\nSubject: x\n\nDag\n.\nJan",
        "From: a@winkel.example\r\n\r\na\rb\nc",
        "From: a@winkel.example\r\n",
    ] {
        let mail = signed(&signer(), odd.as_bytes(), Timestamp::from_secs(1));
        let sent = crate::email::submission_dialogue::stuffed(&mail);
        let unstuffed = String::from_utf8(sent).expect("ASCII").replace("\r\n..", "\r\n.");
        assert_eq!(unstuffed.as_bytes(), mail, "{odd:?}");
        assert!(holds(&mail), "{odd:?}");
    }
}
