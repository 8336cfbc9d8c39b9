// SPDX-License-Identifier: EUPL-1.2
//! Back-ups of keys: complete or not there, without what was destroyed, unreadable when their time
//! is over.

use std::fs;

use belofte_model::{Duration, KeyClass, KeyState, TenantId, Timestamp};
use belofte_vault::RootKey;
use serde_json::json;

use super::house::{House, houses};
use super::place::open_with_root;
use super::upkeep::{Tamper, deliver, key_rows, opens, shop, sweep_a_day, take};
use crate::engine::sql;
use crate::{EPOCH, KeyBackupError, KeyBackups, Store, StoreError, epoch_of, epoch_start};

const DAY: u64 = 86_400;

fn second_place() -> (tempfile::TempDir, KeyBackups) {
    let folder = tempfile::tempdir().expect("a folder");
    let backups = KeyBackups::new(folder.path().to_owned());
    (folder, backups)
}

/// The stores of the house with the same content and an empty key database.
async fn without_keys(house: &House) -> Store {
    let empty = sql!("DELETE FROM key WHERE tenant_id = $1");
    for tenant in house.store.system().tenants().await.expect("tenants").into_iter().chain([crate::SYSTEM]) {
        house.store.write_keys(Some(tenant), Tamper(empty)).await.expect("emptied");
    }
    let root = RootKey::open_file(&house.place.folder.path().join("root.key")).expect("read").expect("there");
    open_with_root(house.place.folder.path(), house.place.engine.clone(), root, house.clock.clone())
        .await
        .expect("stores")
}

async fn destroy_contact(house: &House, tenant: TenantId) {
    let destroyed = sql!(
        "UPDATE key SET state = 'destroyed', wrapped = substr(wrapped, 1, 0) WHERE tenant_id = $1 AND class = 'contact'"
    );
    house.store.write_keys(Some(tenant), Tamper(destroyed)).await.expect("destroyed");
}

async fn destroyed(backups: &KeyBackups, house: &House, now: Timestamp, kept: Duration) -> Vec<i64> {
    backups.destroy_due(&house.store, now, kept).await.expect("looked")
}

async fn states(house: &House, tenant: TenantId, class: KeyClass) -> Vec<(KeyState, usize)> {
    let rows = key_rows(house, tenant).await;
    rows.iter().filter(|row| row.class == class).map(|row| (row.state, row.wrapped)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_backed_up_comes_back_and_what_was_destroyed_since_does_not() {
    for house in houses().await {
        let (place, backups) = second_place();
        let (admin, account) = shop(&house, "bakker").await;
        let (other, theirs) = shop(&house, "slager").await;
        let name = house.name();
        let lost = deliver(&house, &admin.access, &account, "jan", 10).await;
        let kept = deliver(&house, &other.access, &theirs, "piet", 100_000).await;
        let made = backups.back_up(&house.store).await.expect("backed up");
        assert_eq!(backups.list().expect("listed"), std::slice::from_ref(&made), "{name}");
        destroy_contact(&house, admin.tenant).await;
        assert_eq!(backups.write_erased(&house.store).await.expect("written"), 1, "{name}");
        assert_eq!(backups.write_erased(&house.store).await.expect("written"), 0, "{name}: once");
        // The last one, torn by a crash, is not an entry yet.
        let list = fs::read_dir(place.path().join("erased")).expect("a folder").next().expect("a list");
        let list = list.expect("a list").path();
        let whole = fs::read_to_string(&list).expect("text");
        fs::write(&list, format!("{whole}0193")).expect("torn");

        let refused = backups.restore(&house.store, place.path()).await;
        assert!(matches!(refused, Err(KeyBackupError::NotEmpty)), "{name}: {refused:?}");
        let store = without_keys(&house).await;
        let house = House { store, ..house };
        let restored = backups.restore(&house.store, place.path()).await.expect("restored");
        assert_eq!((restored.erased, restored.made_at), (1, made.made_at), "{name}");
        assert_eq!(states(&house, admin.tenant, KeyClass::Contact).await, [(KeyState::Destroyed, 0)]);
        opens(&house, &other.access, kept, 100_000).await;
        let message = house.store.message(&admin.access, lost).await.expect("the case has a key of its own");
        let case = house.store.conversation(&admin.access, message.conversation).await;
        let contact = match case {
            Ok(case) => house.store.contact(&admin.access, case.contact).await.map(drop),
            Err(error) => Err(error),
        };
        assert!(matches!(contact, Err(StoreError::KeyGone(_))), "{name}: {contact:?}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_raw_copy_brought_back_is_destroyed_before_anything_is_served() {
    for house in houses().await {
        let (_place, backups) = second_place();
        let (admin, account) = shop(&house, "bakker").await;
        deliver(&house, &admin.access, &account, "jan", 10).await;
        destroy_contact(&house, admin.tenant).await;
        backups.write_erased(&house.store).await.expect("written");
        // As a copy of the key database from before would have it.
        let back =
            sql!("UPDATE key SET state = 'active', listed = 0 WHERE tenant_id = $1 AND class = 'contact'");
        house.store.write_keys(Some(admin.tenant), Tamper(back)).await.expect("copied");
        assert_eq!(backups.replay(&house.store).await.expect("replayed"), 1, "{}", house.name());
        assert_eq!(backups.replay(&house.store).await.expect("replayed"), 0, "{}", house.name());
        assert_eq!(states(&house, admin.tenant, KeyClass::Contact).await, [(KeyState::Destroyed, 0)]);
        let gone = KeyBackups::new("/nonexistent/place".into()).replay(&house.store).await;
        assert!(matches!(gone, Err(KeyBackupError::Place { .. })));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_back_up_whose_epoch_is_over_does_not_open() {
    for house in houses().await {
        let (place, backups) = second_place();
        let (name, kept) = (house.name(), EPOCH * 2);
        shop(&house, "bakker").await;
        let made = backups.back_up(&house.store).await.expect("backed up");
        let copy = place.path().join("copy-on-a-tape");
        fs::copy(&made.path, &copy).expect("copied");
        let start = epoch_start(made.epoch);
        let last = start + kept - std::time::Duration::from_secs(1);
        assert_eq!(destroyed(&backups, &house, last, kept).await, Vec::<i64>::new(), "{name}");
        assert!(made.path.exists());
        assert_eq!(destroyed(&backups, &house, start + kept, kept).await, [made.epoch], "{name}");
        assert_eq!(destroyed(&backups, &house, start + kept, kept).await, Vec::<i64>::new(), "{name}");
        let page = house.store.ledger_page(&house.store.system().installation(), None, 100).await;
        let acts: Vec<_> =
            page.expect("the log").entries.iter().map(|one| one.detail.value().clone()).collect();
        let made_and_destroyed = ["destroy_epoch_key", "make_epoch_key"];
        assert_eq!(
            acts[..2],
            made_and_destroyed.map(|act| json!({ "act": act, "epoch": made.epoch })),
            "{name}"
        );
        assert!(!made.path.exists(), "{name}: what does not open is not kept");
        let store = without_keys(&house).await;
        let house = House { store, ..house };
        let refused = backups.restore(&house.store, &copy).await;
        assert!(matches!(refused, Err(KeyBackupError::EpochGone(_))), "{name}: {refused:?}");
        // A new key under the same number does not open it either.
        house.store.system().found_system().await.expect("an installation");
        backups.back_up(&house.store).await.expect("backed up");
        let store = without_keys(&house).await;
        let house = House { store, ..house };
        let refused = backups.restore(&house.store, &copy).await;
        assert!(matches!(refused, Err(KeyBackupError::EpochGone(_))), "{name}: {refused:?}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_back_up_and_a_shortened_list_are_refused() {
    for house in houses().await {
        let (place, backups) = second_place();
        let (admin, account) = shop(&house, "bakker").await;
        deliver(&house, &admin.access, &account, "jan", 10).await;
        destroy_contact(&house, admin.tenant).await;
        let made = backups.back_up(&house.store).await.expect("backed up");
        let store = without_keys(&house).await;
        let house = House { store, ..house };
        let whole = fs::read(&made.path).expect("bytes");
        for (at, what) in [(whole.len() - 1, "its end"), (20, "its head")] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&made.path, bytes).expect("damaged");
            let refused = backups.restore(&house.store, &made.path).await;
            assert!(refused.is_err(), "{}: {what}", house.name());
        }
        fs::write(&made.path, &whole[..whole.len() - 40]).expect("cut off");
        assert!(backups.restore(&house.store, &made.path).await.is_err(), "{}", house.name());
        fs::write(&made.path, &whole).expect("whole");
        for list in fs::read_dir(place.path().join("erased")).expect("a folder") {
            fs::write(list.expect("a list").path(), "").expect("emptied");
        }
        let refused = backups.restore(&house.store, &made.path).await;
        assert!(
            matches!(refused, Err(KeyBackupError::ListIncomplete { found: 0, expected: 1 })),
            "{}: {refused:?}",
            house.name()
        );
        assert!(key_rows(&house, admin.tenant).await.is_empty(), "nothing was written");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_back_up_of_many_segments_comes_back_whole_or_not_at_all() {
    for house in houses().await {
        let (_place, backups) = second_place();
        let (admin, account) = shop(&house, "bakker").await;
        for number in 0..160 {
            deliver(&house, &admin.access, &account, &format!("klant{number}"), 10).await;
        }
        let before = states(&house, admin.tenant, KeyClass::Conversation).await;
        assert_eq!(before.len(), 160, "{}", house.name());
        let made = backups.back_up(&house.store).await.expect("backed up");
        let whole = fs::read(&made.path).expect("bytes");
        assert!(whole.len() > 2 * 65_536, "{} bytes are one or two segments", whole.len());
        let store = without_keys(&house).await;
        let house = House { store, ..house };
        // Cut off where a segment ends, which each segment alone would not show.
        let head = whole.iter().position(|byte| *byte == b'\n').expect("a head") + 1;
        for length in [head + 65_536, head + 2 * 65_536, whole.len() - 1] {
            fs::write(&made.path, &whole[..length]).expect("cut off");
            let refused = backups.restore(&house.store, &made.path).await;
            assert!(matches!(refused, Err(KeyBackupError::Damaged { .. })), "{}: {refused:?}", house.name());
            assert!(key_rows(&house, admin.tenant).await.is_empty(), "nothing was written");
        }
        fs::write(&made.path, &whole).expect("whole");
        backups.restore(&house.store, &made.path).await.expect("restored");
        assert_eq!(states(&house, admin.tenant, KeyClass::Conversation).await, before, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_epoch_begins_with_a_rotation() {
    for house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let message = deliver(&house, &admin.access, &account, "jan", 10).await;
        let (system, name) = (house.store.system(), house.name());
        let monday = epoch_start(epoch_of(house.clock.now()) + 1);
        assert!(!system.begin_epoch().await.expect("asked"), "{name}: this epoch has begun");
        house.pass(monday.since(house.clock.now()).as_secs());
        assert!(system.begin_epoch().await.expect("begun"), "{name}");
        assert!(!system.begin_epoch().await.expect("asked"), "{name}: once");
        sweep_a_day(&house, admin.tenant).await;
        let (access, job) = take(&house, admin.tenant, belofte_model::JobKind::RotateKeys).await;
        house.store.upkeep(&access, &job).await.expect("rotated");
        assert_eq!(system.rotation_progress(admin.tenant).await.expect("known").epoch, 1, "{name}");
        house.pass(DAY);
        sweep_a_day(&house, admin.tenant).await;
        let jobs =
            sql!("SELECT CAST(count(*) AS bigint) FROM job WHERE tenant_id = $1 AND kind = 'rotate_keys'");
        let left = house.store.read(&admin.access, super::upkeep::Count(jobs)).await.expect("counted");
        assert_eq!(left, 0, "{name}: once an epoch");
        opens(&house, &admin.access, message, 10).await;
        house.close().await;
    }
}
