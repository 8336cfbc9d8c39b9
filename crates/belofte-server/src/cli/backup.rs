// SPDX-License-Identifier: EUPL-1.2
//! `belofte backup`: a copy of content, made while the server runs.

use std::path::Path;

use anyhow::Context as _;
use belofte_model::Actor;
use belofte_store::{Clock, OperatorAct};
use belofte_vault::Random;
use serde_json::json;

use super::{Cli, Done, house as rooms};
use crate::house;

/// Copies content to `dir`.
pub fn run(cli: &Cli, dir: &Path) -> anyhow::Result<Done> {
    let config = rooms::config(cli)?;
    rooms::run(async {
        let store = house::open_existing(&config, &Clock::System, &Random::System).await?;
        let done = match store.system().note(Actor::System, &OperatorAct::BackUpContent).await {
            Ok(()) => store.back_up_content(dir).await,
            Err(error) => Err(error),
        };
        store.close().await;
        let done = done.with_context(|| format!("no back-up was made in {}", dir.display()))?;
        let database = if done.database {
            "content.db is in it"
        } else {
            "back up the content database with the tools of PostgreSQL, before this"
        };
        let text = format!(
            "{}: {database}; {} blobs were copied and {} were there. There are no keys in it.\n",
            dir.display(),
            done.copied,
            done.kept
        );
        let (copied, kept) = (done.copied, done.kept);
        cli.tell(
            &text,
            &json!({ "folder": dir, "database": done.database, "copied": copied, "kept": kept }),
        )?;
        Ok(Done::Well)
    })
}
