// SPDX-License-Identifier: EUPL-1.2
//! What the operator sees from outside: figures for Prometheus after real traffic, and what systemd
//! is told.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use serde_json::json;

use crate::support::free_port::free_ports;
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::swaks::swaks;
use crate::support::wait;

/// What `/metrics` on `port` says.
fn metrics(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("answered");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    text
}

/// The value of the series that begins with `name`, labels included.
fn value(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|number| number.parse().expect("a number"))
}

on_both_engines!(figures_tell_what_happened_and_nothing_about_anybody, |engine| {
    let [port, _] = free_ports();
    let more = format!("[observability]\nmetrics_listen = \"127.0.0.1:{port}\"\n");
    let server = Server::start_with(engine, &more);
    let account = json!({
        "kind": "email", "address": "info@winkel.example", "from_name": "Winkel",
        "submission": { "host": "127.0.0.1", "port": 9, "security": "none" },
    });
    server.admin().post("/channel-accounts", account).expect(201);
    // The same mail twice: swaks would write the time into the subject.
    let header = ["--header", "Message-Id: <een@klant.example>", "--header", "Subject: Vraag"];
    for _ in 0..2 {
        let mail = ["--from", "geheimzinnig@klant.example", "--to", "info@winkel.example"];
        assert!(swaks(server.smtp, &[&mail[..], &header[..]].concat()).ok);
    }
    let odd = ["--from", "x@klant.example", "--to", "info@winkel.example", "--data", "zonder kop\\n"];
    assert!(swaks(server.smtp, &odd).ok);
    let case = wait::until("the conversation", Duration::from_secs(20), || {
        let page = server.admin().get("/conversations?status=all").expect(200);
        page["items"][0]["id"].as_str().map(str::to_owned)
    });
    let reply = json!({ "kind": "reply", "text": "Dag", "attachment_ids": [] });
    server.admin().post(&format!("/conversations/{case}/messages"), reply).expect(201);

    // Nobody listens on port 9: the answer waits for its next try.
    server.leaves("deliver");
    let text = wait::until("the figures to follow", Duration::from_secs(60), || {
        let text = metrics(port);
        let done = value(&text, "belofte_intake_total{outcome=\"duplicate\"}") == Some(1.0)
            && value(&text, "belofte_deliveries_total{outcome=\"queued\"}") >= Some(1.0)
            && value(&text, "belofte_quarantined_mails") == Some(1.0)
            && value(&text, "belofte_unfiled_mails") == Some(0.0)
            && value(&text, "belofte_undelivered_recipients") == Some(1.0)
            && value(&text, "belofte_index_lag_messages") == Some(0.0)
            && value(&text, "belofte_ledger_views_waiting") == Some(0.0);
        done.then_some(text)
    });
    let at_least_one = [
        "belofte_smtp_messages_total{protocol=\"smtp\",outcome=\"stored\"}",
        "belofte_intake_total{outcome=\"imported\"}",
        "belofte_intake_total{outcome=\"quarantined\"}",
        "belofte_ledger_leaves_unsigned",
        "belofte_stores_answer",
        "belofte_disk_free_bytes",
        "belofte_database_bytes{database=\"content\"}",
        "belofte_database_bytes{database=\"keys\"}",
    ];
    for name in at_least_one {
        assert!(value(&text, name) >= Some(1.0), "{name}: {text}");
    }
    for name in [
        "belofte_dead_letters",
        "belofte_jobs{kind=\"process_intake\",state=\"dead\"}",
        "belofte_job_oldest_age_seconds{kind=\"deliver\",state=\"ready\"}",
    ] {
        assert_eq!(value(&text, name), Some(0.0), "{name}: {text}");
    }
    // No second place for back-ups of the keys is configured, and that is told.
    assert_eq!(value(&text, "belofte_attention"), Some(1.0), "{text}");
    assert!(value(&text, "belofte_tenant_key_oldest_age_seconds").is_some(), "{text}");
    // Both mails are in the index, which took something.
    let index = value(&text, "belofte_index_cpu_seconds").expect("a figure");
    assert!(index > 0.0 && index < 60.0, "{text}");
    for secret in ["winkel", "klant", "geheimzinnig", &server.tenant.id, &case] {
        assert!(!text.contains(secret), "{secret} stands in the figures");
    }
});

#[test]
fn systemd_is_told_how_it_goes() {
    let mut server = Server::start(Engine::Sqlite);
    server.stop();
    let path = server.scratch().join("notify");
    let socket = UnixDatagram::bind(&path).expect("our own folder");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time");
    let shown = path.display().to_string();
    server.boot_with(&[("NOTIFY_SOCKET", shown.as_str()), ("WATCHDOG_USEC", "400000")]);
    let mut told = Vec::new();
    let mut until = |what: &str| {
        let mut buffer = [0; 512];
        while !told.iter().any(|line: &String| line.starts_with(what)) {
            let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{what}: {error}: {told:?}"));
            told.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
    };
    for what in ["EXTEND_TIMEOUT_USEC=30000000", "READY=1", "WATCHDOG=1"] {
        until(what);
    }
    server.stop();
    until("STOPPING=1");
    let at = |what: &str| told.iter().position(|line| line.starts_with(what));
    assert!(at("EXTEND_TIMEOUT_USEC") < at("READY=1"), "{told:?}");
}
