// SPDX-License-Identifier: EUPL-1.2
//! `cargo xtask test`: everything that has to hold before a change is good, each step timed.

use crate::counts::{self, Counts};
use crate::postgres::{self, Cluster};
use crate::shell::{self, Failure, Result, Stopwatch};
use crate::{codegen, packages, tidy, web};
use std::process::Command;
use std::time::Duration;

/// What a step that ended well has to say.
#[derive(Default)]
struct Done {
    note: String,
    counts: Counts,
}

struct Row {
    name: &'static str,
    took: Duration,
    outcome: Result<Done>,
}

impl Row {
    /// Runs a step and says so.
    fn of(name: &'static str, body: impl FnOnce() -> Result<Done>) -> Self {
        println!("\n== {name}");
        let watch = Stopwatch::start();
        let outcome = body();
        if let Err(failure) = &outcome {
            eprintln!("error: {name}: {failure}");
        }
        Self { name, took: watch.elapsed(), outcome }
    }
}

struct Report {
    watch: Stopwatch,
    rows: Vec<Row>,
    runner_summary: Option<String>,
}

impl Report {
    fn new() -> Self {
        Self { watch: Stopwatch::start(), rows: Vec::new(), runner_summary: None }
    }

    /// Runs one step; whether it ended well.
    fn step(&mut self, name: &'static str, body: impl FnOnce() -> Result<Done>) -> bool {
        let row = Row::of(name, body);
        let good = row.outcome.is_ok();
        self.rows.push(row);
        good
    }

    /// Prints the table and the closing line; a failure when a step failed.
    fn close(self) -> Result<()> {
        println!();
        let mut counts = Counts::default();
        let mut failed = Vec::new();
        for row in &self.rows {
            let (mark, note) = match &row.outcome {
                Ok(done) => {
                    counts += done.counts;
                    ("ok", done.note.clone())
                }
                Err(failure) => {
                    counts += failure.counts;
                    // A step that fails without a failed test is one failure in the closing line.
                    counts.failed += u64::from(failure.counts.failed == 0);
                    failed.push(row.name);
                    ("FAILED", first_line(&failure.to_string()))
                }
            };
            println!("{:<18}{:>8.1} s  {mark:<7} {note}", row.name, row.took.as_secs_f64());
        }
        println!("{:<18}{:>8.1} s", "together", self.watch.elapsed().as_secs_f64());
        if let Some(summary) = self.runner_summary {
            println!("{summary}");
        }
        println!("{counts}");
        if failed.is_empty() { Ok(()) } else { Err(Failure::new(format!("failed: {}", failed.join(", ")))) }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(100).collect()
}

/// `--quick` leaves out the browser and clippy; after `--` come arguments for the runner of
/// the Rust tests, and then only those run.
pub fn command(args: &[String]) -> Result<()> {
    let (own, runner) = match args.iter().position(|arg| arg == "--") {
        Some(at) => (&args[..at], Some(&args[at + 1..])),
        None => (args, None),
    };
    let quick = own.iter().any(|arg| arg == "--quick");
    if let Some(unknown) = own.iter().find(|arg| *arg != "--quick") {
        return Err(Failure::new(format!("cargo xtask test does not know {unknown:?}")));
    }
    if let Some(filter) = runner {
        packages::ensure()?;
        let cluster = Cluster::start()?;
        let (_, counts) = rust_tests(&cluster.url, filter)?;
        println!("{counts}");
        return Ok(());
    }
    all(quick)
}

fn all(quick: bool) -> Result<()> {
    let mut report = Report::new();
    // Checking apart compiles every dependency anew; where nothing is built yet, lints are checked on the way.
    let one_pass = !quick && (shell::in_ci() || !shell::binary().exists());
    if !report.step("packages", || packages::ensure().map(|note| Done { note, ..Done::default() })) {
        return report.close();
    }
    report.step("tidy", || tidy::check().map(|note| Done { note, ..Done::default() }));
    report.step("format", || {
        shell::run(shell::cargo().args(["fmt", "--all", "--check"])).map(|()| Done::default())
    });
    let desk = report.step("desk", || web::build().map(|()| Done::default()));
    if !desk && !shell::root().join("web/desk/dist/index.html").exists() {
        // The server carries the desk inside and does not compile without it.
        return report.close();
    }
    if one_pass && !report.step("linter", || shell::lint_what_is_built().map(|()| Done::default())) {
        return report.close();
    }
    // Each leaves a core idle now and then.
    let (web, built) = std::thread::scope(|scope| {
        let web = scope.spawn(|| {
            Row::of("web", || web::check().map(|counts| Done { note: counts.to_string(), counts }))
        });
        let note = if one_pass { "with lints" } else { "" };
        let built =
            Row::of("build", || build_tests().map(|()| Done { note: note.to_owned(), ..Done::default() }));
        (web.join(), built)
    });
    let good = built.outcome.is_ok();
    report.rows.extend([web.expect("a step does not panic"), built]);
    if !good {
        return report.close();
    }
    report.step("generated", || codegen::check().map(|note| Done { note, ..Done::default() }));

    let mut cluster = None;
    let started = report.step("postgres", || {
        let running = Cluster::start()?;
        cluster = Some(running);
        Ok(Done::default())
    });
    if started && let Some(cluster) = &cluster {
        let mut summary = None;
        report.step("rust tests", || {
            let (line, counts) = rust_tests(&cluster.url, &["--workspace".to_owned()])?;
            summary = line;
            Ok(Done { note: counts.to_string(), counts })
        });
        report.runner_summary = summary;
        if !quick {
            report.step("browser", || {
                let counts = web::end_to_end(&cluster.url)?;
                Ok(Done { note: counts.to_string(), counts })
            });
        }
    }
    drop(cluster);
    if !(quick || one_pass) {
        // Last, because it checks every dependency anew.
        report.step("clippy", || {
            let mut clippy = shell::cargo();
            clippy.args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]);
            shell::run(&mut clippy).map(|()| Done::default())
        });
    }
    report.close()
}

fn has_nextest() -> bool {
    shell::on_path("cargo-nextest")
}

/// `cargo nextest run` where it is there, else `cargo test`.
fn runner() -> Command {
    let mut command = shell::cargo();
    if has_nextest() {
        command.args(["nextest", "run"]);
    } else {
        command.arg("test");
    }
    command
}

/// The tests with the binary that they start, so that the next steps only run what is there, and the other programs.
fn build_tests() -> Result<()> {
    shell::run(runner().args(["--no-run", "--workspace", "--locked"]))?;
    shell::run(shell::cargo().args(["build", "--workspace", "--bins", "--locked"]))
}

fn rust_tests(postgres: &str, args: &[String]) -> Result<(Option<String>, Counts)> {
    let mut command = runner();
    // All that fails is told at once; building has no such option.
    command.arg("--no-fail-fast").args(args).env(postgres::VARIABLE, postgres);
    if has_nextest() {
        // Many tests wait, for a mail server or a moment that comes: three of them keep two cores busy.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        command.env("NEXTEST_TEST_THREADS", (cores + cores.div_ceil(2)).to_string());
    }
    let (lines, ok) = shell::tee(&mut command)?;
    let counts = counts::read(&lines);
    let summary = counts::summary(&lines);
    if ok {
        Ok((summary, counts))
    } else {
        Err(Failure::with_counts(summary.unwrap_or_else(|| "the Rust tests failed".to_owned()), counts))
    }
}
