// SPDX-License-Identifier: EUPL-1.2
//! `bench intake`: the store against the plain alternative, the house against Postfix and Dovecot.

use std::time::Duration;

use anyhow::bail;

use crate::Options;
use crate::data::{Language, USUAL, Writer};
use crate::machine::{Watch, pause};
use crate::peers::{Cluster, MailServers, Tail};
use crate::place::Engine;
use crate::report::Report;
use crate::smtp::{self, Parcel};
use crate::store_rate::{LANES, Sides};
use crate::{house, machine};

/// Runs it.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let usual = if options.quick { 2_000 } else { 20_000 };
    let count = options.messages.unwrap_or(usual);
    let engines: Vec<Engine> = [(options.sqlite, Engine::Sqlite), (options.postgres, Engine::Postgres)]
        .into_iter()
        .filter_map(|(wanted, engine)| wanted.then_some(engine))
        .collect();
    let mut report = Report::new("intake");
    let language = Language::new();
    println!(
        "{count} mails of about 4 kB, one in ten with a file of 50 kB; {LANES} lanes; {} runs; load {}",
        options.runs,
        machine::load()
    );
    let cluster = if options.postgres { Some(Cluster::start().await?) } else { None };

    // The store by itself: a run has half as many messages, since each is written twice.
    for engine in &engines {
        store(&mut report, &language, *engine, cluster.as_ref(), count.div_ceil(2), options.runs).await?;
    }

    // The whole way in, and the peers, in turn.
    let parcels: Vec<Parcel> =
        Writer::new(&language, USUAL, 99).mails(count).iter().map(Parcel::new).collect();
    let mut runs: Vec<Vec<house::Run>> = engines.iter().map(|_| Vec::new()).collect();
    let mut peers = Vec::new();
    for number in 0..options.runs {
        for (engine, runs) in engines.iter().zip(&mut runs) {
            let run = house::run(*engine, cluster.as_ref(), LANES, &parcels).await?;
            println!(
                "run {}: {} {:.0} mails/s (acknowledged at {:.0}), {:.3} ms of processor each and {:.3} for the index, {:.0} MB",
                number + 1,
                engine.name(),
                run.rate,
                run.acknowledged,
                run.cpu,
                run.index_cpu,
                run.memory
            );
            runs.push(run);
        }
        let rate = tokio::task::block_in_place(|| postfix_to_dovecot(&parcels))?;
        println!("run {}: Postfix to Dovecot {rate:.0} mails/s; load {}", number + 1, machine::load());
        peers.push(rate);
    }
    for (engine, runs) in engines.iter().zip(&runs) {
        let of = |what: fn(&house::Run) -> f64| runs.iter().map(what).collect::<Vec<f64>>();
        let (prefix, name) = (engine.prefix(), engine.name());
        let ratios: Vec<f64> = runs.iter().zip(&peers).map(|(run, peer)| run.rate / peer).collect();
        report.figure(
            format!("{prefix}cpu_ms_per_message"),
            format!("{name}: processor time of the server from the socket to the commit; at most 1.0"),
            &of(|run| run.cpu),
        );
        report.beside(
            "(index ms)",
            format!("{name}: processor time of the indexer, after the commit, per mail"),
            &of(|run| run.index_cpu),
        );
        report.figure(
            format!("{prefix}rate_vs_postfix_dovecot"),
            format!("{name}: rate against Postfix and Dovecot in the same run; at least 3"),
            &ratios,
        );
        report.figure(
            format!("{prefix}messages_per_s"),
            format!("{name}: until the last one was filed and indexed"),
            &of(|run| run.rate),
        );
        report.figure(
            format!("{prefix}rss_mb"),
            format!("{name}: peak of the server's memory; at most 250"),
            &of(|run| run.memory),
        );
        let cluster: Vec<f64> = runs.iter().filter_map(|run| run.cluster_cpu).collect();
        if !cluster.is_empty() {
            report.beside(
                "(cluster ms)",
                "processor time of PostgreSQL beside the server, per mail",
                &cluster,
            );
        }
    }
    report.beside("(peers)", "Postfix to Dovecot, mails a second", &peers);
    report.print();
    Ok(())
}

async fn store(
    report: &mut Report,
    language: &Language,
    engine: Engine,
    cluster: Option<&Cluster>,
    count: usize,
    runs: usize,
) -> anyhow::Result<()> {
    let (mut ratios, mut ours, mut theirs, mut our_cpu, mut their_cpu) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in 0..runs {
        let mut sides = Sides::found(engine, cluster).await?;
        let times = sides.fill(language, USUAL, number as u64 + 1, count, number % 2 == 0).await?;
        sides.close(cluster).await?;
        let each = |seconds: f64| seconds * 1e3 / count as f64;
        println!(
            "run {}: {} store {:.0} messages/s ({:.3} ms of processor each), plain {:.0}/s ({:.3} ms)",
            number + 1,
            engine.name(),
            count as f64 / times.ours,
            each(times.our_cpu),
            count as f64 / times.theirs,
            each(times.their_cpu)
        );
        ratios.push(times.theirs / times.ours);
        ours.push(count as f64 / times.ours);
        theirs.push(count as f64 / times.theirs);
        our_cpu.push(each(times.our_cpu));
        their_cpu.push(each(times.their_cpu));
    }
    let (prefix, name) = (engine.prefix(), engine.name());
    report.figure(
        format!("{prefix}store_rate_vs_plain"),
        format!("{name}: the store's whole write against the same rows in plaintext; at least 0.6"),
        &ratios,
    );
    report.beside("(store)", format!("{name}: messages a second, sealed and indexed"), &ours);
    report.beside("(plain)", format!("{name}: messages a second, plaintext with full text"), &theirs);
    report.beside("(store ms)", format!("{name}: processor time of the client's side, each"), &our_cpu);
    report.beside("(plain ms)", format!("{name}: the same of the plain alternative"), &their_cpu);
    Ok(())
}

/// Mails a second until the last one lies in its mailbox.
fn postfix_to_dovecot(parcels: &[Parcel]) -> anyhow::Result<f64> {
    let servers = MailServers::start(LANES)?;
    // Postfix opens its log with the first connection, which was our look whether it listens.
    let watch = Watch::start();
    let mut log = loop {
        match Tail::at_end(&servers.log()) {
            Ok(log) => break log,
            Err(error) if watch.elapsed() > Duration::from_secs(10) => return Err(error),
            Err(_) => pause(Duration::from_millis(20)),
        }
    };
    let watch = Watch::start();
    smtp::send(servers.smtp, LANES, parcels)?;
    let mut delivered = 0;
    while delivered < parcels.len() {
        delivered += log.count("status=sent", "status=deferred")?;
        if watch.elapsed() > Duration::from_secs(600) {
            bail!("Postfix delivered {delivered} of {} mails in ten minutes", parcels.len());
        }
        pause(Duration::from_millis(5));
    }
    let seconds = watch.seconds();
    let lie = servers.delivered()?;
    if lie != parcels.len() {
        bail!("{lie} mails lie in the mailboxes, and not {}", parcels.len());
    }
    Ok(parcels.len() as f64 / seconds)
}
