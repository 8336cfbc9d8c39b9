// SPDX-License-Identifier: EUPL-1.2
//! The real programs that the tests speak with, each a private instance with its own data,
//! on the loopback, gone when its handle is dropped or the test process ends in any way.

pub mod authenticator;
pub mod backstage;
pub mod browser;
pub mod canary;
pub mod certificate;
pub mod chromium;
pub mod clamd;
pub mod client;
pub mod collector;
pub mod disk;
pub mod dovecot;
pub mod free_port;
pub mod inbox;
pub mod keeper_of_traces;
pub mod lane;
pub mod name_server;
pub mod peer;
pub mod pictures;
pub mod post;
pub mod postfix;
pub mod postgres;
pub mod provider;
pub mod push_service;
pub mod refusing;
pub mod relay;
pub mod server;
pub mod signer;
pub mod sink;
pub mod swaks;
pub mod wait;

/// Whether a test may leave out what this machine cannot do: never in CI, and elsewhere only
/// with a loud word. `what` completes "this test needs".
pub fn may_skip(what: &str) -> bool {
    let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    assert!(!ci, "this test needs {what}");
    eprintln!("SKIPPED, because this test needs {what}");
    true
}
