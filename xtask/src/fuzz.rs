// SPDX-License-Identifier: EUPL-1.2
//! `cargo xtask fuzz [TARGET] [--seconds N]`: octets that nobody would think of, for every parser
//! that strangers can reach.
//!
//! libFuzzer with the coverage that the stable compiler can weave in (`-C passes=sancov-module`);
//! neither nightly nor cargo-fuzz. Without the address sanitiser, which needs nightly: our code holds no
//! `unsafe`, so that panics, overflows, broken promises, endless loops and memory are what there is to find.

use crate::shell::{self, Doing, Failure, Result};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What libFuzzer steers by: edges, counted, and what comparisons compare.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";
/// How long each target runs.
const SECONDS: u32 = 60;

struct Target {
    name: String,
    features: Vec<String>,
}

/// What was asked for: a target or all of them, and for how long.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    target: Option<String>,
    seconds: u32,
}

fn asked(args: &[String]) -> Result<Asked> {
    let mut asked = Asked { target: None, seconds: SECONDS };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let number = args.next().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
            asked.seconds = number.ok_or_else(|| Failure::new("--seconds wants a number of seconds"))?;
        } else if arg.starts_with('-') || asked.target.is_some() {
            return Err(Failure::new(format!("cargo xtask fuzz does not know {arg:?}")));
        } else {
            asked.target = Some(arg.clone());
        }
    }
    Ok(asked)
}

/// The targets of fuzz/Cargo.toml, in their order.
fn targets(manifest: &str) -> Result<Vec<Target>> {
    let manifest: toml::Table = manifest.parse().doing("read fuzz/Cargo.toml")?;
    let bins = manifest.get("bin").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    Ok(bins
        .iter()
        .filter_map(|bin| {
            let name = bin.get("name")?.as_str()?.to_owned();
            let features = bin.get("required-features").and_then(toml::Value::as_array);
            let features = features.into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned()));
            Some(Target { name, features: features.collect() })
        })
        .collect())
}

/// The name of this machine for the compiler. With it the coverage goes into what is fuzzed, and not
/// into what builds it.
fn host() -> Result<String> {
    let told = shell::output(Command::new("rustc").arg("-vV"))?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::new("rustc -vV names no host"))
}

/// Builds the targets and runs one after the other.
pub fn command(args: &[String]) -> Result<()> {
    let asked = asked(args)?;
    let folder = shell::root().join("fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).doing("read fuzz/Cargo.toml")?;
    let mut targets = targets(&manifest)?;
    if let Some(name) = &asked.target {
        let known: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
        targets.retain(|target| target.name == *name);
        if targets.is_empty() {
            return Err(Failure::new(format!("no target {name:?}; there are {}", known.join(", "))));
        }
    }
    if !["c++", "g++", "clang++"].iter().any(|compiler| shell::on_path(compiler)) {
        return Err(Failure::new("libFuzzer's runtime needs a C++ compiler: apt-get install g++"));
    }
    let host = host()?;
    let built = folder.join("target").join(&host).join("release");
    let features: Vec<&str> =
        targets.iter().flat_map(|target| target.features.iter().map(String::as_str)).collect();
    let mut build = shell::cargo();
    build.current_dir(&folder).env("RUSTFLAGS", COVERAGE).env("CARGO_TARGET_DIR", folder.join("target"));
    build.args(["build", "--release", "--locked", "--target", &host, "--features", &features.join(",")]);
    for target in &targets {
        build.args(["--bin", &target.name]);
    }
    shell::run(&mut build)?;
    let mut failed = Vec::new();
    for target in &targets {
        let (line, sound) = fuzz(&folder, &built.join(&target.name), &target.name, asked.seconds)?;
        println!("{line}");
        if !sound {
            failed.push(target.name.as_str());
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "findings of {}: mend each, and put what found it into a test; the inputs lie in fuzz/artifacts",
            failed.join(", ")
        )))
    }
}

/// Runs one target; a line for people, and whether it found nothing.
fn fuzz(folder: &std::path::Path, program: &PathBuf, name: &str, seconds: u32) -> Result<(String, bool)> {
    // What it learns stays on this machine; what is committed is small and chosen.
    let learnt = folder.join("target/corpus").join(name);
    let artifacts = folder.join("artifacts").join(name);
    for new in [&learnt, &artifacts] {
        fs::create_dir_all(new).doing(&format!("make {}", new.display()))?;
    }
    let mut command = Command::new(program);
    command
        .args([&format!("-max_total_time={seconds}"), "-print_final_stats=1", "-max_len=8192"])
        .args(["-timeout=20", "-rss_limit_mb=2048"])
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(&learnt)
        .arg(folder.join("corpus").join(name));
    let output = command.stdin(Stdio::null()).output().doing(&format!("start the target {name}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    let figure = |what: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(&format!("stat::{what}:")));
        line.map_or("?".to_owned(), |figure| figure.trim().to_owned())
    };
    let sound = output.status.success();
    if !sound {
        let from = told.find("panicked at").or_else(|| told.find("ERROR: libFuzzer"));
        println!("{}", &told[from.unwrap_or(0)..]);
    }
    let (runs, units) = (figure("number_of_executed_units"), figure("new_units_added"));
    let verdict = if sound { "no finding" } else { "A FINDING" };
    Ok((format!("{name:<16}{runs:>12} executions {units:>8} new inputs   {verdict}"), sound))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_target_and_a_time_may_be_given() {
        assert_eq!(asked(&[]).unwrap(), Asked { target: None, seconds: SECONDS });
        let both = Asked { target: Some("mime".to_owned()), seconds: 5 };
        assert_eq!(asked(&words("mime --seconds 5")).unwrap(), both);
        for wrong in ["--seconds", "--seconds x", "--seconds 0", "a b", "--fast"] {
            assert!(asked(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_target_has_its_file_and_its_seeds() {
        let folder = shell::root().join("fuzz");
        let targets = targets(&fs::read_to_string(folder.join("Cargo.toml")).unwrap()).unwrap();
        assert!(targets.len() >= 7);
        for Target { name, .. } in targets {
            assert!(folder.join(format!("fuzz_targets/{name}.rs")).is_file(), "{name}");
            assert!(fs::read_dir(folder.join("corpus").join(&name)).unwrap().count() >= 3, "{name}");
        }
    }
}
