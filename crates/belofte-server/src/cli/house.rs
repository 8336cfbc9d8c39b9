// SPDX-License-Identifier: EUPL-1.2
//! `belofte serve`, `migrate` and `tenant`: what needs the stores.

use anyhow::Context as _;
use belofte_store::{Clock, Slug};
use belofte_vault::Random;
use clap::Subcommand;
use serde_json::json;

use super::{Cli, Done};
use crate::config::Config;
use crate::house;
use crate::lifecycle::Ended;

/// What to do with tenants. There is no command that makes, changes or impersonates a user of one:
/// after the invitation that comes with a tenant, only its own admins invite.
#[derive(Subcommand)]
pub enum TenantCommand {
    /// Make a tenant and print the single-use invitation of its first admin
    Create {
        /// Its short name in small letters, digits and hyphens
        slug: String,
        /// Its name for people; the short name without it
        #[arg(long)]
        name: Option<String>,
        /// The name of its first queue
        #[arg(long, default_value = "Inbox")]
        queue: String,
    },
    /// List the tenants: metadata only
    List,
}

pub(super) fn run<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(work)
}

pub(super) fn config(cli: &Cli) -> anyhow::Result<Config> {
    Ok(Config::load(cli.config.as_deref(), &cli.around)?)
}

/// Runs the house.
pub fn serve(cli: &Cli) -> anyhow::Result<Done> {
    let config = Config::load_with_files(cli.config.as_deref(), &cli.around)?;
    let ended = run(house::serve(config, Clock::System, Random::System))?;
    Ok(if ended == Ended::Drained { Done::Well } else { Done::WithFindings })
}

/// Brings the schemas up to date.
pub fn migrate(cli: &Cli) -> anyhow::Result<Done> {
    let config = config(cli)?;
    run(async {
        house::open_store(&config, &Clock::System, &Random::System).await?.close().await;
        Ok(())
    })?;
    cli.note_root_key(&config);
    cli.tell("The schemas are up to date.\n", &json!({ "ok": true }))?;
    Ok(Done::Well)
}

/// Makes or lists tenants.
pub fn tenant(cli: &Cli, command: &TenantCommand) -> anyhow::Result<Done> {
    let config = config(cli)?;
    run(async {
        let (clock, random) = (Clock::System, Random::System);
        let store = match command {
            TenantCommand::Create { .. } => house::open_store(&config, &clock, &random).await?,
            TenantCommand::List => house::open_existing(&config, &clock, &random).await?,
        };
        let done = match command {
            TenantCommand::Create { slug, name, queue } => {
                cli.note_root_key(&config);
                create(cli, &config, &store, slug, name, queue).await
            }
            TenantCommand::List => list(cli, &store).await,
        };
        store.close().await;
        done
    })
}

async fn create(
    cli: &Cli,
    config: &Config,
    store: &belofte_store::Store,
    slug: &str,
    name: &Option<String>,
    queue: &str,
) -> anyhow::Result<Done> {
    let parsed = Slug::parse(slug).with_context(|| {
        format!("`{slug}` is no short name: use small letters, digits and single hyphens, at most 40")
    })?;
    let name = name.as_deref().unwrap_or(slug);
    let founded = match store.system().create_tenant(&parsed, name, queue).await {
        Ok(founded) => founded,
        Err(belofte_store::StoreError::Conflict) => anyhow::bail!("there is a tenant `{slug}` already"),
        Err(error) => return Err(error).context("the tenant was not made"),
    };
    let link =
        format!("{}/invitation#{}", config.server.public_url.as_str(), founded.invitation.token.expose());
    let text = format!(
        "Tenant `{slug}` was made. Give this link to its first admin; it works once:\n\n  {link}\n\n\
         From now on only the tenant's own admins can add users.\n"
    );
    cli.tell(&text, &json!({ "id": founded.tenant, "slug": slug, "name": name, "invitation": link }))?;
    Ok(Done::Well)
}

async fn list(cli: &Cli, store: &belofte_store::Store) -> anyhow::Result<Done> {
    let tenants = store.system().tenant_summaries().await?;
    let mut text = String::new();
    for tenant in &tenants {
        text.push_str(&format!("{}  {}  {}\n", tenant.tenant.id, tenant.tenant.slug, tenant.tenant.name));
    }
    let values: Vec<_> = tenants
        .iter()
        .map(|tenant| json!({ "id": tenant.tenant.id, "slug": tenant.tenant.slug, "name": tenant.tenant.name }))
        .collect();
    cli.tell(&text, &json!({ "tenants": values }))?;
    Ok(Done::Well)
}
