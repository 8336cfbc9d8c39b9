// SPDX-License-Identifier: EUPL-1.2
//! Which addresses of browsers are taken, what a push service is told, and what its answers mean.

use std::collections::HashMap;
use std::net::IpAddr;

use belofte_model::UserId;
use belofte_vault::Pii;
use uuid::Uuid;

use super::*;
use crate::email::client_tls;
use crate::outbound::{Register, Resolver};

const DEFAULTS: [&str; 4] =
    ["fcm.googleapis.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"];

fn pushing(services: &[&str], hosts: &[(&str, &str)]) -> Pushing {
    let row = |(host, address): &(&str, &str)| {
        ((*host).to_owned(), vec![address.parse::<IpAddr>().expect("an address")])
    };
    let outbound = Outbound {
        register: Arc::new(Register::default()),
        resolver: Resolver::Fixed(Arc::new(hosts.iter().map(row).collect::<HashMap<_, _>>())),
        // What tenants may name does not count here.
        allow_private: vec!["127.0.0.0/8".parse().expect("a network")].into(),
    };
    let services = services.iter().map(|service| service.parse().expect("a service")).collect();
    let contact = Some("mailto:post@beheer.example".to_owned());
    Pushing::new(&outbound, client_tls(Vec::new()).expect("roots"), services, contact)
}

fn target(endpoint: &str) -> PushTarget {
    PushTarget {
        user: UserId(Uuid::nil()),
        endpoint: Pii::new(endpoint.to_owned()),
        key: PushKey::generate(),
        cause: Timestamp::from_secs(0),
    }
}

#[test]
fn services_are_names_and_nothing_else() {
    for good in DEFAULTS.into_iter().chain(["localhost:9443", "push.binnen.example:443"]) {
        assert_eq!(good.parse::<PushService>().expect(good).to_string(), good);
    }
    assert_eq!("PUSH.Example".parse::<PushService>().expect("a name").to_string(), "push.example");
    for bad in [
        "",
        "*",
        "*.",
        "*.com",
        "*.push.example:443",
        "10.0.0.1",
        "10.0.0.1:443",
        "[::1]:443",
        "::1",
        "https://push.example",
        "push.example/",
        "push.example.",
        "push example",
        "push.example:",
        "a:b:1",
        "push.example:70000",
        "**.push.example",
        "*push.example",
        "0x7f.1",
        "2130706433",
    ] {
        assert_eq!(bad.parse::<PushService>(), Err(PushServiceError), "{bad:?}");
    }
}

#[test]
fn only_listed_services_are_taken_by_their_name_and_on_their_port() {
    let pushing = pushing(&[DEFAULTS.as_slice(), &["localhost:9443"]].concat(), &[]);
    for good in [
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://web.push.apple.com/QabC",
        "https://wns2-am3p.notify.windows.com/w/?token=BQYA%2b",
        "https://FCM.googleapis.com:443/fcm/send/abc",
        "https://localhost:9443/a",
    ] {
        assert!(pushing.accepts(good), "{good}");
    }
    let long = format!("https://fcm.googleapis.com/{}", "a".repeat(LONGEST_ENDPOINT));
    for bad in [
        "",
        "fcm.googleapis.com/fcm/send/abc",
        "http://fcm.googleapis.com/fcm/send/abc",
        "https://fcm.googleapis.com:8443/fcm/send/abc",
        "https://fcm.googleapis.com@127.0.0.1/",
        "https://user@fcm.googleapis.com/",
        "https://user:word@fcm.googleapis.com/",
        "https://fcm.googleapis.com/#a",
        "https://fcm.googleapis.com.evil.example/",
        "https://evil-fcm.googleapis.com/",
        "https://sub.fcm.googleapis.com/",
        "https://push.services.mozilla.com/",
        "https://.push.services.mozilla.com/",
        "https://evilpush.apple.com/",
        "https://push.apple.com.evil.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost/",
        "https://localhost:22/",
        "https://evil.example/\\fcm.googleapis.com",
        "file:///etc/passwd",
        "data:text/plain,a",
        "javascript:alert(1)",
        &long,
    ] {
        assert!(!pushing.accepts(bad), "{bad}");
    }
    let off = Pushing { contact: None, ..pushing };
    assert!(!off.is_on() && off.services().is_empty() && !off.accepts("https://fcm.googleapis.com/a"));
}

#[tokio::test]
async fn a_name_that_leads_into_the_house_is_told_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("no waiting");
    let port = listener.local_addr().expect("bound").port();
    let now = Timestamp::from_secs(1);
    let inside = [("a.push.example", "127.0.0.1"), ("b.push.example", "10.0.0.1")];
    let listed = pushing(&["*.push.example"], &inside);
    for host in ["a", "b"] {
        let told = listed.tell(&target(&format!("https://{host}.push.example/x")), now).await;
        assert_eq!(told, Answered::NotListed, "{host}");
    }
    // With its port it is one of the operator's own: it is reached there, and nowhere else.
    let own = pushing(&[&format!("a.push.example:{port}")], &inside);
    let told = own.tell(&target("https://a.push.example/x"), now).await;
    assert_eq!(told, Answered::NotListed);
    assert!(listener.accept().is_err(), "nobody came by");
}

#[test]
fn a_message_says_who_sends_and_for_how_long_and_nothing_else() {
    let key = PushKey::generate();
    let (cause, now) = (Timestamp::from_secs(1_000), Timestamp::from_secs(1_600));
    let said = fields(&key, "https://push.example", "mailto:post@beheer.example", cause, now);
    let names: Vec<&str> = said.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["authorization", "ttl", "topic", "urgency"]);
    let value = |at: usize| said[at].1.to_str().expect("text").to_owned();
    assert_eq!([value(1), value(2), value(3)], ["3000", "new", "normal"]);
    assert!(said[0].1.is_sensitive());
    let vapid = value(0);
    let (token, public) = vapid.strip_prefix("vapid t=").expect("RFC 8292").split_once(", k=").expect("both");
    assert_eq!(public, key.public_key());
    let parts: Vec<&str> = token.split('.').collect();
    let read = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("Base64");
        serde_json::from_slice::<serde_json::Value>(&bytes).expect("JSON")
    };
    assert_eq!(read(parts[0]), json!({ "typ": "JWT", "alg": "ES256" }));
    let claims = json!({ "aud": "https://push.example", "exp": 5_200, "sub": "mailto:post@beheer.example" });
    assert_eq!(read(parts[1]), claims);
    assert_eq!(parts.len(), 3);
}

#[test]
fn answers_mean_what_the_standard_says() {
    let now = Timestamp::from_secs(1_700_000_000);
    let answered =
        |status, after: Option<&str>| judge(&Told { status, retry_after: after.map(str::to_owned) }, now);
    for status in [200, 201, 202, 204] {
        assert_eq!(answered(status, None), Answered::Told);
    }
    for status in [404, 410] {
        assert_eq!(answered(status, None), Answered::Gone);
    }
    for status in [301, 302, 307, 308, 400, 401, 403, 413] {
        assert_eq!(answered(status, Some("5")), Answered::Refused, "{status}");
    }
    let secs = |secs| Answered::Busy(Some(Duration::from_secs(secs)));
    assert_eq!(answered(429, Some(" 120 ")), secs(120));
    assert_eq!(answered(503, Some("Tue, 14 Nov 2023 22:14:20 GMT")), secs(60));
    assert_eq!(answered(503, Some("Tue, 14 Nov 2023 22:12:20 GMT")), secs(0), "that was before");
    for odd in [None, Some("soon"), Some("-5"), Some("")] {
        assert_eq!(answered(500, odd), Answered::Busy(None));
    }
    let at = |secs: i64| Timestamp::from_secs(1_700_000_000 + secs);
    assert_eq!(outcome(secs(120), at(0), at(10)), PushOutcome::Later(at(130)));
    assert_eq!(outcome(Answered::Unreachable, at(0), at(40)), PushOutcome::Later(at(80)));
    let given_up = PushOutcome::Failed(PushProblem::Unreachable);
    assert_eq!(outcome(secs(3_590), at(0), at(10)), given_up, "too late to be of use");
    assert_eq!(outcome(Answered::Gone, at(0), at(0)), PushOutcome::Gone);
}
