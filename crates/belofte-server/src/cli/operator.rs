// SPDX-License-Identifier: EUPL-1.2
//! `belofte operator`: users of the operator, and the log of what was done for it. There is no command that makes a user of a tenant.

use std::fs::{DirBuilder, File};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use belofte_channels::dns::name_servers;
use belofte_model::{Actor, EmailAddress};
use belofte_store::{Clock, ExportPiece, OperatorAct, Store, StoreError};
use belofte_vault::{Pii, Random, password};
use clap::Subcommand;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;

use super::{Cli, Done, house as rooms};
use crate::api::channel_accounts::SubProcessor;
use crate::api::operator::{OperatorLogEntry, TenantRecipients};
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
    /// Show what the operator's people and commands did, newest first
    Log {
        /// Only entries before this number
        #[arg(long, value_name = "NO")]
        before: Option<u64>,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show the register of recipients: sub-processors, and how many recipients each tenant chose
    Recipients,
    /// Write that log to a folder that `belofte ledger verify` checks offline
    ExportLog {
        /// The folder, which must not be there yet
        dir: PathBuf,
    },
}

/// Does what `command` asks.
pub fn run(cli: &Cli, command: &Command) -> anyhow::Result<Done> {
    match command {
        Command::Create { email, name, password_file } => {
            create(cli, email, name.as_deref(), password_file.as_deref())
        }
        Command::Log { before, limit } => log(cli, *before, *limit),
        Command::ExportLog { dir } => export_log(cli, dir),
        Command::Recipients => recipients(cli),
    }
}

fn log(cli: &Cli, before: Option<u64>, limit: u32) -> anyhow::Result<Done> {
    let config = rooms::config(cli)?;
    let page = rooms::run(async {
        let store = house::open_existing(&config, &Clock::System, &Random::System).await?;
        let page = store.ledger_page(&store.system().installation(), before, limit).await;
        store.close().await;
        page.context("the log cannot be read")
    })?;
    let entries: Vec<_> = page.entries.iter().map(OperatorLogEntry::from).collect();
    let mut text = String::new();
    for entry in &entries {
        let who = entry.operator.map_or_else(|| "-".to_owned(), |operator| operator.to_string());
        let details: Vec<_> = entry.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (no, at, act) = (entry.no, entry.at.to_rfc3339(), &entry.act);
        text.push_str(&format!("{no}  {at}  {who}  {act}  {}\n", details.join(" ")));
    }
    cli.tell(&text, &json!({ "size": page.size, "items": entries }))?;
    Ok(Done::Well)
}

fn recipients(cli: &Cli) -> anyhow::Result<Done> {
    let config = rooms::config(cli)?;
    let counts = rooms::run(async {
        let store = house::open_existing(&config, &Clock::System, &Random::System).await?;
        let counts = store.system().recipient_counts().await;
        store.close().await;
        counts.context("the register cannot be read")
    })?;
    let sub_processors: Vec<_> = config.outbound.sub_processors.iter().map(SubProcessor::from).collect();
    let tenants: Vec<_> = counts.into_iter().map(TenantRecipients::from).collect();
    let mut text = String::new();
    for SubProcessor { name, purpose, country, hosts } in &sub_processors {
        text.push_str(&format!("sub-processor  {name}  {country}  {purpose}  {}\n", hosts.join(" ")));
    }
    let servers: Vec<_> = config.dns.servers.iter().map(|server| server.0).collect();
    let name_servers: Vec<_> = name_servers(&servers).iter().map(ToString::to_string).collect();
    for server in &name_servers {
        text.push_str(&format!("name server  {server}\n"));
    }
    let push_services = config.push_services();
    for service in &push_services {
        text.push_str(&format!("push service  {service}  of tenants that allow it\n"));
    }
    for TenantRecipients { tenant_id, chosen_hosts, mailed, push_allowed } in &tenants {
        let push = if *push_allowed { "  allows browser push" } else { "" };
        text.push_str(&format!(
            "tenant  {tenant_id}  {chosen_hosts} hosts of its own  {mailed} mailed{push}\n"
        ));
    }
    let all = json!({
        "sub_processors": sub_processors, "name_servers": name_servers, "push_services": push_services,
        "tenants": tenants,
    });
    cli.tell(&text, &all)?;
    Ok(Done::Well)
}

fn export_log(cli: &Cli, dir: &Path) -> anyhow::Result<Done> {
    let config = rooms::config(cli)?;
    let (size, key) = rooms::run(async {
        let store = house::open_existing(&config, &Clock::System, &Random::System).await?;
        let done = write_log(&store, dir).await;
        store.close().await;
        done
    })?;
    let text = format!("{}: {size} entries. It is signed by {key}.\n", dir.display());
    cli.tell(&text, &json!({ "folder": dir, "size": size, "key": key }))?;
    Ok(Done::Well)
}

async fn write_log(store: &Store, dir: &Path) -> anyhow::Result<(u64, String)> {
    store.system().note(Actor::System, &OperatorAct::ExportLog).await?;
    let mut export =
        store.export_ledger(&store.system().installation()).await.context("nothing was exported")?;
    let failed = || format!("cannot write to {}", dir.display());
    DirBuilder::new().mode(0o700).create(dir).with_context(failed)?;
    let mut open = None;
    while let Some(piece) = export.next().await.context("the export broke off and is unfinished")? {
        match (piece, &mut open) {
            (ExportPiece::File { path, .. }, open) => {
                let path = dir.join(path);
                let folder = path.parent().unwrap_or(dir);
                DirBuilder::new().mode(0o700).recursive(true).create(folder).with_context(failed)?;
                *open = Some(File::create_new(&path).with_context(failed)?);
            }
            (ExportPiece::Bytes(bytes), Some(file)) => file.write_all(&bytes).with_context(failed)?,
            (ExportPiece::Bytes(_), None) => {}
        }
    }
    Ok((export.size, export.verifier_key))
}

fn create(cli: &Cli, email: &str, name: Option<&str>, password_file: Option<&Path>) -> anyhow::Result<Done> {
    let address = EmailAddress::parse(email).ok().context("that is no address")?;
    let secret = password(password_file)?;
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
        let name = Pii::new(name.map_or_else(|| address.as_sent(), str::to_owned));
        let made = store.system().create_operator(&name, &address, hash).await;
        store.close().await;
        match made {
            Err(StoreError::Conflict) => anyhow::bail!("there is an operator user with this address already"),
            made => made.context("the operator user was not made"),
        }
    })?;
    let text = format!(
        "The operator user was made. They sign in by POST {}/api/v1/operator/session; docs/operate says how.\n",
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
