// SPDX-License-Identifier: EUPL-1.2
//! `bench search`: search over sealed text against the engine's own full text over plaintext,
//! with fetching (and unsealing and verifying) of 50 hits.

use anyhow::bail;

use crate::Options;
use crate::data::{Chance, Language, Shape};
use crate::machine::{self, Watch};
use crate::peers::Cluster;
use crate::place::Engine;
use crate::report::{Report, percentile};
use crate::store_rate::{PlainSide, Sides, settle};

/// What a search brought.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// How many messages.
    pub count: usize,
    /// How much was fetched.
    pub bytes: usize,
}

/// Hits of one page.
const LIMIT: u32 = 50;
/// The text of a message, in bytes.
const TEXT: usize = 1_000;

/// A kind of question.
struct Class {
    name: &'static str,
    prefix: bool,
    queries: Vec<Vec<String>>,
}

/// Words by their rank in the language: rare ones, common ones, two of the middle, and what
/// somebody has typed after four letters.
fn classes(language: &Language, each: usize) -> Vec<Class> {
    let mut chance = Chance::new(4_242);
    let mut class = |name, from: usize, to: usize, words: usize, prefix: bool| {
        let mut one = || {
            let word = &language.words[from + chance.below(to - from)];
            if prefix { word.chars().take(4).collect() } else { word.clone() }
        };
        let queries = (0..each).map(|_| (0..words).map(|_| one()).collect()).collect();
        Class { name, prefix, queries }
    };
    vec![
        class("1 rare word", 3_000, 30_000, 1, false),
        class("1 common word", 30, 300, 1, false),
        class("2 middling words", 100, 2_000, 2, false),
        class("4 letters", 1_000, 30_000, 1, true),
    ]
}

/// The time of each query in milliseconds, and what was found.
#[derive(Default)]
struct Times {
    ours: Vec<f64>,
    theirs: Vec<f64>,
    our_hits: usize,
    their_hits: usize,
}

/// Runs it.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let usual = if options.quick { 10_000 } else { 100_000 };
    let count = options.messages.unwrap_or(usual);
    let mut report = Report::new("search");
    let language = Language::new();
    let cluster = if options.postgres { Some(Cluster::start().await?) } else { None };
    let mut different = Vec::new();
    for (wanted, engine) in [(options.sqlite, Engine::Sqlite), (options.postgres, Engine::Postgres)] {
        if wanted {
            let each = if options.quick { 60 } else { 300 };
            different.extend(
                engine_run(&mut report, &language, engine, cluster.as_ref(), count, each, options.runs)
                    .await?,
            );
        }
    }
    report.print();
    if !different.is_empty() {
        bail!("the two sides did not find the same, so their times do not compare: {}", different.join("; "));
    }
    Ok(())
}

async fn engine_run(
    report: &mut Report,
    language: &Language,
    engine: Engine,
    cluster: Option<&Cluster>,
    count: usize,
    each: usize,
    runs: usize,
) -> anyhow::Result<Vec<String>> {
    let mut sides = Sides::found(engine, cluster).await?;
    let watch = Watch::start();
    if let PlainSide::Postgres(plain) = &sides.plain {
        // How fast it is filled is measured by the bench of intake.
        plain.hurry().await?;
    }
    sides.fill(language, Shape { text: TEXT, file: 0 }, 5, count, true).await?;
    let store = sides.house.core.store.clone();
    settle(&sides, &store).await?;
    println!(
        "{}: {count} messages of about {TEXT} bytes on both sides in {:.0} s; load {}",
        engine.name(),
        watch.seconds(),
        machine::load()
    );
    let classes = classes(language, each);
    // Once to warm caches on both sides, then for the record.
    for class in &classes {
        ask(&sides, engine, class).await?;
    }
    let mut all: Vec<Vec<Times>> = Vec::new();
    for _ in 0..runs {
        let mut one = Vec::new();
        for class in &classes {
            one.push(ask(&sides, engine, class).await?);
        }
        all.push(one);
    }
    sides.close(cluster).await?;

    let pooled = |run: &[Times], prefix: Option<bool>, ours: bool| -> Vec<f64> {
        let wanted =
            run.iter().zip(&classes).filter(|(_, class)| prefix.is_none_or(|prefix| class.prefix == prefix));
        wanted.flat_map(|(times, _)| if ours { &times.ours } else { &times.theirs }).copied().collect()
    };
    let ratio = |prefix: bool| -> Vec<f64> {
        let p50 = |run: &[Times], ours| percentile(&pooled(run, Some(prefix), ours), 0.5);
        all.iter().map(|run| p50(run, true) / p50(run, false)).collect()
    };
    let (before, name) = (engine.prefix(), engine.name());
    report.figure(
        format!("{before}words_p50_vs_plain"),
        format!("{name}: middle of all searches for whole words; at most 1.5"),
        &ratio(false),
    );
    report.figure(
        format!("{before}prefix_p50_vs_plain"),
        format!("{name}: the same for the first letters of a word; at most 3"),
        &ratio(true),
    );
    let p99 = |run: &Vec<Times>, ours| percentile(&pooled(run, None, ours), 0.99);
    let over: Vec<f64> = all.iter().map(|run| p99(run, true) - p99(run, false)).collect();
    report.figure(
        format!("{before}p99_ms_over_plain"),
        format!("{name}: how much longer one search in a hundred takes, in ms; at most 5"),
        &over,
    );
    let mut different = Vec::new();
    for (at, class) in classes.iter().enumerate() {
        let of = |what: &dyn Fn(&Times) -> f64| all.iter().map(|run| what(&run[at])).collect::<Vec<f64>>();
        for (who, part) in [("p50", 0.5), ("p99", 0.99)] {
            report.beside(
                format!("({who} ours)"),
                format!("{name}: {}, ms", class.name),
                &of(&|t| percentile(&t.ours, part)),
            );
            report.beside(
                format!("({who} plain)"),
                format!("{name}: {}, ms", class.name),
                &of(&|t| percentile(&t.theirs, part)),
            );
        }
        let found = of(&|t| t.our_hits as f64 / t.their_hits.max(1) as f64);
        report.beside("(found)", format!("{name}: {}, hits of ours for one of plain", class.name), &found);
        if found.iter().any(|part| *part < 0.9) {
            different.push(format!("{name}, {}: {:.2} hits for one of plain", class.name, found[0]));
        }
    }
    Ok(different)
}

/// Asks every question of a class on both sides in turn.
async fn ask(sides: &Sides, engine: Engine, class: &Class) -> anyhow::Result<Times> {
    let store = &sides.house.core.store;
    let access = sides.place.service();
    let mut times = Times::default();
    for words in &class.queries {
        // As it is typed: a space after a word says that it is whole.
        let text = words.join(" ") + if class.prefix { "" } else { " " };
        let watch = Watch::start();
        let hits = store.search(&access, &text, None, LIMIT).await?;
        times.ours.push(watch.seconds() * 1e3);
        times.our_hits += hits.items.len();
        if hits.lag > 0 {
            bail!("{} messages were not in the index yet", hits.lag);
        }

        let expression = match engine {
            Engine::Sqlite => {
                let quoted =
                    words.iter().map(|word| format!("\"{word}\"{}", if class.prefix { "*" } else { "" }));
                quoted.collect::<Vec<_>>().join(" AND ")
            }
            Engine::Postgres => {
                let marked =
                    words.iter().map(|word| format!("{word}{}", if class.prefix { ":*" } else { "" }));
                marked.collect::<Vec<_>>().join(" & ")
            }
        };
        let watch = Watch::start();
        let found = match &sides.plain {
            PlainSide::Lite(lite) => lite.search(&expression, LIMIT as usize)?,
            PlainSide::Postgres(plain) => plain.search(&expression, LIMIT as usize).await?,
        };
        times.theirs.push(watch.seconds() * 1e3);
        times.their_hits += found.count;
        std::hint::black_box(found.bytes);
    }
    Ok(times)
}
