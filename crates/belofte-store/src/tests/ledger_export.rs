// SPDX-License-Identifier: EUPL-1.2
//! The ledger: signed as it grows, exported for others to verify, and tampering is seen.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use belofte_ledger::{Standing, verify_dir_with_key};
use belofte_model::{LedgerKind, Purpose};
use serde_json::{Value, json};

use super::house::{House, Person, houses};
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::{ExportPiece, LedgerExportError, NewLeaf, StoreError, Tx, Write};

struct Leaves(Vec<NewLeaf>);

impl Write for Leaves {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let needs = Needs { leaves: i64::try_from(self.0.len()).expect("few"), ..Needs::default() };
        let first = counters::take(tx, needs).await?.leaf;
        for (leaf, no) in self.0.iter().zip(first..) {
            leaf.append(tx, no).await?;
        }
        Ok(())
    }
}

async fn grow(house: &House, person: &Person, count: usize) {
    grow_with(house, person, count, |n| json!({ "n": n })).await;
}

async fn grow_with(house: &House, person: &Person, count: usize, detail: impl Fn(usize) -> Value) {
    let keys = house.store.keys(&person.access).await.expect("keys");
    let leaf = |n| {
        NewLeaf::new(&person.access, &keys, house.store.random(), LedgerKind::Instruction, detail(n))
            .expect("a leaf")
    };
    house.store.write(&person.access, Leaves((0..count).map(leaf).collect())).await.expect("grown");
}

/// Takes an export to its end, into `folder`; gives its size.
async fn export_to(house: &House, person: &Person, folder: &Path) -> Result<u64, LedgerExportError> {
    let mut export = house.store.export_ledger(&person.access.as_for(Purpose::Oversight)).await?;
    let (mut open, mut files) = (None::<(File, u64)>, BTreeMap::new());
    loop {
        let next = export.next().await?;
        if let Some(ExportPiece::Bytes(bytes)) = &next {
            let (file, left) = open.as_mut().expect("a file begins before its bytes");
            file.write_all(bytes).expect("our own folder");
            *left = left.checked_sub(bytes.len() as u64).expect("no more than was said");
            continue;
        }
        assert_eq!(open.take().map_or(0, |(_, left)| left), 0, "no less than was said");
        let Some(ExportPiece::File { path, size }) = next else { break };
        *files.entry(size).or_default() += 1_u64;
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("in the folder")).expect("our own folder");
        open = Some((File::create_new(path).expect("each path once"), size));
    }
    assert_eq!(files, export.files, "the sizes that were told before");
    Ok(export.size)
}

/// Whether some file below `folder` holds `text`.
fn holds(folder: &Path, text: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("our own folder").any(|entry| {
        let path = entry.expect("our own folder").path();
        if path.is_dir() {
            return holds(&path, text);
        }
        // What is removed while we look is looked at next time.
        std::fs::read(path).is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_export_lies_on_the_disk_while_it_is_made() {
    const CANARY: &str = "kanarie van de bakker";
    for house in houses().await {
        let officer = house.tenant("bakker").await;
        grow_with(&house, &officer, 2_500, |_| json!({ "said": CANARY })).await;
        let mut export =
            house.store.export_ledger(&officer.access.as_for(Purpose::Oversight)).await.expect("ready");
        let (mut told, mut pieces) = (0, 0);
        while let Some(piece) = export.next().await.expect("goes on") {
            if let ExportPiece::Bytes(bytes) = &piece {
                told += bytes.windows(CANARY.len()).filter(|window| *window == CANARY.as_bytes()).count();
            }
            // With the entries opened and not yet taken, and between the others now and then.
            if pieces % 10 < 2 {
                assert!(!holds(house.place.folder.path(), CANARY.as_bytes()), "{}", house.name());
            }
            pieces += 1;
        }
        assert_eq!(told, 2_500, "{}", house.name());
        house.close().await;
    }
}

/// Somebody with their hands in the database.
struct Tamper(&'static crate::Sql);

impl Write for Tamper {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        assert!(tx.execute(self.0, params![tenant]).await? > 0, "nothing to tamper with");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_verifies_and_an_earlier_checkpoint_holds_in_a_later_one() {
    for house in houses().await {
        let officer = house.tenant("bakker").await;
        let store = &house.store;
        let first = store.make_checkpoint(&officer.access).await.expect("signed").expect("a checkpoint");
        let again = store.make_checkpoint(&officer.access).await.expect("signed").expect("a checkpoint");
        assert_eq!(first, again, "nothing new, nothing signed");
        assert_eq!(first.size, 4);
        for step in [1, 2, 300, 1_100] {
            grow(&house, &officer, step).await;
            store.make_checkpoint(&officer.access).await.expect("signed");
        }
        grow(&house, &officer, 5).await;
        let folder = house.place.folder.path().join("export");
        let exported = export_to(&house, &officer, &folder).await.expect("exported");
        assert_eq!(exported, 4 + 1_403 + 5, "{}", house.name());
        let overseer = officer.access.as_for(Purpose::Oversight);
        let key = store.export_ledger(&overseer).await.expect("ready").verifier_key;
        let report = verify_dir_with_key(&folder, Some(&first.note), Some(&key)).expect("holds");
        assert_eq!(
            (report.size, report.standing),
            (exported, Standing::CompleteSince(4)),
            "{}",
            house.name()
        );
        let page =
            store.ledger_page(&officer.access.as_for(Purpose::Oversight), Some(3), 2).await.expect("a page");
        assert_eq!(page.entries.iter().map(|entry| entry.no).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((page.size, page.checkpoint.expect("one").size), (exported, exported));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_is_refused_over_leaves_that_are_not_those_signed() {
    for house in houses().await {
        let store = &house.store;
        // The edge is lost or wrong: it is made anew from the leaves, and checked.
        let officer = house.tenant("edge").await;
        store.make_checkpoint(&officer.access).await.expect("signed");
        let spoil = sql!("UPDATE ledger_checkpoint SET edge = note WHERE tenant_id = $1");
        store.write(&officer.access, Tamper(spoil)).await.expect("spoilt");
        grow(&house, &officer, 3).await;
        let healed = store.make_checkpoint(&officer.access).await.expect("signed").expect("a checkpoint");
        assert_eq!(healed.size, 7);
        let folder = house.place.folder.path().join("healed");
        export_to(&house, &officer, &folder).await.expect("exported");
        verify_dir_with_key(&folder, None, None).expect("holds");

        // The same, and an entry was changed as well.
        let officer = house.tenant("changed").await;
        store.make_checkpoint(&officer.access).await.expect("signed");
        store.write(&officer.access, Tamper(spoil)).await.expect("spoilt");
        let change = sql!(
            "UPDATE ledger_leaf SET commitment = (SELECT o.commitment FROM ledger_leaf o \
             WHERE o.tenant_id = $1 AND o.no = 1) WHERE tenant_id = $1 AND no = 2"
        );
        store.write(&officer.access, Tamper(change)).await.expect("changed");
        grow(&house, &officer, 3).await;
        let refused = store.make_checkpoint(&officer.access).await;
        assert!(matches!(refused, Err(StoreError::Inconsistent { .. })), "{}", house.name());

        // An entry after the last checkpoint is gone.
        let officer = house.tenant("gone").await;
        store.make_checkpoint(&officer.access).await.expect("signed");
        grow(&house, &officer, 3).await;
        let remove = sql!("DELETE FROM ledger_leaf WHERE tenant_id = $1 AND no = 5");
        store.write(&officer.access, Tamper(remove)).await.expect("removed");
        let refused = store.make_checkpoint(&officer.access).await;
        assert!(matches!(refused, Err(StoreError::Inconsistent { .. })), "{}", house.name());

        // An entry was put in the place of another, commitment and all left alone.
        let officer = house.tenant("swapped").await;
        store.make_checkpoint(&officer.access).await.expect("signed");
        let swap = sql!(
            "UPDATE ledger_leaf SET entry = (SELECT o.entry FROM ledger_leaf o \
             WHERE o.tenant_id = $1 AND o.no = 1) WHERE tenant_id = $1 AND no = 2"
        );
        store.write(&officer.access, Tamper(swap)).await.expect("swapped");
        let folder = house.place.folder.path().join("swapped");
        assert!(export_to(&house, &officer, &folder).await.is_err(), "{}", house.name());
        assert!(!folder.exists(), "refused before anything was told");

        // The same, after the export began: what was told is known to be unfinished.
        let officer = house.tenant("late").await;
        let mut export =
            store.export_ledger(&officer.access.as_for(Purpose::Oversight)).await.expect("ready");
        store.write(&officer.access, Tamper(swap)).await.expect("swapped");
        let mut told = Vec::new();
        let ended = loop {
            match export.next().await {
                Ok(Some(ExportPiece::File { path, .. })) => told.push(path),
                Ok(Some(ExportPiece::Bytes(_))) => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        assert!(ended.is_err() && !told.iter().any(|path| path == "checkpoint"), "{}", house.name());
        house.close().await;
    }
}
