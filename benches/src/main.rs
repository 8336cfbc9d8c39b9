// SPDX-License-Identifier: EUPL-1.2
//! The comparisons of the product with the plain alternative and with its peers, on one machine
//! in one run. `cargo xtask bench NAME` builds this and the product in release and starts it.
//!
//! What this crate does *not* know: any other way into the product than the one that the product
//! itself takes. The stores are opened as the house opens them, the listener is the `belofte`
//! program with its default configuration, and nothing in the product knows of a bench.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks on the terminal")]

mod contacts;
mod data;
mod desk;
mod house;
mod intake;
mod machine;
mod peers;
mod place;
mod plain;
mod plain_lite;
mod plain_postgres;
mod report;
mod search;
mod smtp;
mod store_rate;

use std::process::ExitCode;

use anyhow::bail;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What was asked for on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Fewer messages: for everyday use, in about a minute.
    pub quick: bool,
    /// Whether the embedded engine is measured.
    pub sqlite: bool,
    /// Whether PostgreSQL is measured.
    pub postgres: bool,
    /// How many messages, or people, instead of the usual number.
    pub messages: Option<usize>,
    /// How many runs; the median is told.
    pub runs: usize,
}

const USAGE: &str = "\
cargo xtask bench intake|search|desk|contacts [--quick] [--engine sqlite|postgres] [--messages N] [--runs N]";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> anyhow::Result<()> {
    let Some((name, rest)) = args.split_first() else { bail!("{USAGE}") };
    let options = options(rest)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match name.as_str() {
        "intake" => runtime.block_on(intake::run(options)),
        "desk" => runtime.block_on(desk::run(options)),
        "contacts" => runtime.block_on(contacts::run(options)),
        "search" => runtime.block_on(search::run(options)),
        other => bail!("no bench {other:?}\n\n{USAGE}"),
    }
}

fn options(args: &[String]) -> anyhow::Result<Options> {
    let mut options = Options { quick: false, sqlite: true, postgres: true, messages: None, runs: 3 };
    let mut rest = args.iter().map(String::as_str);
    while let Some(arg) = rest.next() {
        match (arg, rest.clone().next()) {
            ("--quick", _) => options.quick = true,
            ("--engine", Some(engine @ ("sqlite" | "postgres"))) => {
                options.sqlite = engine == "sqlite";
                options.postgres = engine == "postgres";
                rest.next();
            }
            ("--messages", Some(number)) => {
                options.messages = Some(number.parse()?);
                rest.next();
            }
            ("--runs", Some(number)) => {
                options.runs = number.parse::<usize>()?.max(1);
                rest.next();
            }
            (other, _) => bail!("cannot read {other:?}\n\n{USAGE}"),
        }
    }
    Ok(options)
}
