// SPDX-License-Identifier: EUPL-1.2
//! `cargo xtask bench`: builds the product and its comparisons in release, and runs one of them.

use crate::shell::{self, Failure, Result};
use crate::web;
use std::process::Command;

/// Runs the bench that the first argument names; the others are its own.
pub fn command(args: &[String]) -> Result<()> {
    if !matches!(args.first().map(String::as_str), Some("intake" | "search" | "desk" | "contacts")) {
        return Err(Failure::new("cargo xtask bench knows intake, search, desk and contacts"));
    }
    if args[0] == "desk" {
        web::build()?;
    }
    // What is built is told on standard error: the last line of standard output is the bench's.
    let mut build = shell::cargo();
    build.args(["build", "--locked", "--release"]);
    build.args(["--package", "belofte-server", "--bin", "belofte", "--package", "belofte-bench"]);
    build.args(["--bin", "belofte-bench"]);
    shell::run(&mut build)?;
    shell::run(Command::new(shell::release("belofte-bench")).current_dir(shell::root()).args(args))
}
