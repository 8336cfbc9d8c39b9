// SPDX-License-Identifier: EUPL-1.2
//! `belofte ledger`: proves an exported ledger without the server that wrote it.

use std::error::Error as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use belofte_ledger::{Finding, Standing, verify_dir_with_key};
use clap::Subcommand;
use serde_json::json;

use super::{Cli, Done};

/// What to do with a ledger.
#[derive(Subcommand)]
pub enum Command {
    /// Name the first entry that was changed, removed, added or reordered; or say that none was
    Verify {
        /// The folder of the export
        dir: PathBuf,
        /// A checkpoint received earlier: shows that nothing was taken away since then
        #[arg(long, value_name = "FILE")]
        earlier: Option<PathBuf>,
        /// The verifier key that the ledger must be signed with
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

/// Does `command`.
pub fn run(cli: &Cli, command: &Command) -> anyhow::Result<Done> {
    match command {
        Command::Verify { dir, earlier, key } => verify(cli, dir, earlier.as_deref(), key.as_deref()),
    }
}

fn verify(cli: &Cli, dir: &Path, earlier: Option<&Path>, key: Option<&str>) -> anyhow::Result<Done> {
    let earlier = earlier
        .map(|path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display())))
        .transpose()?;
    match verify_dir_with_key(dir, earlier.as_deref(), key) {
        Ok(report) => {
            let since = match report.standing {
                Standing::Consistent => None,
                Standing::CompleteSince(size) => Some(size),
            };
            let value = json!({
                "ok": true,
                "origin": report.origin,
                "key": report.key,
                "size": report.size,
                "root": hex::encode(report.root),
                "complete_since": since,
            });
            let advice = if since.is_none() {
                "Entries after the newest one here, or before a checkpoint that you hold, cannot be judged: \
                 give --earlier the checkpoint of an export that you kept.\n"
            } else {
                ""
            };
            cli.tell(&format!("{report}\n{advice}"), &value)?;
            Ok(Done::Well)
        }
        Err(Finding::Unreadable { file, source }) => {
            Err(anyhow::Error::new(source).context(format!("cannot read {}", dir.join(file).display())))
        }
        Err(finding) => {
            let mut text = finding.to_string();
            let mut source = finding.source();
            while let Some(inner) = source {
                text = format!("{text}: {inner}");
                source = inner.source();
            }
            cli.tell(&format!("{text}\n"), &json!({ "ok": false, "finding": text }))?;
            Ok(Done::WithFindings)
        }
    }
}
