// SPDX-License-Identifier: EUPL-1.2
//! An exported ledger of which one file is a stranger's: what the verifier calls whole is what
//! was signed.
//!
//! The first octet says which file; the others are its content.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use belofte_ledger::{Checkpoint, Detail, Entry, Export, Leaf, Report, Tree, verifier_key, verify_dir};
use belofte_model::{Actor, KeyId, LedgerKind, Timestamp, UserId};
use belofte_vault::{DataKey, LedgerSigner, Random};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use uuid::Uuid;

const ORIGIN: &str = "desk.voorbeeld.example/ledger/1";
const SIZE: u64 = 3;
const FILES: [&str; 5] = ["checkpoint", "key", "entries.jsonl", "tile/0/000.p/3", "tile/entries/000.p/3"];

/// An export that holds, and what is said of it.
struct Whole {
    folder: TempDir,
    key: String,
    report: Report,
    files: Vec<(PathBuf, Vec<u8>)>,
}

static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let signer = LedgerSigner::from_data_key(&DataKey::generate(KeyId(Uuid::nil()), &Random::seeded(1)));
    let entries: Vec<([u8; 16], Vec<u8>)> = (0..SIZE)
        .map(|no| {
            let entry = Entry {
                no,
                at: Timestamp::from_secs(1_800_000_000 + no as i64),
                kind: LedgerKind::ALL[no as usize],
                actor: Actor::User(UserId(Uuid::from_u128(1))),
                detail: Detail::new(serde_json::json!({ "seed": no })).expect("a detail"),
            };
            ([no as u8; 16], entry.to_bytes())
        })
        .collect();
    let mut tree = Tree::empty();
    for (salt, bytes) in &entries {
        tree.append(&Leaf::commit(salt, bytes));
    }
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: SIZE, root: tree.root() };
    let note = checkpoint.sign(&signer.public_key(), |text| signer.sign(text)).expect("signed");
    let key = verifier_key(ORIGIN, &signer.public_key()).expect("a key");
    let folder = tempfile::tempdir().expect("a folder");
    let mut export = Export::create(folder.path(), &note, &key).expect("made");
    for (salt, bytes) in &entries {
        export.push(salt, bytes).expect("written");
    }
    export.finish().expect("written");
    let files = FILES.map(|name| folder.path().join(name));
    let files = files.map(|path| (path.clone(), fs::read(&path).expect("exported"))).into();
    let report = verify_dir(folder.path(), None).expect("it holds");
    Whole { folder, key, report, files }
});

fuzz_target!(|raw: &[u8]| {
    let Some((which, content)) = raw.split_first() else { return };
    let whole = &*WHOLE;
    if let Ok(entry) = Entry::parse(content) {
        assert_eq!(entry.to_bytes(), content);
    }
    let _ = verifier_key(&String::from_utf8_lossy(content), &[7; 32]);
    if let Ok(opened) = Checkpoint::open(content, &whole.key) {
        assert_eq!((opened.size, opened.root), (whole.report.size, whole.report.root));
    }
    let _ = verify_dir(whole.folder.path(), Some(content));
    let (path, good) = &whole.files[usize::from(*which) % whole.files.len()];
    fs::write(path, content).expect("written");
    let verified = verify_dir(whole.folder.path(), None);
    let said = verified.as_ref().err().map(ToString::to_string);
    fs::write(path, good).expect("written");
    if let Ok(report) = verified {
        assert_eq!(report, whole.report, "{said:?}");
        // Only a note has room for what is not judged: the signatures of others; a key, for its end of line.
        if usize::from(*which) % whole.files.len() > 1 {
            assert!(content == good || path.ends_with("entries.jsonl"), "{}", path.display());
        }
    }
});
