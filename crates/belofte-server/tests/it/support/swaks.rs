// SPDX-License-Identifier: EUPL-1.2
//! The mail sender `swaks`, as a customer's or an administrator's own tool.

use std::process::Command;

/// How one run of swaks ended.
#[derive(Debug)]
pub struct Sent {
    /// Whether every command was accepted.
    pub ok: bool,
    /// The whole dialogue: `->` is the client, `<-` the server, `<**` a refusal.
    pub transcript: String,
}

/// Runs swaks against a port of the loopback with more arguments, such as `--to`, `--from`,
/// `--data @file`, `--tls`, `--auth PLAIN`, `--protocol LMTP`.
pub fn swaks(port: u16, args: &[&str]) -> Sent {
    let output = Command::new("swaks")
        .args([
            "--server",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--helo",
            "client.example",
            "--timeout",
            "20",
        ])
        .args(args)
        .output()
        .expect("swaks is installed by `cargo xtask test`");
    let mut transcript = String::from_utf8_lossy(&output.stdout).into_owned();
    transcript.push_str(&String::from_utf8_lossy(&output.stderr));
    Sent { ok: output.status.success(), transcript }
}
