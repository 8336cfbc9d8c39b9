// SPDX-License-Identifier: EUPL-1.2
//! `belofte config`: checks the configuration, or explains it.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Cli, Done};
use crate::config::{Config, ConfigError, Finding, Origin, reference_page};

/// What to do with the configuration.
#[derive(Subcommand)]
pub enum Command {
    /// Tell everything that does not hold, and start nothing
    Check,
    /// Print the reference of all settings (Markdown)
    Reference,
}

/// Does `command`.
pub fn run(cli: &Cli, command: &Command) -> anyhow::Result<Done> {
    match command {
        Command::Check => check(cli),
        Command::Reference => {
            cli.print(&reference_page())?;
            Ok(Done::Well)
        }
    }
}

fn check(cli: &Cli) -> anyhow::Result<Done> {
    match Config::load_with_files(cli.config.as_deref(), &cli.around) {
        Ok(_) => {
            cli.tell("The configuration holds.\n", &json!({ "ok": true, "findings": [] }))?;
            Ok(Done::Well)
        }
        Err(ConfigError::Findings(findings)) => {
            let text: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
            let values: Vec<Value> = findings.iter().map(value).collect();
            cli.tell(&text, &json!({ "ok": false, "findings": values }))?;
            Ok(Done::WithFindings)
        }
        Err(error @ ConfigError::Unreadable { .. }) => {
            let ConfigError::Unreadable { path, .. } = &error else { return Err(error.into()) };
            let file = path.clone();
            let text = format!("{:#}", anyhow::Error::from(error));
            let finding =
                Finding { file, origin: Origin::Nowhere, key: String::new(), message: text.clone() };
            cli.tell(&format!("{text}\n"), &json!({ "ok": false, "findings": [value(&finding)] }))?;
            Ok(Done::WithFindings)
        }
    }
}

fn value(finding: &Finding) -> Value {
    let (line, variable) = match &finding.origin {
        Origin::Line(line) => (Some(line), None),
        Origin::Variable(name) => (None, Some(name)),
        Origin::Nowhere => (None, None),
    };
    json!({
        "file": finding.file,
        "line": line,
        "variable": variable,
        "key": finding.key,
        "message": finding.message,
    })
}
