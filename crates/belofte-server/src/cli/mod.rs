// SPDX-License-Identifier: EUPL-1.2
//! The command line of `belofte`.

mod backup;
mod config;
mod doctor;
mod house;
mod keys;
mod ledger;
mod operator;
mod restore;
#[cfg(test)]
mod tests;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde_json::json;

use crate::config::{Config, Surroundings};
use crate::{house as rooms, private};

/// Customer contact with a data-processing agreement that is a program.
#[derive(Parser)]
#[command(name = "belofte", version, about)]
struct Arguments {
    /// The configuration file; belofte.toml in the data folder without it
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answer with one JSON object on standard output
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run: desk, API, mail listener and worker
    Serve,
    /// Bring the schemas up to date and exit
    Migrate,
    /// Make or list tenants
    #[command(subcommand)]
    Tenant(house::TenantCommand),
    /// Renew keys
    #[command(subcommand)]
    Keys(keys::Command),
    /// Copy content (rows and blobs, no keys) to a folder while the server runs; again into the same
    /// folder copies what is new
    Backup {
        /// The folder
        dir: PathBuf,
    },
    /// After a database was put back: tell whether content and keys belong together, or accept it
    #[command(subcommand)]
    Restore(restore::Command),
    /// Make users of the operator, who see numbers and never content; show what was done for it
    #[command(subcommand)]
    Operator(operator::Command),
    /// Look whether everything is as it should be; changes nothing
    Doctor,
    /// Check the configuration, or explain it
    #[command(subcommand)]
    Config(config::Command),
    /// Prove an exported ledger, offline
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Print the description of the HTTP API (OpenAPI 3.1)
    Openapi,
}

/// What every command gets.
struct Cli {
    config: Option<PathBuf>,
    json: bool,
    around: Surroundings,
}

/// How a command ended.
enum Done {
    /// Well.
    Well,
    /// With findings that it has told.
    WithFindings,
}

/// Reads the command line and does what it asks. Returns the exit status: 0 done, 1 failed or
/// found something, 2 not understood.
#[must_use]
pub fn run() -> ExitCode {
    private::keep_new_files();
    let arguments = Arguments::parse();
    let cli = Cli { config: arguments.config, json: arguments.json, around: Surroundings::of_process() };
    let done = match arguments.command {
        Command::Serve => house::serve(&cli),
        Command::Migrate => house::migrate(&cli),
        Command::Tenant(command) => house::tenant(&cli, &command),
        Command::Keys(command) => keys::run(&cli, &command),
        Command::Backup { dir } => backup::run(&cli, &dir),
        Command::Restore(command) => restore::run(&cli, &command),
        Command::Operator(command) => operator::run(&cli, &command),
        Command::Doctor => doctor::run(&cli),
        Command::Config(command) => config::run(&cli, &command),
        Command::Ledger(command) => ledger::run(&cli, &command),
        Command::Openapi => openapi(&cli),
    };
    match done {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::WithFindings) => ExitCode::FAILURE,
        Err(error) => {
            if cli.json {
                let _ = cli.print(&format!("{}\n", json!({ "ok": false, "error": format!("{error:#}") })));
            }
            let _ = writeln!(io::stderr(), "belofte: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Cli {
    /// Writes `text`, or `value` with `--json`. A reader that has gone is no failure.
    fn tell(&self, text: &str, value: &serde_json::Value) -> io::Result<()> {
        if self.json { self.print(&format!("{value}\n")) } else { self.print(text) }
    }

    /// Tells people what is still to be done with a root key that was made here.
    fn note_root_key(&self, config: &Config) {
        if let Some(note) = rooms::root_key_note(config) {
            // A terminal that has gone is no failure.
            let _ = writeln!(io::stderr(), "{note}");
        }
    }

    fn print(&self, text: &str) -> io::Result<()> {
        match io::stdout().lock().write_all(text.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

fn openapi(cli: &Cli) -> anyhow::Result<Done> {
    cli.print(&crate::api::openapi::text()?)?;
    Ok(Done::Well)
}
