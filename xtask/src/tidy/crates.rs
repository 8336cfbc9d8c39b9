// SPDX-License-Identifier: EUPL-1.2
//! Rules about dependencies: which crate may know which, and what may come from outside.

use super::Finding;
use crate::metadata::{Dependency, Metadata};
use std::collections::BTreeSet;

/// Which crates of ours each crate may know; the directions of ARCHITECTURE.md.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("belofte-model", &[]),
    ("belofte-powercut", &[]),
    ("belofte-vault", &["belofte-model"]),
    ("belofte-ledger", &["belofte-model"]),
    ("belofte-mail", &["belofte-model"]),
    ("belofte-store", &["belofte-vault", "belofte-ledger", "belofte-model"]),
    ("belofte-core", &["belofte-store", "belofte-mail", "belofte-vault", "belofte-ledger", "belofte-model"]),
    (
        "belofte-channels",
        &[
            "belofte-core",
            "belofte-store",
            "belofte-mail",
            "belofte-vault",
            "belofte-ledger",
            "belofte-model",
        ],
    ),
    (
        "belofte-server",
        &[
            "belofte-channels",
            "belofte-core",
            "belofte-store",
            "belofte-mail",
            "belofte-vault",
            "belofte-ledger",
            "belofte-model",
            // For its tests: it is preloaded, not linked.
            "belofte-powercut",
        ],
    ),
    ("belofte-bench", &["belofte-core", "belofte-store", "belofte-vault", "belofte-model"]),
    ("xtask", &[]),
];

/// Invariant 1, by the names of packages: what only one room may ask for from outside. TLS is
/// no use of a cipher: its keys are those of a connection, and rustls has its own door to the
/// library. Neither is a hash without a key, such as the fingerprint of a mail.
const HOMES: &[(&str, &[&str])] = &[
    ("belofte-store", &["rusqlite", "tokio-postgres", "deadpool-postgres", "refinery"]),
    (
        "belofte-vault",
        &[
            "aws-lc-rs",
            "aws-lc-sys",
            "aes",
            "aes-gcm",
            "chacha20poly1305",
            "argon2",
            "hmac",
            "hkdf",
            "ed25519-dalek",
            "x25519-dalek",
            "age",
            "rsa",
            "p256",
        ],
    ),
    ("belofte-server", &["axum", "utoipa", "utoipa-axum", "clap"]),
];

/// The direction of the crates, and the room of each heavy dependency.
pub fn directions(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &metadata.members {
        let path = match member.name.as_str() {
            "xtask" => "xtask/Cargo.toml".to_owned(),
            "belofte-bench" => "benches/Cargo.toml".to_owned(),
            name => format!("crates/{name}/Cargo.toml"),
        };
        let Some((_, allowed)) = DIRECTIONS.iter().find(|(name, _)| *name == member.name) else {
            findings.push(Finding::new("direction", &path, 1, "this crate has no place in the directions"));
            continue;
        };
        for dependency in &member.dependencies {
            let ours = dependency.starts_with("belofte-") || dependency == "xtask";
            if ours && !allowed.contains(&dependency.as_str()) {
                findings.push(Finding::new(
                    "direction",
                    &path,
                    1,
                    format!("{} must not know {dependency}", member.name),
                ));
            }
            for (home, theirs) in HOMES {
                // The plain alternative speaks with the engines itself.
                let alternative = member.name == "belofte-bench" && *home == "belofte-store";
                if member.name != *home && !alternative && theirs.contains(&dependency.as_str()) {
                    findings.push(Finding::new(
                        "direction",
                        &path,
                        1,
                        format!("{dependency} belongs in {home}"),
                    ));
                }
            }
        }
    }
    findings
}

/// Licences that are not allowed, and packages that are banned, by the policy in deny.toml.
pub fn licences(policy: &str, dependencies: &[Dependency]) -> Result<Vec<Finding>, String> {
    let policy: toml::Table = policy.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let allowed: BTreeSet<&str> = policy
        .get("licenses")
        .and_then(|section| section.get("allow"))
        .and_then(toml::Value::as_array)
        .ok_or("it has no licenses.allow")?
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    let banned: Vec<(&str, &str)> = policy
        .get("bans")
        .and_then(|section| section.get("deny"))
        .and_then(toml::Value::as_array)
        .ok_or("it has no bans.deny")?
        .iter()
        .filter_map(|ban| {
            Some((
                ban.get("crate")?.as_str()?,
                ban.get("reason").and_then(toml::Value::as_str).unwrap_or("banned"),
            ))
        })
        .collect();
    // A licence that is accepted for one crate alone, with the reason beside it in the file.
    let accepted: BTreeSet<(&str, &str)> = policy
        .get("licenses")
        .and_then(|section| section.get("exceptions"))
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|exception| {
            Some((exception.get("crate")?.as_str()?, exception.get("allow")?.as_array()?))
        })
        .flat_map(|(name, list)| {
            list.iter().filter_map(toml::Value::as_str).map(move |licence| (name, licence))
        })
        .collect();
    let mut findings = Vec::new();
    for dependency in dependencies {
        let name = dependency.name.as_str();
        if let Some((_, reason)) = banned.iter().find(|(banned, _)| *banned == name) {
            findings.push(Finding::new("banned", "Cargo.lock", 1, format!("{name}: {reason}")));
        }
        let good = |licence: &str| allowed.contains(licence) || accepted.contains(&(name, licence));
        let expression = dependency.licence.as_deref().unwrap_or("no licence");
        if !satisfied(expression, &good) {
            let text = format!("{name} {}: {expression} is not in the list of deny.toml", dependency.version);
            findings.push(Finding::new("licence", "deny.toml", 1, text));
        }
    }
    Ok(findings)
}

/// Whether an SPDX expression can be met with licences that are `good`: AND needs both sides,
/// OR one, and AND binds closer. The old form with a slash means OR.
fn satisfied(expression: &str, good: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    either(&tokens, &mut at, good) && at == tokens.len()
}

fn either(tokens: &[&str], at: &mut usize, good: &dyn Fn(&str) -> bool) -> bool {
    let mut holds = both(tokens, at, good);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        holds |= both(tokens, at, good);
    }
    holds
}

fn both(tokens: &[&str], at: &mut usize, good: &dyn Fn(&str) -> bool) -> bool {
    let mut holds = one(tokens, at, good);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        holds &= one(tokens, at, good);
    }
    holds
}

fn one(tokens: &[&str], at: &mut usize, good: &dyn Fn(&str) -> bool) -> bool {
    let Some(token) = tokens.get(*at) else { return false };
    *at += 1;
    if *token == "(" {
        let holds = either(tokens, at, good);
        *at += 1;
        return holds && tokens.get(*at - 1) == Some(&")");
    }
    if tokens.get(*at) == Some(&"WITH") {
        let with = format!("{token} WITH {}", tokens.get(*at + 1).copied().unwrap_or_default());
        *at += 2;
        return good(&with);
    }
    good(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Member;

    fn member(name: &str, dependencies: &[&str]) -> Member {
        Member { name: name.to_owned(), dependencies: dependencies.iter().map(|d| (*d).to_owned()).collect() }
    }

    #[test]
    fn a_way_back_a_stranger_and_a_misplaced_driver_are_found() {
        let metadata = Metadata {
            members: vec![
                member("belofte-model", &["belofte-store", "uuid"]),
                member("belofte-core", &["belofte-store", "rusqlite"]),
                member("belofte-mail", &["aes-gcm", "sha2"]),
                member("belofte-new", &[]),
                member("belofte-server", &["belofte-core", "axum"]),
            ],
            all: Vec::new(),
            shipped: Vec::new(),
        };
        let texts: Vec<_> = directions(&metadata).into_iter().map(|f| f.text).collect();
        assert_eq!(
            texts,
            [
                "belofte-model must not know belofte-store",
                "rusqlite belongs in belofte-store",
                "aes-gcm belongs in belofte-vault",
                "this crate has no place in the directions",
            ]
        );
    }

    fn dependency(name: &str, licence: Option<&str>) -> Dependency {
        Dependency {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: licence.map(str::to_owned),
            home: String::new(),
            folder: None,
        }
    }

    #[test]
    fn a_licence_outside_the_list_and_a_banned_crate_are_found() {
        let policy = "[licenses]\nallow = [\"MIT\", \"Apache-2.0\"]\n[[licenses.exceptions]]\ncrate = \"data\"\nallow = [\"CDLA-Permissive-2.0\"]\n\
                      [bans]\ndeny = [{ crate = \"ring\", reason = \"one provider only\" }]";
        let list = [
            dependency("good", Some("MIT OR Apache-2.0")),
            dependency("slash", Some("MIT/GPL-3.0")),
            dependency("data", Some("CDLA-Permissive-2.0")),
            dependency("other-data", Some("CDLA-Permissive-2.0")),
            dependency("copyleft", Some("GPL-3.0-only")),
            dependency("silent", None),
            dependency("ring", Some("MIT")),
        ];
        let texts: Vec<_> = licences(policy, &list).unwrap().into_iter().map(|f| f.text).collect();
        assert_eq!(texts.len(), 4, "{texts:?}");
        assert!(
            texts[0].starts_with("other-data")
                && texts[1].starts_with("copyleft")
                && texts[2].starts_with("silent")
        );
        assert_eq!(texts[3], "ring: one provider only");
    }

    #[test]
    fn expressions_are_read_as_spdx_means_them() {
        let good = |licence: &str| {
            ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].contains(&licence)
        };
        for fine in [
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "GPL-3.0 OR MIT",
            "Apache-2.0 WITH LLVM-exception OR X",
            "MIT AND MIT",
        ] {
            assert!(satisfied(fine, &good), "{fine}");
        }
        for bad in [
            "MIT AND GPL-3.0",
            "(GPL-3.0 OR X) AND MIT",
            "GPL-3.0 WITH LLVM-exception",
            "",
            "MIT MIT",
            "(MIT",
        ] {
            assert!(!satisfied(bad, &good), "{bad}");
        }
    }
}
