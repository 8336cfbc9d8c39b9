// SPDX-License-Identifier: EUPL-1.2
//! `belofte operator`: users of the operator. There is no command that makes a user of a tenant.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use belofte_model::EmailAddress;
use belofte_store::{Clock, StoreError};
use belofte_vault::{Pii, Random, password};
use clap::Subcommand;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;

use super::{Cli, Done, house as rooms};
use crate::http::Checks;
use crate::{house, passwords};

/// What to do with users of the operator.
#[derive(Subcommand)]
pub enum Command {
    /// Make one. The password comes from a file, a terminal, or a line on standard input
    Create {
        /// The address to sign in with
        email: String,
        /// The name; the address without it
        #[arg(long)]
        name: Option<String>,
        /// A file whose first line is the password
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
}

/// Does what `command` asks.
pub fn run(cli: &Cli, command: &Command) -> anyhow::Result<Done> {
    let Command::Create { email, name, password_file } = command;
    let address = EmailAddress::parse(email).ok().context("that is no address")?;
    let secret = password(password_file.as_deref())?;
    let mut checks = Checks::default();
    passwords::check(&mut checks, "password", secret.expose(), email);
    if checks.done().is_err() {
        anyhow::bail!(
            "the password must have {} to {} characters and must not be the address",
            passwords::LEAST,
            passwords::MOST
        );
    }
    let config = rooms::config(cli)?;
    let id = rooms::run(async {
        let store = house::open_existing(&config, &Clock::System, &Random::System).await?;
        let hash = Pii::new(password::hash(&Random::System, secret.expose()));
        let name = Pii::new(name.clone().unwrap_or_else(|| address.as_sent()));
        let made = store.system().create_operator(&name, &address, hash).await;
        store.close().await;
        match made {
            Err(StoreError::Conflict) => anyhow::bail!("there is an operator user with this address already"),
            made => made.context("the operator user was not made"),
        }
    })?;
    let text = format!(
        "The operator user was made. They sign in at {}/operator.\n",
        config.server.public_url.as_str()
    );
    cli.tell(&text, &json!({ "id": id }))?;
    Ok(Done::Well)
}

/// The password: the first line of `file`, what is typed unseen at a terminal, or the first line
/// of standard input. Never an argument, which every user of the machine could read.
fn password(file: Option<&Path>) -> anyhow::Result<Pii<String>> {
    if let Some(file) = file {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        return Ok(first_line(&text));
    }
    if !io::stdin().is_terminal() {
        return Ok(first_line(&line()?));
    }
    let once = unseen("Password: ")?;
    if once.expose() != unseen("Again: ")?.expose() {
        anyhow::bail!("the two are not the same");
    }
    Ok(once)
}

fn line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}

fn first_line(text: &str) -> Pii<String> {
    Pii::new(text.lines().next().unwrap_or_default().to_owned())
}

/// Asks at the terminal without showing what is typed.
fn unseen(question: &str) -> anyhow::Result<Pii<String>> {
    let mut out = io::stderr().lock();
    write!(out, "{question}")?;
    out.flush()?;
    let before = tcgetattr(io::stdin())?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
    let typed = line();
    // Whatever was typed: the terminal shows letters again.
    tcsetattr(io::stdin(), OptionalActions::Flush, &before)?;
    writeln!(out)?;
    Ok(first_line(&typed?))
}
