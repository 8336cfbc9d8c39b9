// SPDX-License-Identifier: EUPL-1.2
use std::fs;

use belofte_model::{Actor, KeyId, LedgerKind, UserId};
use belofte_vault::{DataKey, LedgerSigner, Random};
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::{Detail, Entry, Export, ExportError, verifier_key};

const ORIGIN: &str = "desk.voorbeeld.example/ledger/1";

fn signer(seed: u64) -> LedgerSigner {
    LedgerSigner::from_data_key(&DataKey::generate(KeyId(Uuid::nil()), &Random::seeded(seed)))
}

fn key(signer: &LedgerSigner) -> String {
    verifier_key(ORIGIN, &signer.public_key()).unwrap()
}

/// Salt and bytes of entry `no` of the log that `seed` makes.
fn entry(no: u64, seed: u64) -> ([u8; 16], Vec<u8>) {
    let entry = Entry {
        no,
        at: Timestamp::from_secs(1_800_000_000 + no as i64),
        kind: LedgerKind::ALL[no as usize % LedgerKind::ALL.len()],
        actor: Actor::User(UserId(Uuid::from_u128(1))),
        detail: Detail::new(json!({ "seed": seed })).unwrap(),
    };
    (Random::seeded(seed << 32 | no).bytes(), entry.to_bytes())
}

fn checkpoint(size: u64, seed: u64) -> Checkpoint {
    let mut tree = Tree::empty();
    for no in 0..size {
        let (salt, bytes) = entry(no, seed);
        tree.append(&Leaf::commit(&salt, &bytes));
    }
    Checkpoint { origin: ORIGIN.to_owned(), size, root: tree.root() }
}

fn note(size: u64, seed: u64, signer: &LedgerSigner) -> Vec<u8> {
    checkpoint(size, seed).sign(&signer.public_key(), |text| signer.sign(text)).unwrap()
}

fn exported_by(size: u64, seed: u64, signer: &LedgerSigner) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut export = Export::create(dir.path(), &note(size, seed, signer), &key(signer)).unwrap();
    for no in 0..size {
        let (salt, bytes) = entry(no, seed);
        export.push(&salt, &bytes).unwrap();
    }
    export.finish().unwrap();
    dir
}

fn exported(size: u64) -> TempDir {
    exported_by(size, 0, &signer(1))
}

fn entries_of(dir: &TempDir) -> Vec<String> {
    let text = fs::read_to_string(dir.path().join(ENTRIES)).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn put_entries(dir: &TempDir, lines: &[String]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(dir.path().join(ENTRIES), text).unwrap();
}

fn finding(dir: &TempDir) -> Finding {
    verify_dir(dir.path(), None).unwrap_err()
}

#[test]
fn an_export_holds_and_is_called_consistent_never_complete() {
    for size in [0, 1, 2, 255, 256, 257, 600] {
        let dir = exported(size);
        let report = verify_dir(dir.path(), None).unwrap();
        assert_eq!((report.size, report.root), (size, checkpoint(size, 0).root));
        assert_eq!(report.standing, Standing::Consistent);
        assert_eq!(report.key, key(&signer(1)));
        assert_eq!(report.span.is_some(), size > 0);
        let said = report.to_string();
        assert!(said.contains("consistent") && !said.contains("complete"), "{said}");
    }
}

#[test]
fn the_tiles_lie_where_public_tools_look() {
    let dir = exported(600);
    for (path, len) in [
        ("tile/0/000", 256 * 32),
        ("tile/0/001", 256 * 32),
        ("tile/0/002.p/88", 88 * 32),
        ("tile/1/000.p/2", 2 * 32),
        ("tile/entries/000", 256 * 34),
        ("tile/entries/002.p/88", 88 * 34),
    ] {
        assert_eq!(fs::metadata(dir.path().join(path)).unwrap().len(), len, "{path}");
    }
    let tile = fs::read(dir.path().join("tile/0/000")).unwrap();
    let upper = fs::read(dir.path().join("tile/1/000.p/2")).unwrap();
    assert_eq!(tlog_tiles::Tile::subtree_hash(&tile).0, upper[..32]);
    let (salt, bytes) = entry(0, 0);
    assert_eq!(Leaf::hash(&Leaf::commit(&salt, &bytes)), tile[..32]);
    for readme in ["README.nl.md", "README.en.md"] {
        assert!(fs::read_to_string(dir.path().join(readme)).unwrap().contains("belofte ledger verify"));
    }
}

#[test]
fn an_earlier_checkpoint_tells_growth_from_rewriting() {
    let signer = signer(1);
    let dir = exported(300);
    for size in [0, 1, 256, 299, 300] {
        let report = verify_dir(dir.path(), Some(&note(size, 0, &signer))).unwrap();
        assert_eq!(report.standing, Standing::CompleteSince(size));
        assert!(report.to_string().ends_with(&format!("complete since checkpoint {size}")));
    }
    let rewritten = verify_dir(dir.path(), Some(&note(7, 5, &signer))).unwrap_err();
    assert!(matches!(rewritten, Finding::Rewritten { earlier: 7 }), "{rewritten}");
    let shorter = verify_dir(dir.path(), Some(&note(301, 0, &signer))).unwrap_err();
    assert!(matches!(shorter, Finding::Shorter { size: 300, earlier: 301 }), "{shorter}");
    let foreign = verify_dir(dir.path(), Some(&note(7, 0, &self::signer(2)))).unwrap_err();
    assert!(matches!(foreign, Finding::EarlierCheckpoint(_)), "{foreign}");
}

#[test]
fn a_forged_checkpoint_fails() {
    let dir = exported(9);
    // Signed by another key, with a smaller size, with another root; not signed at all.
    let forged = checkpoint(9, 0).sign(&signer(1).public_key(), |text| signer(2).sign(text)).unwrap();
    let good = String::from_utf8(note(9, 0, &signer(1))).unwrap();
    for note in [
        forged,
        good.replace("\n9\n", "\n8\n").into_bytes(),
        note(9, 0, &signer(2)),
        good.split_once("\n\n").unwrap().0.as_bytes().to_vec(),
        Vec::new(),
    ] {
        fs::write(dir.path().join(CHECKPOINT), note).unwrap();
        assert!(matches!(finding(&dir), Finding::Checkpoint(_)));
    }
    // Rightly signed, of other entries: the tiles of the export do not give that root either.
    fs::write(dir.path().join(CHECKPOINT), note(9, 3, &signer(1))).unwrap();
    assert!(matches!(finding(&dir), Finding::Root { size: 9 }));
    fs::remove_file(dir.path().join(CHECKPOINT)).unwrap();
    assert!(matches!(finding(&dir), Finding::Unreadable { file: CHECKPOINT, .. }));
}

#[test]
fn a_ledger_forged_whole_needs_another_key_and_that_is_seen() {
    let dir = exported_by(9, 3, &signer(2));
    assert!(verify_dir(dir.path(), None).is_ok(), "it is consistent in itself");
    let expected = key(&signer(1));
    let found = verify_dir_with_key(dir.path(), None, Some(&expected)).unwrap_err();
    assert!(matches!(found, Finding::OtherKey));
    let found = verify_dir(dir.path(), Some(&note(5, 0, &signer(1)))).unwrap_err();
    assert!(matches!(found, Finding::EarlierCheckpoint(_)));
    assert!(verify_dir_with_key(exported(9).path(), None, Some(&expected)).is_ok());
}

#[test]
fn damaged_tiles_are_named_and_the_entries_cleared() {
    for (path, at) in [("tile/0/001.p/44", 5), ("tile/1/000.p/1", 0), ("tile/entries/000", 700)] {
        let dir = exported(300);
        let file = dir.path().join(path);
        let mut bytes = fs::read(&file).unwrap();
        bytes[at] ^= 1;
        fs::write(&file, &bytes).unwrap();
        assert!(matches!(finding(&dir), Finding::Tile { file } if file == path));
        bytes.pop();
        fs::write(&file, &bytes).unwrap();
        assert!(matches!(finding(&dir), Finding::Tile { file } if file == path));
        fs::remove_file(&file).unwrap();
        assert!(matches!(finding(&dir), Finding::Tile { file } if file == path));
    }
}

#[test]
fn entries_and_tiles_changed_together_fail_without_a_name() {
    let dir = exported(9);
    let other = exported_by(9, 3, &signer(1));
    for file in [ENTRIES, "tile/0/000.p/9", "tile/entries/000.p/9"] {
        fs::copy(other.path().join(file), dir.path().join(file)).unwrap();
    }
    let found = finding(&dir);
    assert!(matches!(found, Finding::Root { size: 9 }) && found.entry().is_none());
}

#[test]
fn changed_tiles_cannot_blame_another_entry() {
    let dir = exported(9);
    let mut lines = entries_of(&dir);
    lines[6] = altered(&lines[6]);
    put_entries(&dir, &lines);
    assert!(matches!(finding(&dir), Finding::Changed { no: 6 }));
    let tile = dir.path().join("tile/0/000.p/9");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[2 * 32] ^= 1;
    fs::write(&tile, bytes).unwrap();
    assert!(matches!(finding(&dir), Finding::Root { size: 9 }));
}

#[test]
fn a_line_that_misstates_its_number_is_a_change() {
    let dir = exported(5);
    let mut lines = entries_of(&dir);
    lines[3] = lines[3].replacen("{\"no\":3", "{\"no\":4", 1);
    put_entries(&dir, &lines);
    assert!(matches!(finding(&dir), Finding::Changed { no: 3 }));
}

#[test]
fn a_file_cut_within_its_last_line_is_noticed() {
    let dir = exported(5);
    let path = dir.path().join(ENTRIES);
    let whole = fs::read(&path).unwrap();
    for cut in [1, 2, 40] {
        fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        assert!(matches!(finding(&dir), Finding::Changed { no: 4 }));
    }
}

#[test]
fn an_export_refuses_what_the_checkpoint_does_not_sign() {
    let signer = signer(1);
    let begin = || {
        let dir = tempfile::tempdir().unwrap();
        (Export::create(dir.path(), &note(2, 0, &signer), &key(&signer)).unwrap(), dir)
    };
    let push = |export: &mut Export, no, seed| {
        let (salt, bytes) = entry(no, seed);
        export.push(&salt, &bytes)
    };
    let (mut short, dir) = begin();
    push(&mut short, 0, 0).unwrap();
    assert!(matches!(push(&mut short, 0, 0), Err(ExportError::Number { no: 1, says: 0 })));
    assert!(matches!(short.push(&[0; 16], b"{}"), Err(ExportError::Entry { no: 1, .. })));
    assert!(matches!(short.finish(), Err(ExportError::Disagrees { entries: 1, size: 2 })));
    assert!(!dir.path().join(CHECKPOINT).exists());
    assert!(Export::create(dir.path(), &note(2, 0, &signer), &key(&signer)).is_err(), "not twice");

    let (mut other, _dir) = begin();
    push(&mut other, 0, 0).unwrap();
    push(&mut other, 1, 3).unwrap();
    assert!(matches!(other.finish(), Err(ExportError::Disagrees { entries: 2, size: 2 })));

    let dir = tempfile::tempdir().unwrap();
    let refused = Export::create(dir.path(), &note(2, 0, &signer), &key(&self::signer(2)));
    assert!(matches!(refused, Err(ExportError::Checkpoint(_))));
}

/// A line with other content in its entry, its number kept.
fn altered(line: &str) -> String {
    line.replace("\"seed\":0", "\"seed\":1")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_changed_entry_is_named(size in 1u64..400, at in any::<prop::sample::Index>(), garbled in any::<bool>()) {
        let (dir, no) = (exported(size), at.index(size as usize));
        let mut lines = entries_of(&dir);
        lines[no] = if garbled { "not json".to_owned() } else { altered(&lines[no]) };
        put_entries(&dir, &lines);
        let found = finding(&dir);
        prop_assert!(matches!(found, Finding::Changed { no: named } if named == no as u64), "{}", found);
    }

    #[test]
    fn a_removed_entry_is_named(size in 1u64..400, at in any::<prop::sample::Index>(), count in 1usize..4) {
        let (dir, no) = (exported(size), at.index(size as usize));
        let mut lines = entries_of(&dir);
        lines.drain(no..(no + count).min(size as usize));
        put_entries(&dir, &lines);
        let found = finding(&dir);
        prop_assert!(matches!(found, Finding::Removed { no: named } if named == no as u64), "{}", found);
    }

    #[test]
    fn swapped_entries_are_named(size in 2u64..400, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let (dir, a, b) = (exported(size), a.index(size as usize), b.index(size as usize));
        prop_assume!(a != b);
        let mut lines = entries_of(&dir);
        lines.swap(a, b);
        put_entries(&dir, &lines);
        let found = finding(&dir);
        let (first, second) = (a.min(b) as u64, a.max(b) as u64);
        prop_assert!(matches!(found, Finding::Reordered { no, holds } if (no, holds) == (first, second)), "{}", found);
    }

    #[test]
    fn an_added_entry_is_named(size in 0u64..400, at in any::<prop::sample::Index>(), copy in any::<bool>()) {
        let (dir, no) = (exported(size), at.index(size as usize + 1));
        let mut lines = entries_of(&dir);
        let (salt, bytes) = entry(no as u64, 9);
        let mut line = Vec::new();
        crate::layout::write_line(&mut line, no as u64, &salt, &bytes).unwrap();
        let line = String::from_utf8(line).unwrap().trim_end().to_owned();
        // Something new, or a second copy of the entry before.
        lines.insert(no, if copy && no > 0 { lines[no - 1].clone() } else { line });
        put_entries(&dir, &lines);
        let found = finding(&dir);
        prop_assert!(matches!(found, Finding::Added { no: named } if named == no as u64), "{}", found);
    }

    #[test]
    fn any_changed_byte_of_any_file_is_noticed(file in 0usize..6, at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let dir = exported(260);
        let file = ["entries.jsonl", "checkpoint", "key", "tile/0/000", "tile/1/000.p/1", "tile/entries/001.p/4"][file];
        let path = dir.path().join(file);
        let good = fs::read(&path).unwrap();
        let mut bytes = good.clone();
        bytes[at.index(good.len())] = with;
        fs::write(&path, &bytes).unwrap();
        // White space at the end of the key file is no part of the key.
        let same = bytes == good || (file == "key" && bytes.trim_ascii_end() == good.trim_ascii_end());
        prop_assert_eq!(verify_dir(dir.path(), None).is_ok(), same);
    }

    #[test]
    fn any_files_are_handled(
        entries in proptest::collection::vec(any::<u8>(), 0..300),
        tile in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let dir = exported(9);
        fs::write(dir.path().join(ENTRIES), &entries).unwrap();
        prop_assert!(verify_dir(dir.path(), None).is_err());
        fs::write(dir.path().join("tile/0/000.p/9"), &tile).unwrap();
        prop_assert!(verify_dir(dir.path(), Some(&entries)).is_err());
        fs::write(dir.path().join(KEY), &tile).unwrap();
        prop_assert!(verify_dir(dir.path(), None).is_err());
    }
}
