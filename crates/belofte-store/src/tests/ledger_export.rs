// SPDX-License-Identifier: EUPL-1.2
//! The ledger: signed as it grows, exported for others to verify, and tampering is seen.

use belofte_ledger::{Standing, verify_dir_with_key};
use belofte_model::{LedgerKind, Purpose};
use serde_json::json;

use super::house::{House, Person, houses};
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::{NewLeaf, StoreError, Tx, Write};

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
    let keys = house.store.keys(&person.access).await.expect("keys");
    let leaf = |n| {
        NewLeaf::new(&person.access, &keys, house.store.random(), LedgerKind::Instruction, json!({ "n": n }))
            .expect("a leaf")
    };
    house.store.write(&person.access, Leaves((0..count).map(leaf).collect())).await.expect("grown");
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
        let exported =
            store.export_ledger(&officer.access.as_for(Purpose::Oversight), &folder).await.expect("exported");
        assert_eq!(exported.size, 4 + 1_403 + 5, "{}", house.name());
        let report =
            verify_dir_with_key(&folder, Some(&first.note), Some(&exported.verifier_key)).expect("holds");
        assert_eq!(
            (report.size, report.standing),
            (exported.size, Standing::CompleteSince(4)),
            "{}",
            house.name()
        );
        let page =
            store.ledger_page(&officer.access.as_for(Purpose::Oversight), Some(3), 2).await.expect("a page");
        assert_eq!(page.entries.iter().map(|entry| entry.no).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((page.size, page.checkpoint.expect("one").size), (exported.size, exported.size));
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
        store.export_ledger(&officer.access.as_for(Purpose::Oversight), &folder).await.expect("exported");
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
        assert!(
            store.export_ledger(&officer.access.as_for(Purpose::Oversight), &folder).await.is_err(),
            "{}",
            house.name()
        );
        assert!(verify_dir_with_key(&folder, None, None).is_err(), "unfinished");
        house.close().await;
    }
}
