// SPDX-License-Identifier: EUPL-1.2
//! What the house is built from: the crates of `cargo metadata` and the packages of
//! web/package-lock.json.

use crate::shell::{self, Doing, Failure, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// One dependency from a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// Its name in its registry.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its SPDX licence expression, or `None` when it names none.
    pub licence: Option<String>,
    /// Where its source can be read.
    pub home: String,
    /// The folder of its source on this machine, when it is there.
    pub folder: Option<PathBuf>,
}

/// A crate of the workspace and what its manifest asks for.
#[derive(Debug)]
pub struct Member {
    /// The name of the crate.
    pub name: String,
    /// Names of its dependencies, apart from those of its tests.
    pub dependencies: BTreeSet<String>,
}

/// The part of `cargo metadata` that concerns us.
pub struct Metadata {
    /// The crates of the workspace.
    pub members: Vec<Member>,
    /// Every crate that some build of the workspace on this platform uses, tests included.
    pub all: Vec<Dependency>,
    /// Only those that end up in what is shipped, with the crates that build them.
    pub shipped: Vec<Dependency>,
}

/// Asks cargo.
pub fn read() -> Result<Metadata> {
    // The platform that the binary is shipped for; crates of others say nothing about it.
    const PLATFORM: &str = "x86_64-unknown-linux-gnu";
    let metadata = shell::output(shell::cargo().args(["metadata", "--format-version=1", "--locked"]))?;
    // Only `cargo tree` knows which optional dependencies are really switched on.
    let tree = |args: &[&str]| {
        let mut command = shell::cargo();
        command.args(["tree", "--locked", "--prefix", "none", "--target", PLATFORM]).args(args);
        shell::output(&mut command)
    };
    let all = tree(&["--workspace", "--edges", "normal,build,dev"])?;
    let shipped = tree(&["--package", "belofte-server", "--edges", "normal,build"])?;
    parse(&metadata, &all, &shipped)
}

/// Reads the JSON text of `cargo metadata --format-version=1` and the lines of two `cargo tree
/// --prefix none`: of everything, and of what is shipped.
pub fn parse(metadata: &str, all: &str, shipped: &str) -> Result<Metadata> {
    let json: Value = serde_json::from_str(metadata).doing("read cargo metadata")?;
    let packages: BTreeMap<(&str, &str), &Value> =
        array(&json["packages"]).map(|p| ((string(&p["name"]), string(&p["version"])), p)).collect();
    let ids: BTreeSet<&str> = array(&json["workspace_members"]).map(string).collect();
    let members: Vec<Member> = packages
        .values()
        .filter(|package| ids.contains(string(&package["id"])))
        .map(|package| Member {
            name: string(&package["name"]).to_owned(),
            dependencies: array(&package["dependencies"])
                .filter(|dependency| dependency["kind"] != "dev")
                .map(|dependency| string(&dependency["name"]).to_owned())
                .collect(),
        })
        .collect();
    if members.is_empty() {
        return Err(Failure::new("cargo metadata names no members"));
    }
    let dependencies = |tree: &str| -> Result<Vec<Dependency>> {
        let used: BTreeSet<(&str, &str)> = tree.lines().filter_map(name_and_version).collect();
        let mut list = Vec::new();
        for key in used {
            let package = packages.get(&key);
            let package = package
                .ok_or_else(|| Failure::new(format!("cargo tree names {key:?}, cargo metadata does not")))?;
            if !package["source"].is_null() {
                list.push(dependency(package));
            }
        }
        Ok(list)
    };
    let (all, shipped) = (dependencies(all)?, dependencies(shipped)?);
    Ok(Metadata { members, all, shipped })
}

/// "serde v1.0.1 (proc-macro) (*)" → ("serde", "1.0.1").
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?.strip_prefix('v')?))
}

fn dependency(package: &Value) -> Dependency {
    let name = string(&package["name"]).to_owned();
    let home = package["repository"].as_str().or(package["homepage"].as_str()).unwrap_or_default().to_owned();
    Dependency {
        version: string(&package["version"]).to_owned(),
        licence: package["license"].as_str().map(str::to_owned),
        home,
        folder: PathBuf::from(string(&package["manifest_path"])).parent().map(PathBuf::from),
        name,
    }
}

/// The packages of web/package-lock.json that are shipped to a browser.
pub fn read_npm() -> Result<Vec<Dependency>> {
    let web = shell::root().join("web");
    let text = fs::read_to_string(web.join("package-lock.json")).doing("read web/package-lock.json")?;
    let mut shipped = parse_npm(&text)?;
    for dependency in &mut shipped {
        dependency.folder = Some(web.join("node_modules").join(&dependency.name)).filter(|f| f.is_dir());
    }
    Ok(shipped)
}

/// Reads a lock file of npm, version 3.
pub fn parse_npm(text: &str) -> Result<Vec<Dependency>> {
    let json: Value = serde_json::from_str(text).doing("read package-lock.json")?;
    let packages =
        json["packages"].as_object().ok_or_else(|| Failure::new("package-lock.json names no packages"))?;
    let shipped: BTreeSet<Dependency> = packages
        .iter()
        .filter(|(_, package)| {
            package["dev"] != true && package["optional"] != true && package["link"] != true
        })
        .filter_map(|(path, package)| Some((path.rsplit_once("node_modules/")?.1, package)))
        .map(|(name, package)| Dependency {
            name: name.to_owned(),
            version: string(&package["version"]).to_owned(),
            licence: package["license"].as_str().map(str::to_owned),
            home: String::new(),
            folder: None,
        })
        .collect();
    Ok(shipped.into_iter().collect())
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{
      "workspace_members": ["server 0.1", "xtask 0.1"],
      "packages": [
        {"id":"server 0.1","name":"server","version":"0.1.0","source":null,"license":"EUPL-1.2","manifest_path":"/s/Cargo.toml",
         "dependencies":[{"name":"web","kind":null},{"name":"prop","kind":"dev"}]},
        {"id":"xtask 0.1","name":"xtask","version":"0.1.0","source":null,"license":"EUPL-1.2","manifest_path":"/x/Cargo.toml",
         "dependencies":[{"name":"tool","kind":null}]},
        {"id":"web 1","name":"web","version":"1.0.0","source":"registry","license":"MIT","manifest_path":"/w/Cargo.toml","dependencies":[]},
        {"id":"prop 1","name":"prop","version":"1.0.0","source":"registry","license":"MIT","manifest_path":"/p/Cargo.toml","dependencies":[]},
        {"id":"tool 1","name":"tool","version":"1.0.0","source":"registry","license":null,"manifest_path":"/t/Cargo.toml","dependencies":[]}
      ]
    }"#;

    #[test]
    fn tests_and_tools_are_checked_but_not_shipped() {
        let all = "server v0.1.0 (/s)\nweb v1.0.0\nprop v1.0.0 (proc-macro)\nweb v1.0.0 (*)\n\nxtask v0.1.0 (/x)\ntool v1.0.0";
        let metadata = parse(METADATA, all, "server v0.1.0 (/s)\nweb v1.0.0").unwrap();
        let names = |list: &[Dependency]| list.iter().map(|d| d.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&metadata.all), ["prop", "tool", "web"]);
        assert_eq!(names(&metadata.shipped), ["web"]);
        assert!(parse(METADATA, "unknown v1.0.0", "").is_err());
        assert_eq!(metadata.members[0].dependencies.iter().collect::<Vec<_>>(), ["web"]);
    }

    #[test]
    fn only_what_reaches_a_browser_is_taken_from_the_lock_of_npm() {
        let lock = r#"{"packages": {"": {"name":"root"}, "desk": {"version":"0.0.0"},
          "node_modules/react": {"version":"19.3.0","license":"MIT"},
          "node_modules/a/node_modules/@b/c": {"version":"1.0.0","license":"ISC"},
          "node_modules/vite": {"version":"8.0.0","license":"MIT","dev":true},
          "node_modules/@belofte/desk": {"resolved":"desk","link":true}}}"#;
        let names: Vec<_> = parse_npm(lock).unwrap().into_iter().map(|d| d.name).collect();
        assert_eq!(names, ["@b/c", "react"]);
    }
}
