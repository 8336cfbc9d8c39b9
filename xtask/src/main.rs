// SPDX-License-Identifier: EUPL-1.2
//! The house's own commands: `cargo xtask <command>`.
//!
//! What this crate does *not* know: the product. It builds, starts, feeds and checks
//! `belofte` from outside, as a person at a terminal would, and links none of its crates.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks on the terminal")]

mod bench;
mod codegen;
mod counts;
mod customers;
mod fuzz;
mod metadata;
mod packages;
mod postgres;
mod run;
mod schemathesis;
mod shell;
mod smtp;
mod test;
mod tidy;
mod web;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  run      build web and server, start with a demo tenant on https://localhost:8443
           [--fresh]  begin with an empty data folder
  test     everything: packages, tidy, format, web, generated files, tests, browser, clippy
           [--quick]  without browser tests and clippy
           [-- ARGS]  only the Rust tests, with ARGS for the test runner
  shots    pictures of every view in both languages, schemes and sizes, checked with axe,
           in web/e2e/shots  [--quick] [--only=thread,inbox]
  shift    three agents in three browsers answer 200 mails within an hour
           [--minutes N] [--mails N] [--seed N]
  schemathesis  ask a server of its own everything that openapi.json allows, and more
           [--seconds N]  stop after so many seconds, 120 without it
  fuzz     hostile octets for every parser, or for one  [TARGET]
           [--seconds N]  each target for so many seconds, 60 without it
  tidy     check the invariants that a program can check
  codegen  write what is generated
           [--check]  only say what is stale
  bench    intake|search|desk|contacts: compare with the plain alternative and with peers, in release;
           desk: how long people wait for the inbox
           [--quick]  in about a minute  [--engine sqlite|postgres]  only one engine";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let args: Vec<String> = args.collect();
    let outcome = match command.as_str() {
        "run" => run::command(&args),
        "test" => test::command(&args),
        "shots" => web::shots(&args),
        "shift" => web::shift(&args),
        "schemathesis" => schemathesis::command(&args),
        "fuzz" => fuzz::command(&args),
        "tidy" => tidy::command(&args),
        "codegen" => codegen::command(&args),
        "bench" => bench::command(&args),
        "" | "help" | "--help" | "-h" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => Err(shell::Failure::new(format!("no command {other:?}\n\n{USAGE}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
