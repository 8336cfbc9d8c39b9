// SPDX-License-Identifier: EUPL-1.2
//! Rules about files of any kind.

use super::{Finding, Tree};
use serde_json::Value;

const LIMIT: usize = 800;

/// Every source file names its licence in the first lines.
pub fn spdx(tree: &Tree) -> Vec<Finding> {
    const SOURCES: &[&str] = &[
        "rs", "ts", "tsx", "js", "mjs", "cjs", "css", "sh", "toml", "yml", "yaml", "sql", "html", "py",
        "service",
    ];
    let mark = ["SPDX-License-Identifier", ": EUPL-1.2"].concat();
    tree.files
        .iter()
        .filter(|file| {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
            let in_ci = file.path.starts_with(".ci/");
            (SOURCES.contains(&extension) || in_ci) && !is_data(&file.path)
        })
        // A shebang or a doctype may come first.
        .filter(|file| !file.text.lines().take(4).any(|line| line.contains(&mark)))
        .map(|file| Finding::new("spdx", &file.path, 1, "the first line names the licence"))
        .collect()
}

/// Mail, pages and the like that tests read; nobody wrote them as source.
fn is_data(path: &str) -> bool {
    ["/corpus/", "/fixtures/", "/snapshots/"].iter().any(|part| path.contains(part))
}

/// Invariant 11: no file over 800 lines without a line of reason.
pub fn length(tree: &Tree) -> Vec<Finding> {
    const LIST: &str = "xtask/tidy-exceptions.toml";
    const SOURCES: &[&str] = &["rs", "ts", "tsx", "js", "mjs", "css", "sh", "sql", "toml"];
    let mut findings = Vec::new();
    let list = tree.text(LIST).unwrap_or_default();
    let exceptions: toml::Table = match list.parse() {
        Ok(table) => table,
        Err(error) => {
            findings.push(Finding::new("length", LIST, 1, format!("cannot be read: {error}")));
            toml::Table::new()
        }
    };
    let reasons = exceptions.get("length").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let too_long = |path: &str| tree.text(path).is_some_and(|text| text.lines().count() > LIMIT);
    for (path, reason) in &reasons {
        if !too_long(path) {
            findings.push(Finding::new("length", LIST, 1, format!("{path} needs no exception")));
        } else if reason.as_str().is_none_or(|reason| reason.trim().len() < 20) {
            findings.push(Finding::new("length", LIST, 1, format!("{path} has no reason")));
        }
    }
    for file in &tree.files {
        let extension = file.path.rsplit_once('.').map_or("", |(_, extension)| extension);
        if SOURCES.contains(&extension)
            && !is_data(&file.path)
            && too_long(&file.path)
            && !reasons.contains_key(&file.path)
        {
            let text = format!("{} lines; divide it, or give a reason in {LIST}", file.text.lines().count());
            findings.push(Finding::new("length", &file.path, LIMIT + 1, text));
        }
    }
    findings
}

/// Nothing in the repository knows the machine that it was written on.
pub fn machine_paths(tree: &Tree) -> Vec<Finding> {
    // In parts, so that this file itself is clean.
    let folders: Vec<String> =
        ["work", "farm", "root", "home"].iter().map(|name| ["/", name].concat()).collect();
    let mut findings = Vec::new();
    for file in
        tree.files.iter().filter(|file| file.path != "LICENSE" && !file.path.ends_with("package-lock.json"))
    {
        for (number, line) in file.text.lines().enumerate() {
            for folder in &folders {
                if has_path(line, folder) {
                    findings.push(Finding::new(
                        "machine",
                        &file.path,
                        number + 1,
                        format!("a path below {folder}"),
                    ));
                }
            }
        }
    }
    findings
}

/// Whether `folder` stands in `line` as the beginning of an absolute path with more behind it.
fn has_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let mut after = line[at + folder.len()..].chars();
        let begins = before.is_none_or(|c| !(c.is_alphanumeric() || "._-/})>".contains(c)));
        begins && after.next() == Some('/') && after.next().is_some_and(|c| c.is_alphanumeric() || c == '.')
    })
}

/// What is installed is what was locked, and the locks name no registry of one machine.
pub fn locks(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    match tree.text("Cargo.lock") {
        None => findings.push(Finding::new("lock", "Cargo.lock", 1, "is not committed")),
        Some(text) => {
            for (number, line) in text.lines().enumerate() {
                let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
                if line.starts_with("source = ") && line != public {
                    findings.push(Finding::new(
                        "lock",
                        "Cargo.lock",
                        number + 1,
                        "comes from somewhere else than crates.io",
                    ));
                }
            }
        }
    }
    for file in tree.files.iter().filter(|file| file.path.ends_with("package.json")) {
        let folder = file.path.strip_suffix("package.json").unwrap_or_default();
        // A member of a workspace is locked by the workspace.
        let locked = folder.match_indices('/').map(|(at, _)| &folder[..=at]).chain([""]);
        if !locked
            .into_iter()
            .any(|above| tree.paths.iter().any(|path| *path == format!("{above}package-lock.json")))
        {
            findings.push(Finding::new("lock", &file.path, 1, "has no package-lock.json"));
        }
    }
    for file in tree.files.iter().filter(|file| file.path.ends_with("package-lock.json")) {
        for (number, line) in file.text.lines().enumerate() {
            if line.contains("\"resolved\"") && line.contains("://") {
                findings.push(Finding::new("lock", &file.path, number + 1, "names the host of a registry"));
            }
        }
        let unsure =
            serde_json::from_str::<Value>(&file.text).map_or(true, |lock| lock["lockfileVersion"] != 3);
        if unsure {
            findings.push(Finding::new("lock", &file.path, 1, "is no lock file of version 3"));
        }
    }
    for path in tree.paths.iter().filter(|path| path.ends_with(".npmrc")) {
        if tree.text(path).is_some_and(|text| text.contains("registry=") || text.contains("_auth")) {
            findings.push(Finding::new("lock", path, 1, "names a registry"));
        }
    }
    findings
}

/// Test 8 of the architecture: every fuzz target has a corpus.
pub fn corpora(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in &tree.paths {
        let Some((fuzz, target)) = path.split_once("/fuzz_targets/") else { continue };
        let Some(name) = target.strip_suffix(".rs").filter(|name| !name.contains('/')) else { continue };
        let home = fuzz.strip_suffix("/fuzz").unwrap_or(fuzz);
        let folders = [format!("{fuzz}/corpus/{name}/"), format!("{home}/corpus/{name}/")];
        // A link to the corpus that the tests run is a corpus too: one place for both.
        let link = format!("{fuzz}/corpus/{name}");
        let there = |path: &String| *path == link || folders.iter().any(|folder| path.starts_with(folder));
        if !tree.paths.iter().any(there) {
            findings.push(Finding::new("corpus", path, 1, format!("no file in {}", folders.join(" or "))));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|f| f.path.as_str()).collect()
    }

    #[test]
    fn a_source_without_its_licence_is_found() {
        let spdx_line = ["// SPDX-License-Identifier", ": EUPL-1.2\n"].concat();
        let with = format!("#!/bin/sh\n{spdx_line}");
        let tree = Tree::of(&[
            ("a.rs", "fn main() {}"),
            ("b.sh", &with),
            ("crates/m/corpus/x.html", "<p>"),
            ("c.md", ""),
        ]);
        assert_eq!(paths(&spdx(&tree)), ["a.rs"]);
    }

    #[test]
    fn a_long_file_needs_a_reason_and_a_reason_needs_a_long_file() {
        let long = "x\n".repeat(801);
        let fine = "x\n".repeat(800);
        let list = "[length]\n\"b.rs\" = \"one table of a standard that is easier to compare in one piece\"\n\"gone.rs\" = \"some reason that is long enough\"\n\"c.rs\" = \"because\"";
        let tree = Tree::of(&[
            ("a.rs", &long),
            ("b.rs", &long),
            ("c.rs", &long),
            ("d.rs", &fine),
            ("xtask/tidy-exceptions.toml", list),
        ]);
        let findings = length(&tree);
        let texts: Vec<_> = findings.iter().map(|f| f.text.as_str()).collect();
        assert_eq!(findings.len(), 3, "{texts:?}");
        assert!(texts.contains(&"c.rs has no reason") && texts.contains(&"gone.rs needs no exception"));
        assert!(findings.iter().any(|f| f.path == "a.rs"));
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        let found = ["see ", "/", "home/anna/notes"].concat();
        let also = ["cd \"", "/", "work/main\""].concat();
        let tree = Tree::of(&[
            ("a.md", &found),
            ("b.sh", &also),
            (
                "c.rs",
                concat!(
                    "a route /conversations/home/x, https://shop.example/home/, ./wo",
                    "rk/x, and /homepage"
                ),
            ),
        ]);
        assert_eq!(paths(&machine_paths(&tree)), ["a.md", "b.sh"]);
    }

    #[test]
    fn a_lock_that_is_missing_or_names_a_host_is_found() {
        let lock = "{\"lockfileVersion\": 3,\n\"resolved\": \"https://registry.corp.example/x.tgz\"}";
        let good = "{\"lockfileVersion\": 3}";
        let tree = Tree::of(&[
            ("Cargo.lock", "source = \"registry+https://mirror.example/index\""),
            ("web/package.json", "{}"),
            ("web/desk/package.json", "{}"),
            ("web/package-lock.json", lock),
            ("tools/package.json", "{}"),
            ("other/package-lock.json", good),
            ("other/.npmrc", "registry=https://mirror.example"),
        ]);
        assert_eq!(
            paths(&locks(&tree)),
            ["Cargo.lock", "tools/package.json", "web/package-lock.json", "other/.npmrc"]
        );
        assert_eq!(paths(&locks(&Tree::of(&[("a.rs", "")]))), ["Cargo.lock"]);
    }

    #[test]
    fn a_fuzz_target_without_a_corpus_is_found() {
        let tree = Tree::of(&[
            ("crates/m/fuzz/fuzz_targets/mime.rs", ""),
            ("crates/m/fuzz/fuzz_targets/address.rs", ""),
            ("crates/m/corpus/mime/1.eml", ""),
        ]);
        assert_eq!(paths(&corpora(&tree)), ["crates/m/fuzz/fuzz_targets/address.rs"]);
    }
}
