// SPDX-License-Identifier: EUPL-1.2
//! Running programs, and the few things about the machine that every command needs.

use crate::counts::Counts;
use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Why a command stopped: one text for the person at the terminal.
#[derive(Debug)]
pub struct Failure {
    text: String,
    /// What a test runner counted before it failed.
    pub counts: Counts,
}

impl Failure {
    /// A failure with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), counts: Counts::default() }
    }

    /// A failure of tests, of which these were counted.
    pub fn with_counts(text: impl Into<String>, counts: Counts) -> Self {
        Self { text: text.into(), counts }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Failure>;

/// Adds what was being done to an error of the system.
pub trait Doing<T> {
    /// `what` reads as "cannot {what}: {error}".
    fn doing(self, what: &str) -> Result<T>;
}

impl<T, E: fmt::Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: &str) -> Result<T> {
        self.map_err(|error| Failure::new(format!("cannot {what}: {error}")))
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root").to_owned()
}

fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    root().join(target)
}

/// Builds the product, as its commands of this tool run it.
pub fn build() -> Result<()> {
    run(cargo().args(["build", "--locked", "--package", "belofte-server", "--bin", "belofte"]))
}

/// The server that `cargo build` makes.
pub fn binary() -> PathBuf {
    target().join("debug/belofte")
}

/// A program that `cargo build --release` makes.
pub fn release(name: &str) -> PathBuf {
    target().join("release").join(name)
}

/// Whether this runs unattended.
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Measures how long a step takes.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[allow(clippy::disallowed_methods, reason = "times the steps of a build, decides nothing")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits between two looks at a process that is starting.
#[allow(clippy::disallowed_methods, reason = "waits for another process, which has no clock to inject")]
pub fn pause(length: Duration) {
    std::thread::sleep(length);
}

/// `cargo`, the one that started us.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    if in_ci() {
        // Nobody builds there twice or steps through what failed; places of panics are told all the same.
        command.env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_DEBUG", "none");
    }
    if in_ci() && LINTING.load(Ordering::Relaxed) {
        // A server gathers chance from the jitter of the processor when it starts, beside that of the kernel: a
        // fourteenth of all that the tests do, who start hundreds of them. What is shipped does.
        command.env("AWS_LC_SYS_NO_JITTER_ENTROPY", "1");
    }
    if LINTING.load(Ordering::Relaxed) {
        command.env("RUSTC_WORKSPACE_WRAPPER", LINTER).env("CLIPPY_ARGS", DENY_WARNINGS);
    }
    command
}

/// The compiler with Clippy in it.
const LINTER: &str = "clippy-driver";

/// `-D warnings`, as `cargo clippy` hands over what stands behind its `--`.
const DENY_WARNINGS: &str = "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__";

static LINTING: AtomicBool = AtomicBool::new(false);

/// From now on whatever [`cargo`] compiles of the workspace is linted on its way, and a warning is an error. A failure
/// when the linter is not there, or lets pass what it has to refuse.
pub fn lint_what_is_built() -> Result<()> {
    const WARNED: &[u8] =
        b"#![crate_type = \"lib\"]\npub fn never(yes: bool) -> bool {\n    yes == true\n}\n";
    let made = std::env::temp_dir().join(format!("belofte-linter-{}.rmeta", std::process::id()));
    let lint = |arguments: &str| {
        let mut linter = Command::new(LINTER);
        linter.args(["-", "--emit=metadata", "-o"]).arg(&made);
        output_with_input(linter.env("CLIPPY_ARGS", arguments).stderr(Stdio::null()), WARNED)
    };
    let (allowed, denied) = (lint(""), lint(DENY_WARNINGS));
    // Nothing depends on its removal.
    let _ = std::fs::remove_file(&made);
    allowed.map_err(|error| Failure::new(format!("{error}; rustup component add clippy")))?;
    if denied.is_ok() {
        return Err(Failure::new(format!("{LINTER} lets a warning pass that it has to refuse")));
    }
    LINTING.store(true, Ordering::Relaxed);
    Ok(())
}

/// The command as a person would type it: programs of the machine by their name alone.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs a command with our terminal; anything but success is a failure that names it.
pub fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command.status().doing(&format!("start {}", shown(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{} ended with {status}", shown(command))))
    }
}

/// Runs a command and returns its standard output; its standard error goes to our terminal.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().doing(&format!("start {}", shown(command)))?;
    if !output.status.success() {
        return Err(Failure::new(format!("{} ended with {}", shown(command), output.status)));
    }
    String::from_utf8(output.stdout).doing(&format!("read what {} printed", shown(command)))
}

/// Runs a command, gives it `input`, and returns its standard output.
pub fn output_with_input(command: &mut Command, input: &[u8]) -> Result<String> {
    let name = shown(command);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().doing(&format!("start {name}"))?;
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(input).doing(&format!("write to {name}"))?;
    drop(stdin);
    let output = child.wait_with_output().doing(&format!("wait for {name}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        return Err(Failure::new(format!("{name} ended with {}: {}", output.status, said.trim())));
    }
    String::from_utf8(output.stdout).doing(&format!("read what {name} printed"))
}

/// Runs a command, passing on every line of both outputs as it comes, and returns all of
/// them with whether the command succeeded.
pub fn tee(command: &mut Command) -> Result<(Vec<String>, bool)> {
    println!("$ {}", shown(command));
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .doing(&format!("start {}", shown(command)))?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    let other = std::thread::spawn(move || pass_on(stderr));
    let mut lines = pass_on(stdout);
    lines.extend(other.join().unwrap_or_default());
    let status = child.wait().doing(&format!("wait for {}", shown(command)))?;
    Ok((lines, status.success()))
}

fn pass_on(source: impl Read) -> Vec<String> {
    let mut lines = Vec::new();
    let mut reader = BufReader::new(source);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        println!("{line}");
        lines.push(line);
        bytes.clear();
    }
    lines
}

/// The id of the user that runs this; 0 is root.
pub fn user_id() -> Result<u32> {
    output(Command::new("id").arg("-u"))?.trim().parse().doing("read the user id")
}

/// Whether a program with this name is on the path.
pub fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
