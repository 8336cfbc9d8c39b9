// SPDX-License-Identifier: EUPL-1.2
//! `belofte keys`: a tenant's key, or the installation's own, is replaced by a new one.

use anyhow::Context as _;
use belofte_store::{Clock, Store, TenantSummary};
use belofte_vault::Random;
use clap::Subcommand;
use serde_json::json;

use super::{Cli, Done, house as rooms};
use crate::config::Config;
use crate::house;

/// What to do with keys.
#[derive(Subcommand)]
pub enum Command {
    /// Give tenants a new key. The running server wraps their other keys by it and destroys the
    /// old one
    Rotate {
        /// The short name of a tenant; all tenants and the installation's own keys without it
        tenant: Option<String>,
    },
    /// Tell how far rotations are
    Status,
    /// Say that a copy of the root key is kept off this machine: the server stops asking for it
    Kept,
}

/// Does what `command` asks.
pub fn run(cli: &Cli, command: &Command) -> anyhow::Result<Done> {
    let config = rooms::config(cli)?;
    rooms::run(async {
        let store = house::open_existing(&config, &Clock::System, &Random::System).await?;
        let done = match command {
            Command::Rotate { tenant } => rotate(cli, &store, tenant.as_deref()).await,
            Command::Status => status(cli, &store).await,
            Command::Kept => kept(cli, &config),
        };
        store.close().await;
        done
    })
}

async fn rotate(cli: &Cli, store: &Store, slug: Option<&str>) -> anyhow::Result<Done> {
    let mut tenants = store.system().tenant_summaries().await?;
    if let Some(slug) = slug {
        tenants.retain(|tenant| tenant.tenant.slug == slug);
        if tenants.is_empty() {
            anyhow::bail!("there is no tenant `{slug}`");
        }
    } else {
        store.system().rotate_system_keys().await.context("the installation's own keys were not rotated")?;
    }
    let (mut text, mut values) = (String::new(), Vec::new());
    for TenantSummary { tenant, .. } in &tenants {
        let begun = store.system().rotate_keys(tenant.id).await?;
        let word = if begun { "begun" } else { "under way already" };
        text.push_str(&format!("{}  {word}\n", tenant.slug));
        values.push(json!({ "tenant": tenant.slug, "begun": begun }));
    }
    cli.tell(&text, &json!({ "rotations": values }))?;
    Ok(Done::Well)
}

fn kept(cli: &Cli, config: &Config) -> anyhow::Result<Done> {
    house::root_key_kept(config).context("the note cannot be ended")?;
    cli.tell("A copy of the root key is kept.\n", &json!({ "ok": true }))?;
    Ok(Done::Well)
}

async fn status(cli: &Cli, store: &Store) -> anyhow::Result<Done> {
    let (mut text, mut values) = (String::new(), Vec::new());
    for TenantSummary { tenant, .. } in store.system().tenant_summaries().await? {
        let progress = store.system().rotation_progress(tenant.id).await?;
        let word = if progress.under_way { "under way" } else { "done" };
        let (slug, of, all) = (&tenant.slug, progress.rewrapped, progress.total);
        text.push_str(&format!("{slug}  epoch {}  {of} of {all} keys  {word}\n", progress.epoch));
        values.push(json!({
            "tenant": slug, "epoch": progress.epoch, "rewrapped": of, "total": all,
            "under_way": progress.under_way,
        }));
    }
    cli.tell(&text, &json!({ "tenants": values }))?;
    Ok(Done::Well)
}
