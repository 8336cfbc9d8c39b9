// SPDX-License-Identifier: EUPL-1.2
//! The browser: a script for the page, run by Node with the system's Chromium.

use std::path::PathBuf;
use std::process::Command;

use super::server::{ADMIN, PASSWORD, Server};

/// Runs `script` of web/e2e against `server`, as its admin, with more of the environment.
///
/// # Panics
/// When it fails, with what it and the server said.
pub fn browser(script: &str, server: &Server, extra: &[(&str, &str)]) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../web/e2e");
    let mut command = Command::new("node");
    command
        .arg(folder.join(script))
        .env("BELOFTE_URL", format!("https://localhost:{}", server.https.port()))
        .env("BELOFTE_EMAIL", ADMIN)
        .env("BELOFTE_PASSWORD", PASSWORD);
    for (name, value) in extra {
        command.env(name, value);
    }
    let output = command.output().expect("Node is part of what `cargo xtask test` needs");
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let page = server.admin().get("/conversations?status=all").expect(200);
    let messages = page["items"][0]["id"]
        .as_str()
        .map(|id| server.admin().get(&format!("/conversations/{id}/messages")).expect(200));
    assert!(output.status.success(), "{told}\n{messages:#?}\n{}", server.logs());
}
