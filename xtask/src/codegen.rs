// SPDX-License-Identifier: EUPL-1.2
//! `cargo xtask codegen`: the committed files that a program makes, and the check that none
//! of them is stale.

use crate::metadata::{self, Dependency};
use crate::shell::{self, Doing, Failure, Result};
use crate::web;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

/// One generated file and what makes it.
struct Generated {
    path: &'static str,
    make: fn() -> Result<String>,
}

const OPENAPI: &str = "web/api-client/openapi.json";

const GENERATED: &[Generated] = &[
    Generated { path: OPENAPI, make: openapi },
    // After the description that it is made of.
    Generated { path: "web/api-client/src/schema.d.ts", make: api_types },
    Generated { path: "docs/operate/configuration.md", make: configuration },
    Generated { path: "THIRD-PARTY-NOTICES.md", make: notices },
];

/// Writes everything, or with `--check` only says what is stale.
pub fn command(args: &[String]) -> Result<()> {
    match args {
        [] => {
            for generated in GENERATED {
                let text = (generated.make)()?;
                fs::write(shell::root().join(generated.path), text)
                    .doing(&format!("write {}", generated.path))?;
                println!("wrote {}", generated.path);
            }
            Ok(())
        }
        [flag] if flag == "--check" => check().map(|note| println!("{note}")),
        other => Err(Failure::new(format!("cargo xtask codegen does not know {other:?}"))),
    }
}

/// Fails when a generated file is not what its program makes now.
pub fn check() -> Result<String> {
    let mut stale = Vec::new();
    for generated in GENERATED {
        let wanted = (generated.make)()?;
        if fs::read_to_string(shell::root().join(generated.path)).ok().as_deref() != Some(&wanted) {
            stale.push(generated.path);
        }
    }
    if stale.is_empty() {
        Ok(format!("{} fresh", GENERATED.len()))
    } else {
        Err(Failure::new(format!("stale, run `cargo xtask codegen`: {}", stale.join(", "))))
    }
}

/// The description of the HTTP API.
fn openapi() -> Result<String> {
    printed(&["openapi"])
}

/// The description as TypeScript: every body, parameter and answer, and the frames of the live
/// events. Made of the committed description, by the version of the tool that the lock file names.
fn api_types() -> Result<String> {
    let types = web::openapi_types(OPENAPI)?;
    Ok(format!("// SPDX-License-Identifier: EUPL-1.2\n{types}"))
}

/// The reference of all settings.
fn configuration() -> Result<String> {
    printed(&["config", "reference"])
}

/// What the server prints when it is started with these arguments.
fn printed(args: &[&str]) -> Result<String> {
    let mut server = shell::cargo();
    server.args(["run", "--quiet", "--package", "belofte-server", "--bin", "belofte", "--"]).args(args);
    shell::output(&mut server)
}

/// The licences of everything that is shipped, with their texts.
fn notices() -> Result<String> {
    // The texts of licences lie in the packages themselves.
    web::have_packages()?;
    let crates = metadata::read()?.shipped;
    let packages = metadata::read_npm()?;
    let mut text = String::from(
        "<!-- Written by `cargo xtask codegen`; do not edit. -->\n# Third-party notices\n\n\
         Belofte itself is licensed under the EUPL-1.2 (see LICENSE). The binary contains, or is built \
         with, the works below, each under its own licence.\n",
    );
    for (title, list) in [("In the server", &crates), ("In the desk", &packages)] {
        write!(text, "\n## {title}\n\n| name | version | licence |\n|---|---|---|\n")
            .expect("a string takes all");
        for dependency in list {
            let licence = dependency.licence.as_deref().unwrap_or("see text");
            writeln!(text, "| {} | {} | {licence} |", dependency.name, dependency.version)
                .expect("a string takes all");
        }
    }
    text.push_str("\n## Texts\n");
    for (licence, names) in texts(crates.iter().chain(&packages)) {
        // Four spaces make it a block that no character inside can end.
        let quoted = licence.lines().map(|line| format!("    {line}").trim_end().to_owned());
        write!(text, "\n### {}\n\n{}\n", names.join(", "), quoted.collect::<Vec<_>>().join("\n"))
            .expect("a string takes all");
    }
    Ok(text)
}

/// Each distinct licence text with the names of those who ship it, in the order of the names.
fn texts<'a>(dependencies: impl Iterator<Item = &'a Dependency>) -> Vec<(String, Vec<String>)> {
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for dependency in dependencies {
        let Some(folder) = &dependency.folder else { continue };
        let mut files: Vec<_> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| {
                let name = name.to_uppercase();
                ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"]
                    .iter()
                    .any(|s| name.starts_with(s))
            })
            .collect();
        files.sort();
        // Of two licences to choose from, the one with the shorter text is chosen.
        if files.iter().any(|name| name.to_uppercase().contains("MIT")) {
            files.retain(|name| !name.to_uppercase().contains("APACHE"));
        }
        for name in files {
            let Ok(text) = fs::read_to_string(folder.join(name)) else { continue };
            let text = text.trim().replace("\r\n", "\n");
            let names = by_text.entry(text).or_default();
            if !names.contains(&dependency.name) {
                names.push(dependency.name.clone());
            }
        }
    }
    let mut texts: Vec<_> = by_text.into_iter().collect();
    texts.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
    texts
}
