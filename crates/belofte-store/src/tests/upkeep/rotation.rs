// SPDX-License-Identifier: EUPL-1.2
//! Rotation: everything can be read before, after, and at every moment between, on every node.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use belofte_model::{Column, Duration, JobKind, KeyClass, KeyId, KeyState, LedgerKind};
use belofte_vault::{Random, RootKey, SealContext};
use uuid::Uuid;

use super::super::house::{House, Person, email, houses};
use super::super::place::open_with_root;
use super::{KeysOnly, deliver, key_rows, opens, shop, take};
use crate::{Access, EngineSettings, RotationProgress, SYSTEM, SealedKey, Store, StoreError, Tx, Write};

/// Something small that a key sealed, by which it is known again.
struct Witness {
    key: KeyId,
    sealed: Vec<u8>,
}

fn context(house: &Person) -> SealContext {
    SealContext { tenant: house.tenant, column: Column(9_999), row: Uuid::from_u128(9) }
}

/// Makes `count` keys of conversations and gives what they sealed.
async fn witnesses(store: &Store, person: &Person, count: usize) -> Vec<Witness> {
    let keys = store.keys(&person.access).await.expect("keys");
    let now = store.clock().now();
    let minted: Vec<SealedKey> =
        (0..count).map(|_| keys.mint(store.random(), KeyClass::Conversation, None, 0, now)).collect();
    let witness = |key: &SealedKey| Witness {
        key: key.key.id(),
        sealed: key.key.seal(store.random(), &context(person), b"witness"),
    };
    let all = minted.iter().map(witness).collect();
    assert!(matches!(store.write(&person.access, KeysOnly(minted)).await, Err(StoreError::Conflict)));
    all
}

/// Every key opens what it sealed, unwrapped anew from its row.
async fn testify(store: &Store, person: &Person, all: &[Witness], when: &str) {
    for witness in all {
        store.ring().forget(witness.key);
        let key =
            store.key(person.tenant, witness.key).await.unwrap_or_else(|error| panic!("{when}: {error}"));
        let open = key.open(&context(person), &witness.sealed).expect("it opens what it sealed");
        assert_eq!(open, b"witness", "{when}");
    }
}

async fn progress(house: &House, person: &Person) -> RotationProgress {
    house.store.system().rotation_progress(person.tenant).await.expect("a tenant")
}

async fn rotate(house: &House, person: &Person) {
    assert!(house.store.system().rotate_keys(person.tenant).await.expect("enqueued"));
    let (access, job) = take(house, person.tenant, JobKind::RotateKeys).await;
    house.store.upkeep(&access, &job).await.expect("rotated");
}

/// A node that was started now; on SQLite the one node, started again.
async fn started_now(house: &mut House) -> Store {
    if !house.store.is_postgres() {
        house.store.close().await;
        house.store = house.place.open_at(&house.clock).await.expect("stores");
        return house.store.clone();
    }
    house.place.open_at(&house.clock).await.expect("stores")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_replaces_the_tenants_key_and_nothing_is_lost() {
    for mut house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let (other, _) = shop(&house, "slager").await;
        let name = house.name();
        let message = deliver(&house, &admin.access, &account, "jan", 100_000).await;
        // More than two steps hold.
        let all = witnesses(&house.store, &admin, 450).await;
        let foreign = progress(&house, &other).await;
        let before = progress(&house, &admin).await;
        assert_eq!((before.epoch, before.under_way), (0, false), "{name}");
        assert_eq!(before.rewrapped, before.total, "{name}");
        let system = house.store.system();
        assert!(system.rotate_keys(admin.tenant).await.expect("enqueued"));
        assert!(!system.rotate_keys(admin.tenant).await.expect("asked"), "{name}: one at a time");
        let (access, job) = take(&house, admin.tenant, JobKind::RotateKeys).await;
        let key = KeyId(job.subject);
        house.store.upkeep(&access, &job).await.expect("rotated");
        let after = progress(&house, &admin).await;
        assert_eq!((after.epoch, after.under_way), (1, false), "{name}");
        assert_eq!((after.rewrapped, after.total), (before.total, before.total), "{name}");
        let rows = key_rows(&house, admin.tenant).await;
        let old: Vec<_> = rows
            .iter()
            .filter(|row| row.class == KeyClass::Tenant && row.state == KeyState::Destroyed)
            .collect();
        assert!(old.len() == 1 && old[0].wrapped == 0, "{name}: destroyed, and its row is empty");
        assert!(
            rows.iter().filter(|row| row.class != KeyClass::Tenant).all(|row| row.parent == key.uuid()),
            "{name}"
        );
        assert_eq!(progress(&house, &other).await, foreign, "{name}: another tenant is not touched");
        let leaves = house.leaves(&admin.access, LedgerKind::Keys).await;
        let rotated = leaves.last().expect("a leaf").detail.value().clone();
        assert_eq!(rotated["act"], "rotated", "{name}");
        assert_eq!(rotated["destroyed"][0], format!("tenant:{}", old[0].id), "{name}");
        assert_eq!(leaves[leaves.len() - 2].detail.value()["act"], "rotating", "{name}");
        testify(&house.store, &admin, &all, "the node that rotated").await;
        opens(&house, &admin.access, message, 100_000).await;
        // Again, and what is made after it is wrapped by the newest.
        rotate(&house, &admin).await;
        assert_eq!(progress(&house, &admin).await.epoch, 2, "{name}");
        let later = deliver(&house, &admin.access, &account, "piet", 10).await;
        let fresh = started_now(&mut house).await;
        testify(&fresh, &admin, &all, "a node that starts").await;
        opens(&house, &admin.access, later, 10).await;
        opens(&house, &admin.access, message, 100_000).await;
        let none = house.store.system().rotate_keys(belofte_model::TenantId(Uuid::from_u128(5))).await;
        assert!(matches!(none, Err(StoreError::NotFound)), "{name}");
        fresh.close().await;
        house.close().await;
    }
}

/// Runs `work` for at most `polls` polls, and then drops it as a crash would.
async fn cut_off<T>(work: impl Future<Output = T>, polls: usize) -> Option<T> {
    let (mut work, mut left) = (pin!(work), polls);
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(out) => Poll::Ready(Some(out)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_is_cut_off_anywhere_can_be_read_and_goes_on() {
    for house in houses().await {
        let (admin, _) = shop(&house, "bakker").await;
        let name = house.name();
        // A node that heard nothing of it: its ring is as old as the first key.
        let stale = if house.store.is_postgres() {
            house.place.open_at(&house.clock).await.expect("stores")
        } else {
            house.store.clone()
        };
        let mut all = witnesses(&stale, &admin, 250).await;
        let (mut halfway, mut polls) = (0, 0);
        loop {
            // A whole rotation within so many polls ends the test.
            let system = house.store.system();
            let fresh = system.rotate_keys(admin.tenant).await.expect("asked");
            let (access, job) = take(&house, admin.tenant, JobKind::RotateKeys).await;
            let ended = cut_off(house.store.upkeep(&access, &job), polls).await;
            let now = progress(&house, &admin).await;
            halfway += usize::from(now.under_way && now.rewrapped > 0 && now.rewrapped < now.total);
            let when = format!("{name}, cut off after {polls} polls");
            testify(&stale, &admin, &all[..20.min(all.len())], &when).await;
            testify(&stale, &admin, &all[all.len() - 5..], &when).await;
            all.extend(witnesses(&stale, &admin, 1).await);
            if let Some(ended) = ended {
                ended.expect("rotated");
                if fresh {
                    break;
                }
            }
            // Every one of the first, then ever fewer: on PostgreSQL each statement is a poll.
            polls += 1 + polls / 10;
            assert!(polls < 20_000, "{name}: it never comes to an end");
        }
        assert!(halfway > 0, "{name}: no cut came between two steps");
        let end = progress(&house, &admin).await;
        assert!(!end.under_way, "{name}");
        testify(&house.store, &admin, &all, name).await;
        testify(&stale, &admin, &all, name).await;
        let rows = key_rows(&house, admin.tenant).await;
        let active = rows.iter().filter(|row| row.class == KeyClass::Tenant && row.state == KeyState::Active);
        assert_eq!(active.count(), 1, "{name}");
        assert!(rows.iter().all(|row| row.state != KeyState::Retired), "{name}");
        let leaves = house.leaves(&admin.access, LedgerKind::Keys).await;
        let rotated = leaves.iter().filter(|leaf| leaf.detail.value()["act"] == "rotated").count();
        let destroyed = rows
            .iter()
            .filter(|row| row.class == KeyClass::Tenant && row.state == KeyState::Destroyed)
            .count();
        assert_eq!(rotated, destroyed, "{name}: one leaf for each key that was destroyed");
        if stale.is_postgres() {
            stale.close().await;
        }
        house.close().await;
    }
}

/// Content under keys that were minted a while ago.
struct Minted(Vec<SealedKey>);

impl Write for Minted {
    type Out = ();
    fn new_keys(&self) -> &[SealedKey] {
        &self.0
    }
    async fn run(&self, _: &mut Tx<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_minted_before_a_rotation_and_stored_after_it_is_wrapped_anew() {
    for mut house in houses().await {
        let (admin, _) = shop(&house, "bakker").await;
        let (store, name) = (house.store.clone(), house.name());
        let old = store.keys(&admin.access).await.expect("keys");
        let minted = old.mint(store.random(), KeyClass::Conversation, None, 0, store.clock().now());
        let witness = Witness {
            key: minted.key.id(),
            sealed: minted.key.seal(store.random(), &context(&admin), b"witness"),
        };
        rotate(&house, &admin).await;
        rotate(&house, &admin).await;
        store.write(&admin.access, Minted(vec![minted])).await.expect("nobody notices");
        let rows = key_rows(&house, admin.tenant).await;
        let newest = rows
            .iter()
            .find(|row| row.class == KeyClass::Tenant && row.state == KeyState::Active)
            .expect("a key");
        let row = rows.iter().find(|row| row.id == witness.key).expect("a row");
        assert_eq!(row.parent, newest.id.uuid(), "{name}: not by a key that is gone");
        let all = [witness];
        testify(&store, &admin, &all, name).await;
        drop(store);
        let fresh = started_now(&mut house).await;
        testify(&fresh, &admin, &all, name).await;
        fresh.close().await;
        house.close().await;
    }
}

/// On SQLite one thread writes; on PostgreSQL a lock has to part the two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_being_stored_and_a_rotation_wait_for_each_other() {
    for house in houses().await {
        if let EngineSettings::Postgres(settings) = &house.place.engine {
            let (admin, _) = shop(&house, "bakker").await;
            let (client, connection) =
                tokio_postgres::connect(&settings.keys_url, tokio_postgres::NoTls).await.expect("a server");
            let test = async {
                // What a rotation does to the old key, not committed yet.
                let retiring = format!(
                    "BEGIN; UPDATE key SET changed_at = changed_at WHERE tenant_id = '{}' AND class = 'tenant'",
                    admin.tenant
                );
                client.batch_execute(&retiring).await.expect("begun");
                let keys = house.store.keys(&admin.access).await.expect("keys");
                let random = house.store.random();
                let key = keys.mint(random, KeyClass::Conversation, None, 0, house.clock.now());
                let mut storing = pin!(house.store.write(&admin.access, Minted(vec![key])));
                let early = tokio::time::timeout(Duration::from_millis(300), &mut storing).await;
                assert!(early.is_err(), "it must not pass a rotation that is being written");
                client.batch_execute("COMMIT").await.expect("committed");
                storing.await.expect("stored");
            };
            tokio::select! {
                () = test => {}
                _ = connection => panic!("the server went away"),
            }
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_other_nodes_make_during_rotations_is_never_lost() {
    for mut house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let name = house.name();
        let busy = if house.store.is_postgres() {
            house.place.open_at(&house.clock).await.expect("stores")
        } else {
            house.store.clone()
        };
        let making = async {
            let mut made = Vec::new();
            for _ in 0..150 {
                made.extend(witnesses(&busy, &admin, 2).await);
            }
            made
        };
        let rotating = async {
            let mut messages = Vec::new();
            for n in 0..6 {
                rotate(&house, &admin).await;
                messages.push(deliver(&house, &admin.access, &account, &format!("c{n}"), 10).await);
            }
            messages
        };
        let (made, messages) = tokio::join!(making, rotating);
        testify(&busy, &admin, &made, name).await;
        let fresh = started_now(&mut house).await;
        testify(&fresh, &admin, &made, name).await;
        for message in messages {
            opens(&house, &admin.access, message, 10).await;
        }
        assert_eq!(progress(&house, &admin).await.epoch, 6, "{name}");
        busy.close().await;
        fresh.close().await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_cannot_be_unwrapped_stops_the_rotation_and_loses_nothing() {
    for house in houses().await {
        let (admin, _) = shop(&house, "bakker").await;
        let all = witnesses(&house.store, &admin, 10).await;
        struct Spoil(KeyId);
        impl Write for Spoil {
            type Out = ();
            async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
                let (tenant, noise) = (tx.tenant(), [1_u8; 61]);
                let text =
                    crate::engine::sql!("UPDATE key SET wrapped = $3 WHERE tenant_id = $1 AND id = $2");
                tx.execute_one(text, crate::engine::params![tenant, self.0, &noise[..]]).await
            }
        }
        house.store.write_keys(Some(admin.tenant), Spoil(all[3].key)).await.expect("spoilt");
        assert!(house.store.system().rotate_keys(admin.tenant).await.expect("enqueued"));
        let (access, job) = take(&house, admin.tenant, JobKind::RotateKeys).await;
        for _ in 0..2 {
            let failed = house.store.upkeep(&access, &job).await;
            assert!(matches!(failed, Err(StoreError::Vault(_))), "{}", house.name());
        }
        let (spoilt, sound): (Vec<_>, Vec<_>) = all.into_iter().partition({
            let mut n = 0;
            move |_| {
                n += 1;
                n == 4
            }
        });
        testify(&house.store, &admin, &sound, house.name()).await;
        house.store.ring().forget(spoilt[0].key);
        let lost = house.store.key(admin.tenant, spoilt[0].key).await;
        assert!(matches!(lost, Err(StoreError::Vault(_))), "{}", house.name());
        assert!(progress(&house, &admin).await.under_way, "{}: the old key is still there", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_installations_own_keys_rotate_too() {
    for mut house in houses().await {
        let (store, name) = (house.store.clone(), house.name());
        let address = email("operator@house.example");
        let (called, hash) =
            (belofte_vault::Pii::new("Operator".to_owned()), belofte_vault::Pii::new("hash".to_owned()));
        store.system().create_operator(&called, &address, hash).await.expect("made");
        let index = store.tenant_keys(SYSTEM).await.expect("keys").lookup.index("login", "a@b.example");
        store.system().rotate_system_keys().await.expect("rotated");
        store.system().rotate_system_keys().await.expect("rotated");
        let rows = key_rows(&house, SYSTEM).await;
        let destroyed = rows.iter().filter(|row| row.state == KeyState::Destroyed && row.wrapped == 0);
        assert_eq!(destroyed.count(), 2, "{name}");
        drop(store);
        let fresh = started_now(&mut house).await;
        fresh.system().found_system().await.expect("it is founded already");
        let keys = fresh.tenant_keys(SYSTEM).await.expect("keys");
        assert_eq!(keys.lookup.index("login", "a@b.example"), index, "{name}: the same blind indexes");
        fresh.close().await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_root_key_wraps_every_tenant_or_none() {
    for house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let (name, folder) = (house.name(), house.place.folder.path().to_owned());
        let message = deliver(&house, &admin.access, &account, "jan", 10).await;
        rotate(&house, &admin).await;
        let new = RootKey::create_file(&folder.join("new.key"), &Random::System).expect("a root key");
        assert_eq!(house.store.system().change_root(&new).await.expect("changed"), 2, "{name}");
        assert_eq!(house.store.system().change_root(&new).await.expect("nothing to do"), 0, "{name}");
        house.store.close().await;
        let old = house.place.open_at(&house.clock).await.expect("stores");
        let refused = old.tenant_keys(admin.tenant).await;
        assert!(matches!(refused, Err(StoreError::Vault(_))), "{name}: the old root key opens nothing");
        old.close().await;
        let store = open_with_root(&folder, house.place.engine.clone(), new, house.clock.clone()).await;
        let house = House { store: store.expect("stores"), ..house };
        opens(&house, &admin.access, message, 10).await;
        rotate(&house, &admin).await;
        opens(&house, &admin.access, message, 10).await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_failed_for_good_can_be_asked_for_again() {
    for house in houses().await {
        let (admin, _) = shop(&house, "bakker").await;
        let system = house.store.system();
        assert!(system.rotate_keys(admin.tenant).await.expect("enqueued"));
        let dead = crate::engine::sql!(
            "UPDATE job SET state = 'dead' WHERE tenant_id = $1 AND kind = 'rotate_keys'"
        );
        house.store.write(&admin.access, super::Tamper(dead)).await.expect("dead");
        assert!(system.rotate_keys(admin.tenant).await.expect("enqueued"), "{}", house.name());
        let due = system.claim_jobs(admin.tenant, 10, house.clock.now()).await.expect("claimed");
        let job = due.iter().find(|job| job.kind == JobKind::RotateKeys).expect("due at once");
        house.store.upkeep(&Access::job(job, house.clock.clone()), job).await.expect("rotated");
        assert_eq!(progress(&house, &admin).await.epoch, 1, "{}", house.name());
        house.close().await;
    }
}
