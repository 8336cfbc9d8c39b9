// SPDX-License-Identifier: EUPL-1.2
//! The command line of `belofte`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Customer contact with a data-processing agreement that is a program.
#[derive(Parser)]
#[command(name = "belofte", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the description of the HTTP API (OpenAPI 3.1)
    Openapi,
}

/// Reads the command line and does what it asks. Returns the exit status: 0 done, 1 failed,
/// 2 not understood.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Command::Openapi => openapi(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "belofte: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn openapi() -> anyhow::Result<()> {
    let text = crate::api::openapi::text()?;
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}
