// SPDX-License-Identifier: EUPL-1.2
//! Mails that are signed, forged, changed and malformed, judged by names in a table.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use belofte_model::SenderVerdict;
use mail_auth::common::crypto::{DkimKey, Ed25519Key, RsaKey, Sha256};
use mail_auth::dkim::{DkimSigner, Done};
use proptest::prelude::*;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;

const MAIL: &str = "From: Bank <info@bank.example>\r\nTo: desk@shop.example\r\nSubject: Your letter\r\n\
                    Message-ID: <1@bank.example>\r\n\r\nWe have received your letter.\r\n";
const SIGNED: [&str; 5] = ["From", "From", "To", "Subject", "Message-ID"];

static EDWARDS: LazyLock<Vec<u8>> = LazyLock::new(|| Ed25519Key::generate_pkcs8().expect("a key"));
static RSA: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let made = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
    made.expect("a key").serialize_der()
});

fn edwards() -> DkimKey {
    Ed25519Key::from_pkcs8_maybe_unchecked_der(&EDWARDS).expect("our own").into()
}

fn rsa() -> DkimKey {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(RSA.as_slice()));
    RsaKey::<Sha256>::from_key_der(key).expect("our own").into()
}

fn published(key: &DkimKey) -> String {
    match key {
        DkimKey::Rsa(key) => format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(key.public_key())),
        DkimKey::Ed25519(key) => format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(key.public_key())),
    }
}

fn signer(key: DkimKey, domain: &str, selector: &str) -> DkimSigner<DkimKey, Done> {
    DkimSigner::from_key(key).domain(domain).selector(selector).headers(SIGNED)
}

fn signed_by(signer: &DkimSigner<DkimKey, Done>, mail: &str) -> String {
    let mut octets = Vec::new();
    signer.sign(mail.as_bytes()).expect("signed").write(&mut octets, true);
    String::from_utf8(octets).expect("ASCII") + mail
}

fn signed(domain: &str, selector: &str, mail: &str) -> String {
    signed_by(&signer(edwards(), domain, selector), mail)
}

/// Names with their texts.
struct Names(HashMap<(String, Kind), Answer>);

impl Names {
    /// A bank that signs with both kinds of keys and asks others to refuse what fails.
    fn of_bank(policy: &str) -> Self {
        let mut names = Self(HashMap::new());
        names
            .text("s1._domainkey.bank.example", &published(&edwards()))
            .text("s2._domainkey.bank.example", &published(&rsa()))
            .text("bank.example", "v=spf1 ip4:192.0.2.1 -all");
        if !policy.is_empty() {
            names.text("_dmarc.bank.example", policy);
        }
        names
    }

    fn text(&mut self, name: &str, text: &str) -> &mut Self {
        let entry = Entry::Text(text.as_bytes().to_vec());
        let known = self.0.entry((name.to_owned(), Kind::Text)).or_insert(Answer::Entries(Arc::from([])));
        if let Answer::Entries(entries) = known {
            *entries = entries.iter().cloned().chain([entry]).collect();
        }
        self
    }

    fn fails(&mut self, name: &str) -> &mut Self {
        self.0.insert((name.to_owned(), Kind::Text), Answer::Failed);
        self
    }

    async fn at(&self, clock: Clock, hop: Option<(&str, &str)>, mail: &str) -> MailAuthentication {
        let from = hop.map(|(_, from)| EmailAddress::parse(from).ok());
        let hop = hop.zip(from.as_ref()).map(|((client, _), from)| Hop {
            client: client.parse().expect("an address"),
            helo: "out.bank.example",
            mail_from: from.as_ref(),
        });
        Authenticator::new(Dns::fixed(self.0.clone()), clock).check(hop, mail.as_bytes()).await
    }

    async fn check(&self, hop: Option<(&str, &str)>, mail: &str) -> MailAuthentication {
        self.at(Clock::System, hop, mail).await
    }
}

const REJECT: &str = "v=DMARC1; p=reject";
/// The bank's own server, and another one, each with the bank's reverse path.
const OWN: Option<(&str, &str)> = Some(("192.0.2.1", "info@bank.example"));
const OTHER: Option<(&str, &str)> = Some(("198.51.100.7", "info@bank.example"));
const FORGER: Option<(&str, &str)> = Some(("198.51.100.7", "me@evil.example"));

fn dkim(found: &MailAuthentication) -> Vec<DkimResult> {
    found.dkim.iter().map(|check| check.result).collect()
}

#[tokio::test]
async fn a_mail_of_the_bank_is_verified_by_either_way() {
    let names = Names::of_bank(REJECT);
    let by_server = names.check(OWN, MAIL).await;
    assert_eq!((by_server.spf.result, by_server.dmarc.result), (SpfResult::Pass, DmarcResult::Pass));
    assert_eq!((by_server.verdict, by_server.author.as_str()), (SenderVerdict::Verified, "bank.example"));
    for (key, selector) in [(edwards(), "s1"), (rsa(), "s2")] {
        let mail = signed_by(&signer(key, "bank.example", selector), MAIL);
        for hop in [OTHER, FORGER, None] {
            let found = names.check(hop, &mail).await;
            assert_eq!(dkim(&found), [DkimResult::Pass]);
            assert_eq!((found.dmarc.result, found.verdict), (DmarcResult::Pass, SenderVerdict::Verified));
        }
    }
}

#[tokio::test]
async fn a_forgery_is_disowned_and_only_where_the_domain_asks_for_it() {
    for (policy, policed, verdict) in [
        (REJECT, Some(DmarcPolicy::Reject), SenderVerdict::Disowned),
        ("v=DMARC1; p=quarantine", Some(DmarcPolicy::Quarantine), SenderVerdict::Disowned),
        ("v=DMARC1; p=reject; t=y", Some(DmarcPolicy::Quarantine), SenderVerdict::Disowned),
        ("v=DMARC1; p=none", Some(DmarcPolicy::None), SenderVerdict::Unverified),
        ("v=DMARC1; rua=mailto:a@bank.example", Some(DmarcPolicy::None), SenderVerdict::Unverified),
        ("v=DMARC1;", None, SenderVerdict::Unverified),
        ("", None, SenderVerdict::Unverified),
    ] {
        let mut names = Names::of_bank(policy);
        names.text("evil.example", "v=spf1 +all").text("k._domainkey.evil.example", &published(&edwards()));
        for mail in [MAIL.to_owned(), signed("evil.example", "k", MAIL)] {
            let found = names.check(FORGER, &mail).await;
            assert_eq!(found.spf.result, SpfResult::Pass, "for the forger's own domain");
            assert_eq!((found.verdict, found.dmarc.policy), (verdict, policed), "{policy}");
        }
    }
}

#[tokio::test]
async fn what_was_changed_expired_or_taken_back_does_not_hold() {
    let mut names = Names::of_bank(REJECT);
    names.text("gone._domainkey.bank.example", "v=DKIM1; p=");
    names.fails("later._domainkey.bank.example");
    let good = signed("bank.example", "s1", MAIL);
    let unsigned_author = DkimSigner::from_key(edwards()).domain("bank.example").selector("s1");
    let unsigned_author = signed_by(&unsigned_author.headers(["To", "Subject"]), MAIL);
    for (mail, expected) in [
        (good.replace("received", "lost"), DkimResult::BodyChanged),
        (good.replace("Your letter", "Your loan"), DkimResult::Wrong),
        (good.replace("s=s1", "s=s2"), DkimResult::Wrong),
        (good.replace("s=s1", "s=nobody"), DkimResult::NoKey),
        (signed("bank.example", "gone", MAIL), DkimResult::NoKey),
        (signed("bank.example", "later", MAIL), DkimResult::TemporaryError),
        (good.replace("a=ed25519-sha256", "a=rsa-sha1"), DkimResult::Unusable),
        (good.replace("v=1", "v=2"), DkimResult::Unusable),
        (good.replace(" bh=", " xx="), DkimResult::Unusable),
        (signed_by(&signer(edwards(), "bank.example", "s1").body_length(true), MAIL), DkimResult::Unusable),
        (unsigned_author, DkimResult::Unusable),
        (
            signed_by(&signer(edwards(), "bank.example", "s1").agent_user_identifier("@evil.example"), MAIL),
            DkimResult::Unusable,
        ),
    ] {
        let found = names.check(OTHER, &mail).await;
        assert_eq!(dkim(&found), [expected], "{mail}");
        let verdict = match expected {
            DkimResult::TemporaryError => SenderVerdict::Unverified,
            _ => SenderVerdict::Disowned,
        };
        assert_eq!(found.verdict, verdict, "{expected:?}");
    }
    // A field that was added above what is signed twice is one too many.
    let added = good.replace("To: desk", "From: me@evil.example\r\nTo: desk");
    let found = names.check(OTHER, &added).await;
    assert_eq!((dkim(&found), found.author.as_str()), (vec![DkimResult::Wrong], ""));

    let short = signed_by(&signer(edwards(), "bank.example", "s1").expiration(60), MAIL);
    assert_eq!(dkim(&names.check(None, &short).await), [DkimResult::Pass]);
    let later = Clock::manual(Clock::System.now() + belofte_model::Duration::from_secs(120));
    assert_eq!(dkim(&names.at(later, None, &short).await), [DkimResult::Expired]);
}

#[tokio::test]
async fn of_many_signatures_one_is_enough_and_the_first_eight_are_looked_at() {
    let names = Names::of_bank(REJECT);
    let good = signed("bank.example", "s1", MAIL);
    let bad = |times: usize, mail: &str| {
        (0..times).fold(mail.to_owned(), |mail, no| signed("evil.example", &format!("n{no}"), &mail))
    };
    let found = names.check(OTHER, &bad(7, &good)).await;
    assert_eq!((found.dkim.len(), found.verdict), (8, SenderVerdict::Verified));
    let found = names.check(OTHER, &bad(8, &good)).await;
    assert_eq!((found.dkim.len(), found.verdict), (8, SenderVerdict::Disowned));
}

#[tokio::test]
async fn what_its_sender_chose_shields_no_forgery() {
    // Domains of the forger that cannot be looked up say nothing about the bank.
    let mut names = Names::of_bank(REJECT);
    names.fails("evil.example").fails("k._domainkey.evil.example");
    let found = names.check(FORGER, &signed("evil.example", "k", MAIL)).await;
    assert_eq!(
        (found.spf.result, dkim(&found)),
        (SpfResult::TemporaryError, vec![DkimResult::TemporaryError])
    );
    assert_eq!(found.verdict, SenderVerdict::Disowned);
    // The bank's own could have stood for it.
    let mut names = Names::of_bank(REJECT);
    names.fails("bank.example");
    let found = names.check(OTHER, MAIL).await;
    assert_eq!((found.dmarc.result, found.verdict), (DmarcResult::TemporaryError, SenderVerdict::Unverified));
    let mut names = Names::of_bank("");
    names.fails("_dmarc.bank.example");
    let found = names.check(FORGER, MAIL).await;
    assert_eq!((found.dmarc.result, found.verdict), (DmarcResult::TemporaryError, SenderVerdict::Unverified));
}

#[tokio::test]
async fn fetched_mail_is_judged_by_signatures_and_believes_no_field() {
    let names = Names::of_bank(REJECT);
    let told = format!("Authentication-Results: mx.example; spf=pass; dkim=pass; dmarc=pass\r\n{MAIL}");
    let found = names.check(None, &told).await;
    assert_eq!((found.spf.result, found.dmarc.result), (SpfResult::NotChecked, DmarcResult::NotChecked));
    assert_eq!(found.verdict, SenderVerdict::Unverified);
    let found = names.check(None, &signed("bank.example", "s1", MAIL)).await;
    assert_eq!((found.dmarc.result, found.verdict), (DmarcResult::Pass, SenderVerdict::Verified));
}

#[tokio::test]
async fn domains_are_aligned_as_their_organisation_says() {
    let from = |domain: &str| MAIL.replace("info@bank.example", &format!("info@{domain}"));
    let key = published(&edwards());
    for (policy, author, signer, more, expected) in [
        ("v=DMARC1; p=reject", "news.bank.example", "bank.example", "", DmarcResult::Pass),
        ("v=DMARC1; p=reject", "bank.example", "news.bank.example", "", DmarcResult::Pass),
        ("v=DMARC1; p=reject", "a.bank.example", "b.bank.example", "", DmarcResult::Pass),
        ("v=DMARC1; p=reject; adkim=s", "news.bank.example", "bank.example", "", DmarcResult::Fail),
        ("v=DMARC1; p=reject; adkim=s", "bank.example", "bank.example", "", DmarcResult::Pass),
        ("v=DMARC1; p=reject", "bank.example", "notbank.example", "", DmarcResult::Fail),
        // A part of the organisation that is one of its own.
        (
            "v=DMARC1; p=reject",
            "bank.example",
            "news.bank.example",
            "v=DMARC1; p=none; psd=n",
            DmarcResult::Fail,
        ),
        // A registry speaks for those below it, each of which is one of its own.
        ("v=DMARC1; p=reject; psd=y", "a.bank.example", "b.bank.example", "", DmarcResult::Fail),
        ("v=DMARC1; p=reject; psd=y", "a.bank.example", "x.a.bank.example", "", DmarcResult::Pass),
    ] {
        let mut names = Names::of_bank(policy);
        names.text(&format!("k._domainkey.{signer}"), &key);
        if !more.is_empty() {
            names.text(&format!("_dmarc.{signer}"), more);
        }
        let found = names.check(FORGER, &signed(signer, "k", &from(author))).await;
        assert_eq!(dkim(&found), [DkimResult::Pass]);
        assert_eq!(found.dmarc.result, expected, "{policy} {author} {signer}");
    }
    for (author, policy) in
        [("news.bank.example", DmarcPolicy::Quarantine), ("bank.example", DmarcPolicy::Reject)]
    {
        let names = Names::of_bank("v=DMARC1; p=reject; sp=quarantine");
        assert_eq!(names.check(FORGER, &from(author)).await.dmarc.policy, Some(policy));
    }
    // A name that is not there at all.
    let names = Names::of_bank("v=DMARC1; p=none; np=reject");
    assert_eq!(names.check(FORGER, &from("x.bank.example")).await.dmarc.policy, Some(DmarcPolicy::Reject));
    // Of two records none holds.
    let mut names = Names::of_bank(REJECT);
    names.text("_dmarc.bank.example", "v=DMARC1; p=none");
    assert_eq!(names.check(FORGER, MAIL).await.dmarc.result, DmarcResult::None);
}

#[tokio::test]
async fn a_key_for_its_own_domain_alone_speaks_for_none_below() {
    let agent = |domain: &str| {
        let signer = signer(edwards(), "bank.example", "s9").agent_user_identifier(format!("@{domain}"));
        signed_by(&signer, MAIL)
    };
    for (flags, domain, expected) in [
        ("", "news.bank.example", DkimResult::Pass),
        ("; t=y:s", "news.bank.example", DkimResult::Unusable),
        ("; t=s", "bank.example", DkimResult::Pass),
    ] {
        let mut names = Names::of_bank(REJECT);
        names.text("s9._domainkey.bank.example", &format!("{}{flags}", published(&edwards())));
        assert_eq!(dkim(&names.check(None, &agent(domain)).await), [expected], "{flags} {domain}");
    }
}

#[tokio::test]
async fn authors_that_are_none_or_several_are_no_author() {
    let names = Names::of_bank(REJECT);
    for (field, author) in [
        ("From: info@bank.example, other@bank.example", "bank.example"),
        ("From: info@bank.example, me@evil.example", ""),
        ("From: info@bank.example\r\nFrom: me@evil.example", ""),
        ("From: nobody", ""),
        ("X-From: info@bank.example", ""),
        ("From: info@BANK.example.", "bank.example"),
        ("From: \"info@bank.example\" <me@evil.example>", "evil.example"),
        ("From: info@bücher.example", "xn--bcher-kva.example"),
    ] {
        let mail = MAIL.replace("From: Bank <info@bank.example>", field);
        let found = names.check(OWN, &mail).await;
        assert_eq!(found.author, author, "{field}");
        assert_eq!(found.verdict == SenderVerdict::Verified, author == "bank.example", "{field}");
    }
}

#[tokio::test]
async fn what_is_out_of_proportion_is_not_looked_at() {
    let names = Names::of_bank(REJECT);
    let fields = "X-Filler: 1\r\n".repeat(FIELDS);
    let long = format!("X-Filler: {}\r\n", "x".repeat(HEAD));
    for head in [fields, long] {
        let mail = format!("{head}{}", signed("bank.example", "s1", MAIL));
        let found = names.check(OTHER, &mail).await;
        assert_eq!((found.dkim.len(), found.author.as_str()), (0, ""));
        assert_eq!(found.verdict, SenderVerdict::Unverified);
    }
    let many: Vec<_> = (0..NAMED_FIELDS).map(|no| format!("X-{no}")).collect();
    let named = DkimSigner::from_key(edwards()).domain("bank.example").selector("s1");
    let named = named.headers(SIGNED.map(str::to_owned).into_iter().chain(many));
    assert_eq!(dkim(&names.check(OTHER, &signed_by(&named, MAIL)).await), [DkimResult::Unusable]);
    for mail in
        ["", "\r\n", "\r\n\r\n", "no mail at all", "From:\r\n\r\n", "DKIM-Signature: \r\n\r\n", "\0\n\n\0"]
    {
        assert_eq!(names.check(OTHER, mail).await.verdict, SenderVerdict::Unverified, "{mail:?}");
    }
}

#[test]
fn names_above_a_domain() {
    assert_eq!(above("a.b.example"), ["a.b.example", "b.example", "example"]);
    assert_eq!(above("example"), Vec::<&str>::new());
    assert_eq!(above(""), Vec::<&str>::new());
    let long = "a.b.c.d.e.f.g.h.i.example";
    assert_eq!(above(long).len(), 8);
    assert_eq!(above(long)[..2], [long, "d.e.f.g.h.i.example"]);
}

/// What a stranger may write into a record or a field, more often than chance would.
fn written() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "v=spf1 ?|v=DMARC1;|v=DKIM1;|k=rsa;|k=ed25519;|p=|t=s;|psd=y;|a=rsa-sha256;|b=|bh=|c=relaxed;|h=from;|d=|s=|x=|l=",
        " ?[-+~?]?(a|mx|ptr|include|exists|ip4|ip6|all|redirect|exp)[:=/]?",
        "%\\{[a-zA-Z][0-9]{0,3}r?[-.+,/_=]{0,2}\\}|%%|%_|%-",
        "[0-9a-zA-Z+/=.:;, \t-]{0,24}",
        "\\PC{0,8}",
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_strangers_write_breaks_nothing(
        spf in written(), key in written(), policy in written(), field in written(), mail in written(),
    ) {
        let mut names = Names(HashMap::new());
        names
            .text("bank.example", &format!("v=spf1 {spf}"))
            .text("s1._domainkey.bank.example", &key)
            .text("_dmarc.bank.example", &format!("v=DMARC1; {policy}"));
        let authenticator = Authenticator::new(Dns::fixed(names.0), Clock::System);
        for mail in [
            signed("bank.example", "s1", MAIL),
            format!("DKIM-Signature: {field}\r\n{MAIL}"),
            format!("{mail}\r\n{MAIL}"),
            mail.clone(),
        ] {
            let from = EmailAddress::parse("info@bank.example").expect("an address");
            let client = "192.0.2.1".parse().expect("an address");
            let hop = Hop { client, helo: &spf, mail_from: Some(&from) };
            // Not by way of `check`, which would catch what breaks. Names in a table are not waited for.
            authenticator.try_check(Some(hop), mail.as_bytes()).now_or_never().expect("nothing to wait for");
        }
    }
}
