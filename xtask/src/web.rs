// SPDX-License-Identifier: EUPL-1.2
//! The npm workspace below web/: its packages, checks and builds, with the machine's own npm.

use crate::counts::{self, Counts};
use crate::shell::{self, Doing, Failure, Result};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn folder() -> PathBuf {
    shell::root().join("web")
}

fn npm() -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder());
    command
}

/// Whether `web/<member>` has this npm script; a failure when it has no package.json.
fn has_script(member: &str, script: &str) -> Result<bool> {
    let name = format!("web/{member}/package.json");
    let text = fs::read_to_string(shell::root().join(&name)).doing(&format!("read {name}"))?;
    let manifest: Value = serde_json::from_str(&text).doing(&format!("read {name}"))?;
    Ok(manifest["scripts"].get(script).is_some())
}

/// Refuses a Node that the build does not work with.
pub fn check_node() -> Result<String> {
    if !shell::on_path("node") || !shell::on_path("npm") {
        return Err(Failure::new(
            "Node.js 20 or newer with npm is needed to build the desk; install it first",
        ));
    }
    let version = shell::output(Command::new("node").arg("--version"))?;
    let version = version.trim();
    match version.trim_start_matches('v').split('.').next().unwrap_or_default().parse::<u32>() {
        Ok(major) if major >= 20 => Ok(format!("node {version}")),
        _ => Err(Failure::new(format!("Node.js 20 or newer is needed to build the desk; this is {version}"))),
    }
}

/// `npm ci`, only when the lock file is not the one that was installed last.
fn install() -> Result<()> {
    check_node()?;
    let wanted = fs::read(folder().join("package-lock.json")).doing("read web/package-lock.json")?;
    let stamp = folder().join("node_modules/.belofte-installed-lock");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    shell::run(npm().args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    fs::write(&stamp, wanted).doing("note which lock file is installed")
}

/// Pictures of every view of the desk, for people to look at. What a view says to the browser's
/// console, or to axe, is a failure.
pub fn shots(args: &[String]) -> Result<()> {
    install()?;
    shell::run(npm().args(["run", "shots", "-w", "@belofte/desk", "--"]).args(args))
}

/// Makes sure that the packages lie in web/node_modules; any version of the lock will do.
pub fn have_packages() -> Result<()> {
    if folder().join("node_modules").is_dir() { Ok(()) } else { install() }
}

/// The TypeScript types of an OpenAPI description; `description` is relative to the root.
pub fn openapi_types(description: &str) -> Result<String> {
    install()?;
    let mut tool = Command::new(folder().join("node_modules/.bin/openapi-typescript"));
    tool.arg(shell::root().join(description)).args(["--root-types", "--root-types-no-schema-prefix"]);
    shell::output(&mut tool)
}

/// Runs npm with these arguments; the tests that it counted.
fn counted(command: &mut Command, what: &str) -> Result<Counts> {
    let (lines, ok) = shell::tee(command)?;
    let counts = counts::read(&lines);
    if ok { Ok(counts) } else { Err(Failure::with_counts(format!("{what} failed"), counts)) }
}

/// Builds the desk into web/desk/dist, which the server carries inside its binary.
pub fn build() -> Result<()> {
    if !has_script("desk", "build")? {
        return Err(Failure::new("web/desk/package.json has no script \"build\""));
    }
    install()?;
    counted(npm().args(["run", "--silent", "build", "--workspace", "desk"]), "the build of the desk")
        .map(drop)
}

/// Lint, types and unit tests of every member.
pub fn check() -> Result<Counts> {
    install()?;
    counted(npm().args(["run", "--silent", "lint"]), "the lint of web/")?;
    let mut counts = Counts::default();
    for member in ["api-client", "desk"] {
        for script in ["typecheck", "test"] {
            if has_script(member, script)? {
                let what = format!("npm run {script} in web/{member}");
                counts += counted(npm().args(["run", "--silent", script, "--workspace", member]), &what)?;
            }
        }
    }
    Ok(counts)
}

/// The browser tests, against the server that `cargo` has built. That there are none is a failure.
pub fn end_to_end(postgres: &str) -> Result<Counts> {
    if !has_script("e2e", "test")? {
        return Err(Failure::new("web/e2e/package.json has no script \"test\""));
    }
    install()?;
    let mut command = npm();
    command.args(["run", "--silent", "test", "--workspace", "e2e"]);
    command.env(crate::postgres::VARIABLE, postgres).env("BELOFTE_BINARY", shell::binary());
    counted(&mut command, "browser tests")
}

/// A shift of three agents in three browsers: `--minutes N` (60), `--mails N` (200), `--seed N` (1).
pub fn shift(args: &[String]) -> Result<()> {
    let mut command = Command::new("node");
    command.arg(folder().join("e2e/shift.mjs")).env("BELOFTE_BINARY", shell::binary());
    for pair in args.chunks(2) {
        let (name, value) = match pair {
            [name, value] if value.parse::<u32>().is_ok_and(|number| number > 0) => (name.as_str(), value),
            _ => return Err(Failure::new("cargo xtask shift knows --minutes N, --mails N and --seed N")),
        };
        let variable = match name {
            "--minutes" => "BELOFTE_MINUTES",
            "--mails" => "BELOFTE_MAILS",
            "--seed" => "BELOFTE_SEED",
            _ => return Err(Failure::new(format!("cargo xtask shift does not know {name}"))),
        };
        command.env(variable, value);
    }
    build()?;
    shell::build()?;
    shell::run(&mut command)
}
