// SPDX-License-Identifier: EUPL-1.2
//! `belofte restore`: what is to be done after a database was put back.

use belofte_model::Actor;
use belofte_store::{Clock, OperatorAct, TenantDoubt};
use belofte_vault::Random;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{Cli, Done, house as rooms};
use crate::api::time::Time;
use crate::{house, restored};

/// What to do after a restore.
#[derive(Subcommand)]
pub enum Command {
    /// Tell whether content and keys belong together; changes nothing
    Status,
    /// Say that content and keys, as they are now, are the newest there is. What has no content
    /// may be destroyed from then on
    Accept,
}

/// Does what `command` asks.
pub fn run(cli: &Cli, command: &Command) -> anyhow::Result<Done> {
    let config = rooms::config(cli)?;
    rooms::run(async {
        let store = house::open_existing(&config, &Clock::System, &Random::System).await?;
        let doubts = match command {
            Command::Status => store.system().store_doubts().await,
            Command::Accept => match store.system().note(Actor::System, &OperatorAct::AcceptRestore).await {
                Ok(()) => store.system().accept_restore().await,
                Err(error) => Err(error),
            },
        };
        store.close().await;
        tell(cli, command, &doubts?)
    })
}

pub(super) fn value(doubt: &TenantDoubt) -> Value {
    json!({
        "tenant": doubt.slug, "id": doubt.tenant, "doubt": doubt.doubt.as_str(), "number": doubt.number,
        "agreed_at": doubt.agreed_at.map(|at| Time(at).to_rfc3339()),
    })
}

fn tell(cli: &Cli, command: &Command, doubts: &[TenantDoubt]) -> anyhow::Result<Done> {
    let values: Vec<_> = doubts.iter().map(value).collect();
    let slugs: Vec<_> =
        doubts.iter().map(|doubt| doubt.slug.clone().unwrap_or_else(|| doubt.tenant.to_string())).collect();
    let (text, done) = match command {
        Command::Status if doubts.is_empty() => (
            "Content and keys belong together.\nInhoud en sleutels horen bij elkaar.\n".to_owned(),
            Done::Well,
        ),
        Command::Status => {
            let lines: Vec<_> = doubts.iter().flat_map(restored::told).collect();
            (lines.join("\n") + "\n", Done::WithFindings)
        }
        Command::Accept if doubts.is_empty() => {
            ("There was nothing to accept.\nEr was niets te aanvaarden.\n".to_owned(), Done::Well)
        }
        Command::Accept => {
            let names = slugs.join(", ");
            let text = format!(
                "Accepted for: {names}. What has no content is destroyed from now on, when it is a week old.\n\
                 Aanvaard voor: {names}. Wat geen inhoud heeft wordt voortaan vernietigd, als het een week oud is.\n"
            );
            (text, Done::Well)
        }
    };
    let key = if matches!(command, Command::Status) { "doubts" } else { "accepted" };
    cli.tell(&text, &json!({ "ok": matches!(done, Done::Well), key: values }))?;
    Ok(done)
}
