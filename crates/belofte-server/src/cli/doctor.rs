// SPDX-License-Identifier: EUPL-1.2
//! `belofte doctor`: looks whether everything is as it should be, and changes nothing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use belofte_channels::dns::name_servers;
use belofte_channels::outbound::{Outbound, Register, SubProcessor};
use belofte_channels::scanner::Scanner;
use belofte_model::Timestamp;
use belofte_store::{Clock, Examination, KeyBackups, SchemaState, ServerTime, Store, StoreSettings, examine};
use belofte_vault::{Random, RootKey, VaultError};
use serde_json::json;

use super::{Cli, Done, house as rooms};
use crate::config::{Config, ConfigError};
use crate::{house, private, restored};

/// Below this much room on the disk, mail is soon refused.
const ROOM: u64 = 2 << 30;
/// The clocks of this machine and its database may differ so much.
const DRIFT: Duration = Duration::from_secs(5);
/// A back-up of keys that is older was not made by a running server.
const STALE: Duration = Duration::from_secs(2 * 86_400);
/// No machine that runs this program lives before 2026.
const FIRST: Timestamp = Timestamp::from_secs(1_767_225_600);

/// How one check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Good,
    /// Something is to be done.
    Finding,
    /// Does not apply here, or could not be told because of another finding.
    Skipped,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, for programs.
    pub name: &'static str,
    /// How it ended.
    pub state: State,
    /// What was found, and what to do about it.
    pub text: String,
}

fn check(name: &'static str, state: State, text: impl Into<String>) -> Check {
    Check { name, state, text: text.into() }
}

fn good(name: &'static str, text: impl Into<String>) -> Check {
    check(name, State::Good, text)
}

fn finding(name: &'static str, text: impl Into<String>) -> Check {
    check(name, State::Finding, text)
}

fn skipped(name: &'static str, text: impl Into<String>) -> Check {
    check(name, State::Skipped, text)
}

/// Looks, tells, and ends with findings when there are any.
pub fn run(cli: &Cli) -> anyhow::Result<Done> {
    let checks = match Config::load(cli.config.as_deref(), &cli.around) {
        Ok(config) => {
            let files = match Config::load_with_files(cli.config.as_deref(), &cli.around) {
                Ok(_) => good("configuration", "it holds"),
                Err(error) => finding("configuration", error.to_string()),
            };
            [vec![files], look(&config)?].concat()
        }
        Err(error @ (ConfigError::Unreadable { .. } | ConfigError::Findings(_))) => {
            vec![finding("configuration", error.to_string())]
        }
    };
    let findings = checks.iter().filter(|check| check.state == State::Finding).count();
    let values: Vec<_> = checks
        .iter()
        .map(|check| {
            let state = match check.state {
                State::Good => "good",
                State::Finding => "finding",
                State::Skipped => "skipped",
            };
            json!({ "check": check.name, "state": state, "text": check.text })
        })
        .collect();
    cli.tell(&report(&checks, findings), &json!({ "ok": findings == 0, "checks": values }))?;
    Ok(if findings == 0 { Done::Well } else { Done::WithFindings })
}

fn report(checks: &[Check], findings: usize) -> String {
    let mut text = String::new();
    for check in checks {
        let mark = match check.state {
            State::Good => "ok",
            State::Finding => "FINDING",
            State::Skipped => "-",
        };
        let _ = writeln!(text, "{mark:<8}{:<16}{}", check.name, check.text);
    }
    let _ = match findings {
        0 => writeln!(text, "Everything is as it should be."),
        1 => writeln!(text, "One finding."),
        _ => writeln!(text, "{findings} findings."),
    };
    text
}

fn look(config: &Config) -> anyhow::Result<Vec<Check>> {
    let mut checks = vec![root_key(config), kept(config), private(config.data_folder())];
    let settings = house::store_settings(config)?;
    let (found, together) = rooms::run(async {
        let found = examine(&settings, &Clock::System).await;
        let together = together(config, &settings, &found).await;
        Ok((found, together))
    })?;
    checks.push(schema("content", &found.content));
    checks.push(schema("keys", &found.keys));
    checks.push(apart(&found));
    checks.extend(together);
    checks.push(role(&found));
    checks.push(disk(config.data_folder()));
    checks.push(clock(Clock::System.now(), found.server_time));
    let now = Clock::System.now();
    checks.push(backup(config.vault.key_backup_dir.as_deref(), config.data_folder(), now));
    checks.push(indexes(&found));
    checks.push(recipients(config));
    checks.push(malware(config)?);
    Ok(checks)
}

fn root_key(config: &Config) -> Check {
    let file = config.root_key_file();
    let shown = file.display();
    match RootKey::open_file(&file) {
        Ok(Some(_)) => good("root_key", format!("{shown} can be read by its owner only")),
        Ok(None) => finding("root_key", format!("{shown} is not there; the first start makes it")),
        Err(error @ VaultError::RootKeyExposed { .. }) => {
            finding("root_key", format!("{shown}: {error}; run chmod 600 on it"))
        }
        Err(error) => finding("root_key", format!("{shown}: {error}")),
    }
}

fn kept(config: &Config) -> Check {
    match house::root_key_note(config) {
        Some(note) => finding("root_key_copy", note),
        None => good("root_key_copy", "nobody has to be reminded of it"),
    }
}

/// What group or others may read of the data folder.
fn private(folder: &Path) -> Check {
    let open = private::open_to_others(folder);
    let Some(first) = open.first() else {
        return good("private", "the data folder is its owner's only");
    };
    let (count, first) = (open.len(), first.display());
    finding(
        "private",
        format!(
            "{count} files or folders are open to others on this machine, {first} first; the next start of the server closes them"
        ),
    )
}

fn schema(name: &'static str, state: &SchemaState) -> Check {
    match state {
        SchemaState::UpToDate => good(name, "the database answers and its schema is up to date"),
        SchemaState::Behind(missing) => {
            finding(name, format!("{missing} migrations are missing; run `belofte migrate`"))
        }
        SchemaState::Ahead => {
            finding(name, "a newer version of Belofte was here; install it again, older ones cannot go on")
        }
        SchemaState::Absent => finding(name, "there is no schema yet; run `belofte migrate`"),
        SchemaState::Unreachable => finding(name, "the database cannot be reached or read"),
    }
}

fn apart(found: &Examination) -> Check {
    match found.same_database {
        Some(false) => good("apart", "keys and content are two databases"),
        Some(true) => finding(
            "apart",
            "keys and content are one database; a copy of it holds both, and erasure proves nothing",
        ),
        None => skipped("apart", "cannot be told while a database does not answer"),
    }
}

/// Whether content and keys belong together. Looked at with stores whose schemas are up to date:
/// opening those changes nothing.
async fn together(config: &Config, settings: &StoreSettings, found: &Examination) -> Vec<Check> {
    let current = [&found.content, &found.keys].iter().all(|state| **state == SchemaState::UpToDate);
    let root = RootKey::open_file(&config.root_key_file());
    let (true, Ok(Some(root))) = (current, root) else {
        return vec![skipped(
            "restored",
            "cannot be told before the databases and the root key are in order",
        )];
    };
    let id = root.id();
    let Ok(store) = Store::open(settings, root, Clock::System, Random::System).await else {
        return vec![finding("restored", "the stores cannot be opened")];
    };
    let (roots, doubts) = (store.system().root_keys().await, store.system().store_doubts().await);
    store.close().await;
    if let Some(other) = roots.ok().and_then(|roots| roots.into_iter().find(|known| *known != id)) {
        let text = format!("the keys are wrapped by the root key {other}, and the root key file holds {id}");
        return vec![finding("restored", text)];
    }
    match doubts {
        Ok(doubts) if doubts.is_empty() => vec![good("restored", "content and keys belong together")],
        Ok(doubts) => {
            let told = |doubt| finding("restored", restored::told(doubt).join(&format!("\n{:24}", "")));
            doubts.iter().map(told).collect()
        }
        Err(error) => vec![finding("restored", format!("content and keys cannot be compared: {error}"))],
    }
}

fn role(found: &Examination) -> Check {
    match found.role {
        None => skipped("role", "there is no role to look at"),
        Some(role) if role.superuser => {
            finding("role", "the role of the content is a superuser: row-level security does not hold for it")
        }
        Some(role) if role.bypasses_rls => {
            finding("role", "the role of the content has BYPASSRLS: row-level security does not hold for it")
        }
        Some(_) => good("role", "row-level security holds for the role of the content"),
    }
}

fn disk(folder: &Path) -> Check {
    let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30));
    match rustix::fs::statvfs(folder) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            if free < ROOM {
                finding("disk", format!("only {} are free; below nothing, mail is refused", gib(free)))
            } else {
                good("disk", format!("{} are free", gib(free)))
            }
        }
        Err(_) => finding("disk", format!("{} cannot be looked at", folder.display())),
    }
}

fn clock(now: Timestamp, server: Option<ServerTime>) -> Check {
    if now < FIRST {
        return finding("clock", "this machine believes that it is before 2026; set its clock");
    }
    let Some(server) = server else { return good("clock", "it is later than 2025") };
    let apart = server.apart();
    if apart > DRIFT {
        let seconds = apart.as_secs();
        return finding("clock", format!("this machine and its database are {seconds} s apart"));
    }
    good("clock", "this machine and its database agree")
}

fn backup(folder: Option<&Path>, data: &Path, now: Timestamp) -> Check {
    let Some(folder) = folder else {
        return finding(
            "key_backup",
            "vault.key_backup_dir is not set: when this disk dies, keys and content die together",
        );
    };
    let shown = folder.display();
    if !folder.is_dir() {
        return finding("key_backup", format!("{shown} is no folder; is it mounted?"));
    }
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| PathBuf::from(path));
    if real(folder).starts_with(real(data)) {
        return finding("key_backup", format!("{shown} lies in the data folder and dies with it"));
    }
    let newest = match KeyBackups::new(folder.to_owned()).list() {
        Ok(all) => all.last().map(|backup| backup.made_at),
        Err(error) => return finding("key_backup", format!("{shown}: {error}")),
    };
    match newest {
        None => {
            finding("key_backup", format!("{shown} has no back-up yet; a running server makes one a day"))
        }
        Some(made) if now.since(made) > STALE => {
            let days = now.since(made).as_secs() / 86_400;
            finding("key_backup", format!("the newest back-up in {shown} is {days} days old"))
        }
        Some(_) => good("key_backup", format!("{shown} has a back-up of the last two days")),
    }
}

fn indexes(found: &Examination) -> Check {
    match found.broken_indexes.as_slice() {
        [] => good("indexes", format!("{} index files are sound", found.indexes)),
        broken => {
            let names: Vec<_> = broken.iter().map(|path| path.display().to_string()).collect();
            finding(
                "indexes",
                format!("broken, delete while stopped and they are made again: {}", names.join(", ")),
            )
        }
    }
}

/// Whether the scanner that is named answers.
fn malware(config: &Config) -> anyhow::Result<Check> {
    let Some(address) = &config.malware.clamd else {
        return Ok(skipped("malware", "malware.clamd is not set: nothing is looked at for malware"));
    };
    let outbound = Outbound::new(Register::default(), Vec::new());
    let scanner = Scanner::new(outbound, Some(address.clone()));
    let answers = rooms::run(async { Ok(scanner.ping().await) })?;
    Ok(if answers {
        good("malware", format!("the scanner at {address} answers"))
    } else {
        finding(
            "malware",
            format!("the scanner at {address} does not answer: mail waits for it, and uploads are refused"),
        )
    })
}

/// Who gets something besides those that tenants choose themselves.
fn recipients(config: &Config) -> Check {
    let named = |one: &SubProcessor| format!("{} ({}, {})", one.name, one.country, one.purpose);
    let named: Vec<_> = config.outbound.sub_processors.iter().map(named).collect();
    let servers: Vec<_> = config.dns.servers.iter().map(|server| server.0).collect();
    let servers: Vec<_> = name_servers(&servers).iter().map(ToString::to_string).collect();
    let names = match servers.as_slice() {
        [] => "no name server is asked who sent a mail".to_owned(),
        servers => format!("name servers that are asked who sent a mail: {}", servers.join(", ")),
    };
    let named = match named.as_slice() {
        [] => "no sub-processor is named in outbound.sub_processors".to_owned(),
        named => format!("sub-processors, all within the EEA: {}", named.join("; ")),
    };
    let push = match config.push_services().as_slice() {
        [] => "no browser is told anything".to_owned(),
        services => format!("push services, of tenants that allow it: {}", services.join(", ")),
    };
    good("recipients", format!("{named}; {names}; {push}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_compared_with_the_database() {
        let now = Timestamp::from_secs(1_800_000_000);
        assert_eq!(clock(Timestamp::from_secs(0), None).state, State::Finding);
        assert_eq!(clock(now, None).state, State::Good);
        // It was a busy minute: the answer took longer than clocks may differ.
        let answered = now + Duration::from_secs(20);
        let said = |said| Some(ServerTime { asked: now, said, answered });
        for time in [now - DRIFT, now, answered, answered + DRIFT] {
            assert_eq!(clock(answered, said(time)).state, State::Good);
        }
        for apart in [answered + Duration::from_secs(6), now - Duration::from_secs(6)] {
            assert_eq!(clock(answered, said(apart)).state, State::Finding);
        }
    }

    #[test]
    fn a_back_up_of_keys_lies_elsewhere() {
        let (data, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let within = data.path().join("keys");
        std::fs::create_dir(&within).expect("made");
        let now = Timestamp::from_secs(1_800_000_000);
        let state = |folder: Option<&Path>| backup(folder, data.path(), now).state;
        assert_eq!(state(None), State::Finding);
        assert_eq!(state(Some(&within)), State::Finding);
        assert_eq!(state(Some(&other.path().join("none"))), State::Finding);
        assert_eq!(state(Some(other.path())), State::Finding, "no back-up yet");
        std::fs::create_dir(other.path().join("backups")).expect("made");
        let name = |at: Timestamp| other.path().join(format!("backups/keys-{}-2954.sealed", at.as_micros()));
        std::fs::write(name(now - Duration::from_secs(3 * 86_400)), "").expect("written");
        assert_eq!(state(Some(other.path())), State::Finding, "too old");
        std::fs::write(name(now - Duration::from_secs(86_400)), "").expect("written");
        assert_eq!(state(Some(other.path())), State::Good);
    }

    #[test]
    fn a_report_ends_with_what_it_comes_to() {
        let checks = [good("disk", "much"), finding("clock", "wrong")];
        let text = report(&checks, 1);
        assert!(text.contains("FINDING clock"), "{text}");
        assert!(text.ends_with("One finding.\n"), "{text}");
    }
}
