// SPDX-License-Identifier: EUPL-1.2
//! Any text as the configuration: it holds, or everything that does not hold is told with its
//! line; no secret of it is shown.
#![no_main]

use std::path::Path;

use belofte_server::config::{Config, ConfigError, Surroundings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| {
    let text = String::from_utf8_lossy(raw);
    // A `_file` twin is read, and a device has no end; who writes the configuration may read it.
    if text.contains("/dev") || text.contains("/proc") || text.contains("\\u") {
        return;
    }
    let around = Surroundings { variables: Vec::new() };
    match Config::parse(Path::new("belofte.toml"), &text, &around) {
        Ok(config) => {
            assert!(config.server.public_url.is_https());
            assert!(!config.smtp_hostname().is_empty());
            let _ = config.root_key_file();
        }
        Err(ConfigError::Findings(findings)) => {
            assert!(!findings.is_empty());
            assert!(findings.iter().all(|finding| !finding.to_string().is_empty()));
        }
        Err(ConfigError::Unreadable { .. }) => unreachable!("no file was named"),
    }
});
