// SPDX-License-Identifier: EUPL-1.2

use belofte_ledger::{Checkpoint, Detail, Entry, Export, Leaf, Tree, verifier_key};
use belofte_model::{Actor, KeyId, LedgerKind, Timestamp};
use belofte_vault::{DataKey, LedgerSigner, Random};
use clap::CommandFactory as _;

use super::*;

fn cli(config: Option<&std::path::Path>) -> Cli {
    Cli {
        config: config.map(Into::into),
        json: true,
        around: Surroundings { variables: vec![("BELOFTE_DATA".into(), "/nonexistent".into())] },
    }
}

/// Writes an export of three entries to `folder`.
fn ledger_export(folder: &std::path::Path) {
    const ORIGIN: &str = "desk.example/ledger/1";
    let signer =
        LedgerSigner::from_data_key(&DataKey::generate(KeyId(uuid::Uuid::nil()), &Random::seeded(1)));
    let key = verifier_key(ORIGIN, &signer.public_key()).expect("a key");
    let entries: Vec<_> = (0..3_u8)
        .map(|no| {
            let entry = Entry {
                no: no.into(),
                at: Timestamp::from_secs(1_800_000_000),
                kind: LedgerKind::SignIn,
                actor: Actor::System,
                detail: Detail::new(serde_json::json!({})).expect("an object"),
            };
            ([no; 16], entry.to_bytes())
        })
        .collect();
    let mut tree = Tree::empty();
    for (salt, entry) in &entries {
        tree.append(&Leaf::commit(salt, entry));
    }
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 3, root: tree.root() };
    let note = checkpoint.sign(&signer.public_key(), |text| signer.sign(text)).expect("signed");
    let mut export = Export::create(folder, &note, &key).expect("begun");
    for (salt, entry) in &entries {
        export.push(salt, entry).expect("taken");
    }
    export.finish().expect("written");
}

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn the_configuration_is_checked_before_anything_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("belofte.toml");
    std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:9\"\n").expect("written");
    assert!(matches!(config::run(&cli(Some(&file)), &config::Command::Check), Ok(Done::Well)));
    std::fs::write(&file, "[server]\nlisten = true\n").expect("written");
    assert!(matches!(config::run(&cli(Some(&file)), &config::Command::Check), Ok(Done::WithFindings)));
    let absent = folder.path().join("absent.toml");
    assert!(matches!(config::run(&cli(Some(&absent)), &config::Command::Check), Ok(Done::WithFindings)));
    // The default file may be absent.
    assert!(matches!(config::run(&cli(None), &config::Command::Check), Ok(Done::Well)));
}

#[test]
fn a_ledger_is_proved_offline() {
    let folder = tempfile::tempdir().expect("a folder");
    let verify = |earlier| {
        let command = ledger::Command::Verify { dir: folder.path().into(), earlier, key: None };
        ledger::run(&cli(None), &command)
    };
    let absent = verify(None).err().expect("nothing is there");
    assert!(format!("{absent:#}").contains(&folder.path().display().to_string()), "{absent:#}");
    assert!(verify(Some(folder.path().join("no-checkpoint"))).is_err());
    ledger_export(folder.path());
    assert!(matches!(verify(None), Ok(Done::Well)));
    let entries = folder.path().join("entries.jsonl");
    let text = std::fs::read_to_string(&entries).expect("the export has entries");
    let without_second: Vec<&str> =
        text.lines().enumerate().filter(|(at, _)| *at != 1).map(|(_, line)| line).collect();
    std::fs::write(&entries, without_second.join("\n") + "\n").expect("written");
    assert!(matches!(verify(None), Ok(Done::WithFindings)));
}
