// SPDX-License-Identifier: EUPL-1.2
//! `belofte keys`: keys are replaced by new ones, backed up and restored.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use belofte_model::Actor;
use belofte_store::{Clock, KeyBackups, OperatorAct, Store, TenantSummary, epoch_start};
use belofte_vault::{Random, RootKey};
use clap::Subcommand;
use serde_json::json;

use super::{Cli, Done, house as rooms};
use crate::api::time::Time;
use crate::config::Config;
use crate::node::Node;
use crate::{house, root_change};

/// What to do with keys.
#[derive(Subcommand)]
pub enum Command {
    /// Give tenants a new key. The running server wraps their other keys by it and destroys the
    /// old one
    Rotate {
        /// The short name of a tenant; all tenants and the installation's own keys without it
        tenant: Option<String>,
        /// Change the root key instead, which wraps the keys of all tenants; the server must be stopped
        #[arg(long, conflicts_with = "tenant")]
        root: bool,
    },
    /// Tell how far rotations are, and which back-ups of keys there are
    Status,
    /// Say that a copy of the root key is kept off this machine: the server stops asking for it
    Kept,
    /// Make a back-up of all keys in vault.key_backup_dir now; the server makes one a day
    Backup,
    /// Bring keys back into an empty key database, without those that were destroyed since; the
    /// server must be stopped
    Restore {
        /// A back-up, or a folder of which the newest is taken, such as vault.key_backup_dir
        dir: PathBuf,
    },
}

/// Does what `command` asks.
pub fn run(cli: &Cli, command: &Command) -> anyhow::Result<Done> {
    let config = rooms::config(cli)?;
    rooms::run(async {
        match command {
            Command::Rotate { root: true, .. } => return change_root(cli, &config).await,
            Command::Restore { dir } => return restore(cli, &config, dir).await,
            Command::Rotate { .. } | Command::Status | Command::Kept | Command::Backup => {}
        }
        let store = house::open_existing(&config, &Clock::System, &Random::System).await?;
        let done = match command {
            Command::Rotate { tenant, .. } => rotate(cli, &store, tenant.as_deref()).await,
            Command::Kept => kept(cli, &config),
            Command::Backup => back_up(cli, &config, &store).await,
            Command::Status | Command::Restore { .. } => status(cli, &config, &store).await,
        };
        store.close().await;
        done
    })
}

const NO_PLACE: &str =
    "vault.key_backup_dir is not set: name a folder off this machine, such as a mounted one";

fn second_place(config: &Config) -> anyhow::Result<KeyBackups> {
    config.vault.key_backup_dir.clone().map(KeyBackups::new).context(NO_PLACE)
}

/// The end of the day on which nobody can open a back-up of `epoch` any more.
fn unreadable_from(config: &Config, epoch: i64) -> String {
    let kept = std::time::Duration::from_secs(config.vault.key_backup_days.get() * 86_400);
    Time(epoch_start(epoch) + kept).to_rfc3339()
}

async fn back_up(cli: &Cli, config: &Config, store: &Store) -> anyhow::Result<Done> {
    let place = second_place(config)?;
    store.system().note(Actor::System, &OperatorAct::BackUpKeys).await?;
    let made = place.back_up(store).await.context("no back-up was made")?;
    let until = unreadable_from(config, made.epoch);
    let text = format!(
        "{}\nIt may be copied anywhere, and nobody can open it after {until}. Keep the root key apart from it.\n",
        made.path.display()
    );
    cli.tell(&text, &json!({ "file": made.path, "epoch": made.epoch, "unreadable_from": until }))?;
    Ok(Done::Well)
}

async fn restore(cli: &Cli, config: &Config, dir: &Path) -> anyhow::Result<Done> {
    // Nobody serves from here meanwhile.
    let _node = Node::take(config.data_folder(), &Clock::System, &Random::System)?;
    let backups = second_place(config)?;
    let file = config.root_key_file();
    let root = RootKey::open_file(&file).with_context(|| format!("the root key {}", file.display()))?;
    let root = root.with_context(|| {
        format!("put the root key at {} first: keys are of no use without it", file.display())
    })?;
    let store = Store::open(&house::store_settings(config)?, root, Clock::System, Random::System)
        .await
        .context("cannot open the stores")?;
    let restored = backups.restore(&store, dir).await;
    let noted = match &restored {
        // Only now there are keys to write it with; there may be no content yet to write it into.
        Ok(_) => store.system().note(Actor::System, &OperatorAct::RestoredKeys).await,
        Err(_) => Ok(()),
    };
    store.close().await;
    let restored = restored.context("no key was restored")?;
    noted.context("the keys were restored, and the log of the operator does not say so")?;
    let (keys, erased, made_at) = (restored.keys, restored.erased, Time(restored.made_at).to_rfc3339());
    let text = format!(
        "{keys} keys were restored as they were at {made_at}; {erased} that were destroyed since were left out.\n\
         Now run `belofte doctor`: it says whether content and keys belong together.\n"
    );
    let file = restored.path;
    cli.tell(&text, &json!({ "file": file, "made_at": made_at, "keys": keys, "left_out": erased }))?;
    Ok(Done::Well)
}

async fn change_root(cli: &Cli, config: &Config) -> anyhow::Result<Done> {
    let _node = Node::take(config.data_folder(), &Clock::System, &Random::System)
        .context("stop the server, and every other node, before the root key is changed")?;
    let store = house::open_existing(config, &Clock::System, &Random::System).await?;
    let file = config.root_key_file();
    let old = RootKey::open_file(&file)?.with_context(|| format!("{} is not there", file.display()))?.id();
    house::mark_root_key(config)?;
    store.system().note(Actor::System, &OperatorAct::ChangeRootKey).await?;
    let next = root_change::begin(&file, &Random::System)?;
    let wrapped = store.system().change_root(&next).await;
    store.close().await;
    let wrapped = wrapped.context("the root key was not changed; everything is as it was")?;
    let kept = root_change::finish(&file, old)?;
    let (new, kept, file) = (next.id(), kept.display().to_string(), file.display().to_string());
    let text = format!(
        "The root key was changed: {wrapped} keys of tenants are wrapped by {new}.\n\n\
         1. Copy {file} to the safe place off this machine NOW, and say `belofte keys kept`. Without it nothing\n\
         can ever be read again.\n\
         2. With several nodes, put it in the place of the root key of each before it is started.\n\
         3. The old one is kept as {kept}: back-ups of keys that were made before need it. Run `belofte keys \
         backup`, and destroy it and its copies when the earlier back-ups may go.\n\n\
         De hoofdsleutel is vervangen. Bewaar nu een kopie van {file} buiten deze machine: zonder dit bestand is \
         niets nog leesbaar. De oude, {kept}, is alleen nodig voor eerdere reservekopieen van sleutels.\n"
    );
    cli.tell(&text, &json!({ "root_key": new, "file": file, "old_file": kept, "rewrapped": wrapped }))?;
    Ok(Done::Well)
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
        store.system().note(Actor::System, &OperatorAct::RotateKeys(Some(tenant.id))).await?;
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

async fn status(cli: &Cli, config: &Config, store: &Store) -> anyhow::Result<Done> {
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
    let mut backups = Vec::new();
    match second_place(config) {
        Err(_) => text.push_str(&format!("back-ups  none: {NO_PLACE}\n")),
        Ok(place) => {
            let all = place.list().context("the back-ups cannot be looked at")?;
            if all.is_empty() {
                text.push_str(&format!("back-ups  none yet in {}\n", place.folder().display()));
            }
            for backup in all {
                let (made, until) =
                    (Time(backup.made_at).to_rfc3339(), unreadable_from(config, backup.epoch));
                let word = if backup.opens { "opens until" } else { "unreadable since" };
                text.push_str(&format!("back-up {made}  epoch {}  {word} {until}\n", backup.epoch));
                backups.push(json!({
                    "file": backup.path, "made_at": made, "epoch": backup.epoch, "opens": backup.opens,
                    "unreadable_from": until,
                }));
            }
        }
    }
    let place = &config.vault.key_backup_dir;
    cli.tell(&text, &json!({ "tenants": values, "key_backup_dir": place, "backups": backups }))?;
    Ok(Done::Well)
}
