// SPDX-License-Identifier: EUPL-1.2
//! `cargo xtask tidy`: the invariants of ARCHITECTURE.md that a program can check.
//!
//! Each rule is a function from the files of the repository to what it found, and has a test
//! in which a violation is planted.

mod catalogue;
mod code;
mod crates;
mod files;
mod lexer;

use crate::metadata;
use crate::shell::{self, Doing, Failure, Result};
use std::fmt;
use std::fs;
use std::process::Command;

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    text: String,
}

impl Finding {
    fn new(rule: &'static str, path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, rule, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: [{}] {}", self.path, self.line, self.rule, self.text)
    }
}

/// One text file of the repository.
pub struct File {
    /// Its path below the root, with `/`.
    path: String,
    text: String,
}

/// The text files of the repository, and the paths of all files.
#[derive(Default)]
pub struct Tree {
    files: Vec<File>,
    paths: Vec<String>,
}

impl Tree {
    /// What git knows, and what it would take up: not what it is told to ignore.
    fn read() -> Result<Self> {
        let root = shell::root();
        let list = shell::output(Command::new("git").current_dir(&root).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?;
        let mut tree = Self::default();
        for path in list.split('\0').filter(|path| !path.is_empty()) {
            // A file that was removed and not yet committed is in the list, but not there.
            // A link to a folder is there and has no text.
            if root.join(path).is_dir() {
                tree.paths.push(path.to_owned());
                continue;
            }
            let Ok(bytes) = fs::read(root.join(path)) else { continue };
            tree.paths.push(path.to_owned());
            if let Ok(text) = String::from_utf8(bytes) {
                tree.files.push(File { path: path.to_owned(), text });
            }
        }
        if tree.files.is_empty() { Err(Failure::new("git lists no files here")) } else { Ok(tree) }
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files.iter().map(|(p, t)| File { path: (*p).to_owned(), text: (*t).to_owned() }).collect(),
            paths: files.iter().map(|(p, _)| (*p).to_owned()).collect(),
        }
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    fn with_extension<'a>(&'a self, extension: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.rsplit_once('.').is_some_and(|(_, e)| e == extension))
    }
}

type Rule = fn(&Tree) -> Vec<Finding>;

/// The rules that look at files alone. Those on dependencies ask cargo first.
const RULES: &[(&str, Rule)] = &[
    ("sql", code::sql),
    ("status", code::status),
    ("spawn", code::spawn),
    ("threads", code::threads),
    ("outbound", code::outbound),
    ("transaction", code::transaction),
    ("closed", code::open_sets),
    ("personal", code::personal),
    ("ignore", code::ignored),
    ("marks", code::marks),
    ("crate-doc", code::crate_docs),
    ("spdx", files::spdx),
    ("length", files::length),
    ("machine", files::machine_paths),
    ("lock", files::locks),
    ("corpus", files::corpora),
    ("catalogue", catalogue::languages),
    ("error-code", catalogue::error_codes),
];

/// Prints what breaks a rule.
pub fn command(args: &[String]) -> Result<()> {
    if let Some(unknown) = args.first() {
        return Err(Failure::new(format!("cargo xtask tidy does not know {unknown:?}")));
    }
    check().map(|note| println!("{note}"))
}

/// Prints what breaks a rule; a failure when anything does.
pub fn check() -> Result<String> {
    let tree = Tree::read()?;
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|(_, rule)| rule(&tree)).collect();
    let metadata = metadata::read()?;
    findings.extend(crates::directions(&metadata));
    let policy = tree.text("deny.toml").ok_or_else(|| Failure::new("there is no deny.toml"))?;
    findings.extend(crates::licences(policy, &metadata.all).doing("read deny.toml")?);
    findings.extend(crates::licences(policy, &metadata::read_npm()?).doing("read deny.toml")?);
    findings.sort();
    findings.dedup();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(format!("{} files, {} rules", tree.files.len(), RULES.len() + 2)),
        count => Err(Failure::new(format!("{count} findings; each names its rule and place"))),
    }
}
