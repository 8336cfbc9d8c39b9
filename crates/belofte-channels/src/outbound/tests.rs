// SPDX-License-Identifier: EUPL-1.2
//! What may be connected to, by table and over loopback.

use tokio::net::TcpListener;

use super::*;

const WAIT: Duration = Duration::from_secs(5);

fn outbound(hosts: &[(&str, &[&str])], allow_private: &[&str]) -> Outbound {
    let address = |text: &&str| text.parse().expect("address");
    let row = |(host, addresses): &(&str, &[&str])| {
        ((*host).to_owned(), addresses.iter().map(address).collect::<Vec<IpAddr>>())
    };
    let nl = SubProcessor {
        name: "Archive".to_owned(),
        purpose: "back-ups".to_owned(),
        country: "NL".to_owned(),
        hosts: vec!["store.archive.example".to_owned()],
    };
    Outbound {
        register: Arc::new(Register::new(vec![nl]).expect("within the EEA")),
        resolver: Resolver::Fixed(Arc::new(hosts.iter().map(row).collect())),
        allow_private: allow_private.iter().map(|text| text.parse().expect("entry")).collect(),
    }
}

async fn checked(out: &Outbound, class: &RecipientClass, host: &str) -> Result<Vec<String>, &'static str> {
    match out.check(class, ConnectPurpose::Submission, host, 587, WAIT).await {
        Ok(checked) => Ok(checked.addresses().iter().map(ToString::to_string).collect()),
        Err(error) => Err(error.label()),
    }
}

#[tokio::test]
async fn a_tenant_cannot_name_a_host_inside() {
    let table: &[(&str, &[&str])] = &[
        ("inside.example", &["10.0.0.5"]),
        ("metadata.example", &["169.254.169.254"]),
        ("mapped.example", &["::ffff:127.0.0.1"]),
        ("mixed.example", &["10.0.0.5", "8.8.8.8"]),
    ];
    let out = outbound(table, &[]);
    let tenant = RecipientClass::ChosenByTenant { recorded: true };
    for host in [
        "inside.example",
        "metadata.example",
        "mapped.example",
        "127.0.0.1",
        "[::1]",
        "64:ff9b::10.0.0.1",
        "0.0.0.0",
    ] {
        assert_eq!(checked(&out, &tenant, host).await, Err("not_public"), "{host}");
        let open = RecipientClass::OpenTransport(Transport::Mail);
        assert_eq!(checked(&out, &open, host).await, Err("not_public"), "{host}");
    }
    assert_eq!(checked(&out, &tenant, "mixed.example").await, Ok(vec!["8.8.8.8:587".to_owned()]));
    assert_eq!(checked(&out, &tenant, "nowhere.example").await, Err("resolve_failed"));
}

#[tokio::test]
async fn the_operator_can_allow_a_private_host_or_network() {
    let table: &[(&str, &[&str])] = &[("relay.internal", &["10.0.0.5"]), ("other.internal", &["10.0.0.5"])];
    let tenant = RecipientClass::ChosenByTenant { recorded: true };
    let by_host = outbound(table, &["relay.internal:587"]);
    assert_eq!(checked(&by_host, &tenant, "Relay.Internal.").await, Ok(vec!["10.0.0.5:587".to_owned()]));
    assert_eq!(checked(&by_host, &tenant, "other.internal").await, Err("not_public"));
    let other_port = by_host.check(&tenant, ConnectPurpose::Submission, "relay.internal", 22, WAIT).await;
    assert!(matches!(other_port, Err(OutboundError::NotPublic)));
    let by_network = outbound(table, &["10.0.0.0/24"]);
    assert_eq!(checked(&by_network, &tenant, "other.internal").await, Ok(vec!["10.0.0.5:587".to_owned()]));
    assert_eq!(checked(&by_network, &tenant, "10.0.1.1").await, Err("not_public"));
}

#[tokio::test]
async fn a_sub_processor_must_stand_in_the_register_with_that_host() {
    let table: &[(&str, &[&str])] =
        &[("store.archive.example", &["10.9.9.9"]), ("else.archive.example", &["8.8.8.8"])];
    let out = outbound(table, &[]);
    let archive = RecipientClass::SubProcessor { name: "Archive".to_owned() };
    assert!(checked(&out, &archive, "store.archive.example").await.is_ok());
    assert_eq!(checked(&out, &archive, "else.archive.example").await, Err("not_registered"));
    let unknown = RecipientClass::SubProcessor { name: "Nobody".to_owned() };
    assert_eq!(checked(&out, &unknown, "store.archive.example").await, Err("not_registered"));
}

#[test]
fn a_sub_processor_outside_the_eea_cannot_be_registered() {
    let one = |country: &str| SubProcessor {
        name: "X".to_owned(),
        purpose: "tests".to_owned(),
        country: country.to_owned(),
        hosts: vec![],
    };
    assert!(Register::new(vec![one("NO"), one("IE")]).is_ok());
    for country in ["US", "GB", "CH", "nl", ""] {
        assert!(Register::new(vec![one("NL"), one(country)]).is_err(), "{country:?}");
    }
}

#[tokio::test]
async fn a_host_that_its_tenant_did_not_record_gets_nothing() {
    let out = outbound(&[("mail.shop.example", &["8.8.8.8"])], &[]);
    let class = |recorded| RecipientClass::ChosenByTenant { recorded };
    assert_eq!(checked(&out, &class(false), "mail.shop.example").await, Err("not_registered"));
    assert!(checked(&out, &class(true), "mail.shop.example").await.is_ok());
}

#[test]
fn a_sub_processor_is_read_from_a_line() {
    let read = "Archive BV; back-ups ; NL; Store.Archive.example. two.archive.example".parse();
    let expected = SubProcessor {
        name: "Archive BV".to_owned(),
        purpose: "back-ups".to_owned(),
        country: "NL".to_owned(),
        hosts: vec!["store.archive.example".to_owned(), "two.archive.example".to_owned()],
    };
    assert_eq!(read, Ok(expected));
    assert!("Rack; room for machines; DE;".parse::<SubProcessor>().is_ok_and(|one| one.hosts.is_empty()));
    for bad in ["", "A; b; NL", "; b; NL; h", "A;; NL; h", "A; b; NL; h; i"] {
        assert_eq!(bad.parse::<SubProcessor>(), Err(SubProcessorError::Parts), "{bad:?}");
    }
    assert!(matches!("A; b; US; h".parse::<SubProcessor>(), Err(SubProcessorError::OutsideEea(_))));
}

#[test]
fn entries_of_allow_private_are_read() {
    let host = |host: &str, port| Ok(AllowPrivate::Host { host: host.to_owned(), port });
    assert_eq!("Mail.Internal:25".parse(), host("mail.internal", 25));
    assert_eq!("[fd00::1]:587".parse(), host("fd00::1", 587));
    assert!(matches!("fd00::/8".parse(), Ok(AllowPrivate::Network(_))));
    for bad in ["", "mail.internal", "mail.internal:", ":25", "mail:70000", "10.0.0.0/40:25"] {
        assert_eq!(bad.parse::<AllowPrivate>(), Err(AllowPrivateError), "{bad:?}");
    }
}

#[tokio::test]
async fn a_connection_goes_to_the_judged_address_and_on_to_the_next() {
    let server = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = server.local_addr().expect("address").port();
    // 127.0.0.2 has no listener on this port: the second address must be tried.
    let out = outbound(&[("two.example", &["127.0.0.2", "127.0.0.1"])], &["127.0.0.0/8"]);
    let tenant = RecipientClass::ChosenByTenant { recorded: true };
    let stream = out.connect(&tenant, ConnectPurpose::Submission, "two.example", port, WAIT).await;
    assert_eq!(
        stream.expect("connected").peer_addr().expect("peer").to_string(),
        format!("127.0.0.1:{port}")
    );
    drop(server);
    let refused = out.connect(&tenant, ConnectPurpose::Submission, "two.example", port, WAIT).await;
    assert!(matches!(refused, Err(OutboundError::Connect(_))));
}
