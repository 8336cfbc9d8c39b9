// SPDX-License-Identifier: EUPL-1.2
//! `bench desk`: how long people wait for the first page of an inbox of 100,000 conversations and
//! for a conversation of 2,000 messages, and what an idle server with ten tenants holds in memory.
//!
//! The conversations are filed through the store; the rest is the `belofte` program, asked over
//! HTTPS and by Chromium (`web/e2e/measure.mjs`).

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::Options;
use crate::data::{Language, Shape, Writer};
use crate::house::serve;
use crate::machine::{self, Watch, pause};
use crate::peers::Cluster;
use crate::place::{Engine, Place};
use crate::report::{Report, percentile};
use crate::store_rate::{LANES, fill};

/// The text of a message, in bytes.
const TEXT: usize = 400;
/// Messages of the long conversation.
const LONG: usize = 2_000;
/// What its subject says, and no other.
const LONG_SUBJECT: &str = "Langlopendezaak";
/// So many mails are made at a time.
const TURN: usize = 2_000;
/// Tenants of the idle server.
const TENANTS: usize = 10;

/// Runs it.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let usual = if options.quick { 10_000 } else { 100_000 };
    let count = options.messages.unwrap_or(usual);
    let mut report = Report::new("desk");
    let language = Language::new();
    let cluster = if options.postgres { Some(Cluster::start().await?) } else { None };
    for (wanted, engine) in [(options.sqlite, Engine::Sqlite), (options.postgres, Engine::Postgres)] {
        if wanted {
            inbox(&mut report, &language, engine, cluster.as_ref(), count, options).await?;
            idle(&mut report, engine, cluster.as_ref()).await?;
        }
    }
    report.print();
    Ok(())
}

/// Fills an inbox and lets a person open it.
async fn inbox(
    report: &mut Report,
    language: &Language,
    engine: Engine,
    cluster: Option<&Cluster>,
    count: usize,
    options: Options,
) -> anyhow::Result<()> {
    let place = Place::found(engine, cluster).await?;
    let house = place.open().await?;
    let mut writer = Writer::new(language, Shape { text: TEXT, file: 0 }, 7);
    let watch = Watch::start();
    let long = if options.quick { LONG / 10 } else { LONG };
    let mut mails = writer.mails(long);
    let (root, from, name) = (mails[0].message_id.clone(), mails[0].from.clone(), mails[0].from_name.clone());
    for (number, mail) in mails.iter_mut().enumerate() {
        (mail.from, mail.from_name, mail.mailbox) = (from.clone(), name.clone(), 0);
        LONG_SUBJECT.clone_into(&mut mail.subject);
        mail.references = if number == 0 { Vec::new() } else { vec![root.clone()] };
    }
    // One after the other: they belong to one conversation.
    fill(&place, &house, &mails, 1).await?;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        let mut mails = writer.mails(left.min(TURN));
        left -= mails.len();
        for mail in &mut mails {
            mail.references.clear();
        }
        fill(&place, &house, &mails, LANES).await?;
    }
    house.close().await;
    if let Some((content, keys)) = &place.databases {
        // What upkeep of the cluster would do within minutes.
        for url in [content, keys] {
            crate::peers::execute(&Cluster::as_superuser(url), "VACUUM ANALYZE").await?;
        }
    }
    println!(
        "{}: {count} conversations in {:.0} s; load {}",
        engine.name(),
        watch.seconds(),
        machine::load()
    );

    let server = serve(&place)?;
    let (before, name) = (engine.prefix(), engine.name());
    let mut told = Vec::new();
    for _ in 0..options.runs {
        // The first run uses the invitation; the person of a later one signs in again.
        let rounds = if options.quick { 60 } else { 200 };
        told.push(measure(&place, server.desk, rounds, told.is_empty()).with_context(|| server.told())?);
    }
    drop(server);
    let each = |what: &str, part: f64| -> Vec<f64> {
        told.iter().map(|run| percentile(&numbers(&run[what]), part)).collect()
    };
    for (figure, part) in [("p50", 0.5), ("p99", 0.99)] {
        report.figure(
            format!("{before}inbox_ms_{figure}"),
            format!(
                "{name}: the call for the first page of {count} open conversations, {figure}; at most 100"
            ),
            &each("inbox", part),
        );
        report.beside(
            format!("(unassigned {figure})"),
            format!("{name}: the same of those that are nobody's, ms"),
            &each("unassigned", part),
        );
        report.beside(
            format!("(counts {figure})"),
            format!("{name}: the numbers above the list, ms"),
            &each("counts", part),
        );
    }
    report.figure(
        format!("{before}inbox_first_paint_ms"),
        format!("{name}: from the navigation until the first row is painted in Chromium, p50"),
        &each("paint", 0.5),
    );
    report.figure(
        format!("{before}inbox_open_ms"),
        format!(
            "{name}: from the click in a desk that is open until the first row is painted, p50; at most 100"
        ),
        &each("within", 0.5),
    );
    report.figure(
        format!("{before}thread_open_ms"),
        format!("{name}: from the click until a conversation of {long} messages is painted, p50"),
        &each("opened", 0.5),
    );
    let read =
        |what: &str| -> Vec<f64> { told.iter().filter_map(|run| run["read"][what].as_f64()).collect() };
    report.beside(
        "(scroll worst)",
        format!("{name}: longest frame while reading it back to its beginning, ms"),
        &read("worst"),
    );
    report.beside(
        "(scroll most)",
        format!("{name}: messages in the page at a time while doing so"),
        &read("most"),
    );
    report.beside("(scroll whole)", format!("{name}: seconds of reading back"), &read("seconds"));
    Ok(())
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// Lets Chromium look; what `measure.mjs` tells.
fn measure(place: &Place, desk: u16, rounds: usize, first: bool) -> anyhow::Result<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/e2e/measure.mjs");
    let mut command = Command::new("node");
    command
        .arg(script)
        .env("BELOFTE_URL", format!("https://localhost:{desk}"))
        .env("BELOFTE_ROUNDS", rounds.to_string())
        .env("BELOFTE_LONG", LONG_SUBJECT);
    if first {
        command.env("BELOFTE_INVITATION", &place.invitation);
    }
    let output = command.output().context("cannot start node")?;
    if !output.status.success() {
        bail!("measure.mjs: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8(output.stdout)?;
    serde_json::from_str(text.trim().lines().last().unwrap_or_default()).context("measure.mjs tells JSON")
}

/// Starts a server with ten tenants and lets it rest.
async fn idle(report: &mut Report, engine: Engine, cluster: Option<&Cluster>) -> anyhow::Result<()> {
    let place = Place::found(engine, cluster).await?;
    place.found_more(TENANTS - 1).await?;
    let server = serve(&place)?;
    pause(Duration::from_secs(10));
    let memory = machine::memory(server.process())?;
    drop(server);
    report.figure(
        format!("{}idle_rss_mb", engine.prefix()),
        format!("{}: memory of the idle server with {TENANTS} tenants, MB; below 60", engine.name()),
        &[memory],
    );
    Ok(())
}
