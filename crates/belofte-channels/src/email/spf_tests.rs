// SPDX-License-Identifier: EUPL-1.2
//! What records say of servers, by tables of names; the numbers are sections of RFC 7208.

use std::collections::HashMap;
use std::time::Duration;

use super::*;
use crate::patience::moment;

/// Names and what they have: `text …`, `a …`, `aaaa …`, `mx …`, `ptr …`, `fails KIND`.
fn dns(lines: &[(&str, &str)]) -> Dns {
    let mut table: HashMap<(String, Kind), Answer> = HashMap::new();
    for (name, line) in lines {
        let (kind, value) = line.split_once(' ').expect("a kind and a value");
        let kind_of = |kind| match kind {
            "text" => Kind::Text,
            "a" => Kind::Address4,
            "aaaa" => Kind::Address6,
            "mx" => Kind::MailServer,
            "ptr" => Kind::Pointer,
            other => panic!("{other}"),
        };
        if kind == "fails" {
            table.insert(((*name).to_owned(), kind_of(value)), Answer::Failed);
            continue;
        }
        let kind = kind_of(kind);
        let entry = match kind {
            Kind::Text => Entry::Text(value.as_bytes().to_vec()),
            Kind::Address4 | Kind::Address6 => Entry::Address(value.parse().expect("an address")),
            Kind::MailServer | Kind::Pointer => Entry::Name(value.to_owned()),
        };
        let known = table.entry(((*name).to_owned(), kind)).or_insert(Answer::Entries(Arc::from([])));
        if let Answer::Entries(entries) = known {
            *entries = entries.iter().cloned().chain([entry]).collect();
        }
    }
    Dns::fixed(table)
}

async fn result(dns: &Dns, client: &str) -> SpfResult {
    let sender = Sender {
        client: client.parse().expect("an address"),
        helo: "mail.shop.example",
        address: "jan.p@shop.example",
        domain: "shop.example",
    };
    check(dns, &sender, moment() + Duration::from_secs(5)).await
}

async fn of(record: &str, more: &[(&str, &str)], client: &str) -> SpfResult {
    let record = format!("text {record}");
    let mut lines = vec![("shop.example", record.as_str())];
    lines.extend_from_slice(more);
    result(&dns(&lines), client).await
}

#[tokio::test]
async fn each_mechanism_matches_what_it_should() {
    let hosts = [
        ("shop.example", "a 192.0.2.1"),
        ("shop.example", "aaaa 2001:db8::1"),
        ("shop.example", "mx mx.shop.example"),
        ("mx.shop.example", "a 192.0.2.2"),
        ("5.2.0.192.in-addr.arpa", "ptr out.shop.example"),
        ("5.2.0.192.in-addr.arpa", "ptr liar.example"),
        ("out.shop.example", "a 192.0.2.5"),
        ("6.2.0.192.in-addr.arpa", "ptr out.shop.example"),
        ("other.example", "text v=spf1 ip4:192.0.2.7 -all"),
        ("192.0.2.8._spf.shop.example", "a 127.0.0.2"),
        ("p.jan.shop.example", "a 127.0.0.2"),
    ];
    for (record, client, expected) in [
        ("v=spf1 ip4:192.0.2.0/28 -all", "192.0.2.15", SpfResult::Pass),
        ("v=spf1 ip4:192.0.2.0/28 -all", "192.0.2.16", SpfResult::Fail),
        ("v=spf1 ip6:2001:db8::/32 ~all", "2001:db8::9", SpfResult::Pass),
        ("v=spf1 ip6:2001:db8::/32 ~all", "192.0.2.1", SpfResult::SoftFail),
        ("v=spf1 a ?all", "192.0.2.1", SpfResult::Pass),
        ("v=spf1 a ?all", "2001:db8::1", SpfResult::Pass),
        ("v=spf1 a/24 ?all", "192.0.2.200", SpfResult::Pass),
        ("v=spf1 a ?all", "192.0.2.3", SpfResult::Neutral),
        ("v=spf1 mx -all", "192.0.2.2", SpfResult::Pass),
        ("v=spf1 mx", "192.0.2.3", SpfResult::Neutral),
        ("v=spf1 ptr -all", "192.0.2.5", SpfResult::Pass),
        // A name that does not lead back is no name.
        ("v=spf1 ptr -all", "192.0.2.6", SpfResult::Fail),
        ("v=spf1 include:other.example -all", "192.0.2.7", SpfResult::Pass),
        ("v=spf1 include:other.example ~all", "192.0.2.9", SpfResult::SoftFail),
        ("v=spf1 redirect=other.example", "192.0.2.9", SpfResult::Fail),
        ("v=spf1 exists:%{i}._spf.%{d} -all", "192.0.2.8", SpfResult::Pass),
        ("v=spf1 exists:%{i}._spf.%{d} -all", "192.0.2.9", SpfResult::Fail),
        ("v=spf1 exists:%{lr}.%{o} -all", "192.0.2.9", SpfResult::Pass),
        ("V=SPF1 -all", "192.0.2.9", SpfResult::Fail),
    ] {
        assert_eq!(of(record, &hosts, client).await, expected, "{record} for {client}");
    }
}

#[tokio::test]
async fn records_that_make_no_sense_are_told() {
    for (record, expected) in [
        ("v=spf10 -all", SpfResult::None),
        ("v=spf1 include:nobody.example -all", SpfResult::PermanentError),
        ("v=spf1 redirect=nobody.example", SpfResult::PermanentError),
        ("v=spf1 ip4:nonsense -all", SpfResult::PermanentError),
        ("v=spf1 what:is.this -all", SpfResult::PermanentError),
        ("v=spf1 include:shop.example -all", SpfResult::PermanentError),
        ("v=spf1 redirect=shop.example", SpfResult::PermanentError),
    ] {
        assert_eq!(of(record, &[], "192.0.2.1").await, expected, "{record}");
    }
    let two = [("shop.example", "text v=spf1 +all")];
    assert_eq!(of("v=spf1 -all", &two, "192.0.2.1").await, SpfResult::PermanentError, "4.5");
    assert_eq!(result(&dns(&[]), "192.0.2.1").await, SpfResult::None);
    assert_eq!(result(&dns(&[("shop.example", "fails text")]), "192.0.2.1").await, SpfResult::TemporaryError);
    let failing = [("shop.example", "fails a")];
    assert_eq!(of("v=spf1 a +all", &failing, "192.0.2.1").await, SpfResult::TemporaryError, "5");
}

/// Section 4.6.4.
#[tokio::test]
async fn what_a_record_may_ask_for_is_bounded() {
    let asks = |terms: usize| {
        let terms: String = (0..terms).map(|no| format!(" a:h{no}.example")).collect();
        format!("v=spf1{terms} -all")
    };
    let hosts: Vec<_> = (0..11).map(|no| format!("h{no}.example")).collect();
    let hosts: Vec<_> = hosts.iter().map(|name| (name.as_str(), "a 192.0.2.200")).collect();
    assert_eq!(of(&asks(10), &hosts, "192.0.2.1").await, SpfResult::Fail);
    assert_eq!(of(&asks(11), &hosts, "192.0.2.1").await, SpfResult::PermanentError);
    assert_eq!(of(&asks(2), &[], "192.0.2.1").await, SpfResult::Fail, "two that have nothing");
    assert_eq!(of(&asks(3), &[], "192.0.2.1").await, SpfResult::PermanentError, "three");
    let servers: Vec<_> = (0..11).map(|no| format!("mx m{no}.example")).collect();
    let servers: Vec<_> = servers.iter().map(|line| ("shop.example", line.as_str())).collect();
    assert_eq!(of("v=spf1 mx -all", &servers, "192.0.2.1").await, SpfResult::PermanentError);
    assert_eq!(of("v=spf1 mx -all", &servers[..10], "192.0.2.1").await, SpfResult::Fail);
}

#[tokio::test]
async fn a_chain_of_records_is_counted_as_a_whole() {
    let chain: Vec<_> = (0..20)
        .map(|no| (format!("c{no}.example"), format!("text v=spf1 include:c{}.example", no + 1)))
        .collect();
    let chain: Vec<_> = chain.iter().map(|(name, line)| (name.as_str(), line.as_str())).collect();
    assert_eq!(of("v=spf1 include:c0.example -all", &chain, "192.0.2.1").await, SpfResult::PermanentError);
}

#[tokio::test]
async fn what_is_no_domain_has_no_record() {
    for domain in ["localhost", "[192.0.2.1]", ""] {
        let sender = Sender {
            client: "192.0.2.1".parse().expect("an address"),
            helo: domain,
            address: "postmaster@x",
            domain,
        };
        let found = check(&dns(&[]), &sender, moment() + Duration::from_secs(1)).await;
        assert_eq!(found, SpfResult::None, "{domain}");
    }
}
