// SPDX-License-Identifier: EUPL-1.2
//! Mail for a server's desk, without a mail server of the customer's.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::Client;
use super::server::Server;
use super::swaks::swaks;
use super::wait;

/// The address that customers write to.
pub const DESK: &str = "info@winkel.example";

/// Gives the tenant of `server` the account [`DESK`]; it can send when `port` names a server.
pub fn account(server: &Server, port: Option<u16>) -> Value {
    let mut account = json!({ "kind": "email", "address": DESK, "from_name": "Winkel" });
    if let Some(port) = port {
        account["submission"] = json!({ "host": "127.0.0.1", "port": port, "security": "none" });
    }
    server.admin().post("/channel-accounts", account).expect(201)
}

/// A customer's mail to [`DESK`], as swaks sends it with more arguments; waits until it is filed
/// and gives its conversation.
pub fn receive(server: &Server, from: &str, subject: &str, body: &str, more: &[&str]) -> Value {
    let address = from.rsplit_once('<').map_or(from, |(_, address)| address.trim_end_matches('>'));
    let subject_line = format!("Subject: {subject}");
    let arguments =
        ["--from", address, "--to", DESK, "--h-From", from, "--header", &subject_line, "--body", body];
    let sent = swaks(server.smtp, &[&arguments, more].concat());
    assert!(sent.ok, "{}", sent.transcript);
    until_listed(server.admin(), subject)
}

/// The conversation with this subject, as soon as the list has it.
pub fn until_listed(client: &Client, subject: &str) -> Value {
    wait::until(&format!("the conversation {subject:?}"), Duration::from_secs(20), || {
        let page = client.get("/conversations?status=all&limit=100").expect(200);
        let items = page["items"].as_array().expect("items");
        items.iter().find(|row| row["subject"] == subject).cloned()
    })
}

/// The text of a field.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value} is a text"))
}
