// SPDX-License-Identifier: EUPL-1.2
//! A restored database is recognised, and what it misses is not destroyed.

use std::fs;

use belofte_model::{IntakeId, KeyClass, KeyState, LedgerKind, Purpose, QuarantineReason};
use belofte_vault::Random;
use uuid::Uuid;

use super::super::house::{House, houses};
use super::super::place::Place;
use super::{KeysOnly, deliver, key_rows, opens, prepare, shop, sweep_a_day};
use crate::{Doubt, EngineSettings, Quarantine, Store, StoreError, TenantDoubt};

const BIG: usize = 100_000;
const DAY: u64 = 24 * 3_600;

/// One of the two databases.
#[derive(Clone, Copy)]
enum Which {
    Content,
    Keys,
}

/// A copy of a database, taken and put back while nobody uses it.
struct Saved(String);

async fn postgres(statements: &[String]) {
    let url = std::env::var("BELOFTE_TEST_POSTGRES").expect("a server");
    let config: tokio_postgres::Config = url.parse().expect("an address");
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("a server");
    let run = async {
        for statement in statements {
            client.batch_execute(statement).await.expect("done");
        }
    };
    tokio::select! {
        () = run => (),
        _ = connection => panic!("the server went away"),
    }
}

fn database(place: &Place, which: Which) -> Option<String> {
    let EngineSettings::Postgres(settings) = &place.engine else { return None };
    let url = match which {
        Which::Content => &settings.content_url,
        Which::Keys => &settings.keys_url,
    };
    let name = url.rsplit_once("dbname=").map(|(_, name)| name).or_else(|| {
        url.split_once('?').map_or(url.as_str(), |(base, _)| base).rsplit_once('/').map(|(_, name)| name)
    });
    Some(name.expect("a name").to_owned())
}

async fn save(place: &Place, which: Which) -> Saved {
    let name = format!("saved_{}", Uuid::from_bytes(Random::System.bytes()).simple());
    match database(place, which) {
        Some(database) => postgres(&[format!("CREATE DATABASE {name} TEMPLATE {database}")]).await,
        None => drop(fs::copy(file(place, which), place.folder.path().join(&name)).expect("copied")),
    }
    Saved(name)
}

async fn put_back(place: &Place, which: Which, saved: &Saved) {
    match database(place, which) {
        Some(database) => {
            let make = format!("CREATE DATABASE {database} TEMPLATE {}", saved.0);
            postgres(&[format!("DROP DATABASE {database} WITH (FORCE)"), make]).await;
        }
        None => {
            let file = file(place, which);
            for suffix in ["-wal", "-shm"] {
                let _ = fs::remove_file(format!("{}{suffix}", file.display()));
            }
            fs::copy(place.folder.path().join(&saved.0), file).expect("copied");
        }
    }
}

fn file(place: &Place, which: Which) -> std::path::PathBuf {
    place.folder.path().join(match which {
        Which::Content => "content.db",
        Which::Keys => "keys.db",
    })
}

/// The house after something was done to its files while it was closed.
async fn closed(mut house: House, work: impl AsyncFnOnce(&Place)) -> House {
    house.store.close().await;
    work(&house.place).await;
    house.store = house.place.open_at(&house.clock).await.expect("stores");
    house.store.system().found_system().await.expect("an installation");
    house
}

async fn watch(store: &Store) -> Vec<TenantDoubt> {
    store.system().watch_stores(true).await.expect("compared")
}

/// How many keys of contacts and conversations there are. (That of a filed mail goes a moment later.)
async fn active(house: &House, tenant: belofte_model::TenantId) -> usize {
    let owned = |class| matches!(class, KeyClass::Contact | KeyClass::Conversation);
    let rows = key_rows(house, tenant).await;
    rows.iter().filter(|row| row.state == KeyState::Active && owned(row.class)).count()
}

/// Waits until only so many are left: keys are destroyed after the answer to what no longer needs them.
async fn left(house: &House, tenant: belofte_model::TenantId, keys: usize) {
    for _ in 0..500 {
        if active(house, tenant).await <= keys {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(active(house, tenant).await, keys, "{}", house.name());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_content_is_recognised_and_destroys_nothing_that_the_right_content_needs() {
    for house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        deliver(&house, &admin.access, &account, "jan", BIG).await;
        assert_eq!(watch(&house.store).await, []);
        let (mut old, mut new) = (None, None);
        let house = closed(house, async |place| old = Some(save(place, Which::Content).await)).await;
        // What comes now is not in the copy: a message, an upload and a mail in quarantine.
        let late = deliver(&house, &admin.access, &account, "piet", BIG).await;
        let aside = prepare(&house, &admin.access, &account, BIG).await;
        let job = aside.claimed(&admin.access).expect("leased");
        let intake = IntakeId(job.subject);
        house.store.write(&admin.access.as_for(Purpose::Intake), aside).await.expect("received");
        let now = house.clock.now();
        let quarantine = Quarantine { job, intake, reason: QuarantineReason::NoSender, signature: None, now };
        house.store.write(&admin.access.as_for(Purpose::Intake), quarantine).await.expect("set aside");
        assert_eq!(watch(&house.store).await, []);
        let keys = active(&house, admin.tenant).await;
        let house = closed(house, async |place| {
            new = Some(save(place, Which::Content).await);
            put_back(place, Which::Content, old.as_ref().expect("saved")).await;
        })
        .await;
        let name = house.name();
        let doubts = watch(&house.store).await;
        assert_eq!(doubts.len(), 1, "{name}: {doubts:?}");
        assert_eq!((doubts[0].doubt, doubts[0].tenant), (Doubt::ContentOlder, admin.tenant), "{name}");
        assert!(doubts[0].number >= 1 && doubts[0].slug.as_deref() == Some("bakker"), "{name}: {doubts:?}");
        // The wrong content is worked with, and overtakes by its numbers what it was.
        for customer in ["kees", "mies", "fien"] {
            deliver(&house, &admin.access, &account, customer, 10).await;
        }
        for _ in 0..10 {
            sweep_a_day(&house, admin.tenant).await;
            assert_eq!(watch(&house.store).await.len(), 1, "{name}: it stays in doubt");
        }
        assert!(active(&house, admin.tenant).await >= keys, "{name}: no key was destroyed");
        let house = closed(house, async |place| {
            put_back(place, Which::Content, new.as_ref().expect("saved")).await;
        })
        .await;
        assert_eq!(watch(&house.store).await, [], "{name}: the right content ends the doubt by itself");
        opens(&house, &admin.access, late, BIG).await;
        let source = house.store.intake_source(&admin.access, intake).await.expect("it opens");
        assert_eq!(source.raw.len(), BIG, "{name}");
        // From now on the sweep works, and it takes what the wrong content left behind.
        for _ in 0..9 {
            sweep_a_day(&house, admin.tenant).await;
        }
        left(&house, admin.tenant, keys).await;
        opens(&house, &admin.access, late, BIG).await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_was_accepted_is_the_new_beginning() {
    for house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let first = deliver(&house, &admin.access, &account, "jan", BIG).await;
        watch(&house.store).await;
        let mut old = None;
        let house = closed(house, async |place| old = Some(save(place, Which::Content).await)).await;
        let keys = active(&house, admin.tenant).await;
        deliver(&house, &admin.access, &account, "piet", BIG).await;
        watch(&house.store).await;
        assert!(active(&house, admin.tenant).await > keys);
        let house = closed(house, async |place| {
            put_back(place, Which::Content, old.as_ref().expect("saved")).await;
        })
        .await;
        let name = house.name();
        let accepted = house.store.system().accept_restore().await.expect("accepted");
        assert_eq!(accepted.len(), 1, "{name}");
        let leaves = house.leaves(&admin.access, LedgerKind::Keys).await;
        assert_eq!(leaves.last().expect("a leaf").detail.value()["act"], "restore_accepted", "{name}");
        assert_eq!(watch(&house.store).await, [], "{name}");
        for _ in 0..9 {
            sweep_a_day(&house, admin.tenant).await;
        }
        left(&house, admin.tenant, keys).await;
        opens(&house, &admin.access, first, BIG).await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_keys_are_recognised_by_rows_that_do_not_open() {
    for house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let first = deliver(&house, &admin.access, &account, "jan", BIG).await;
        watch(&house.store).await;
        let (mut old, mut new) = (None, None);
        let house = closed(house, async |place| old = Some(save(place, Which::Keys).await)).await;
        let late = deliver(&house, &admin.access, &account, "piet", BIG).await;
        let house = closed(house, async |place| {
            new = Some(save(place, Which::Keys).await);
            put_back(place, Which::Keys, old.as_ref().expect("saved")).await;
        })
        .await;
        let name = house.name();
        let doubts = watch(&house.store).await;
        assert_eq!(doubts.len(), 1, "{name}");
        assert_eq!((doubts[0].doubt, doubts[0].number), (Doubt::KeysOlder, 2), "{name}: contact and case");
        assert!(matches!(house.store.message(&admin.access, late).await, Err(StoreError::KeyGone(_))));
        opens(&house, &admin.access, first, BIG).await;
        house.pass(1);
        house.store.system().accept_restore().await.expect("accepted");
        assert_eq!(watch(&house.store).await, [], "{name}: the same rows are not told again");
        let house = closed(house, async |place| {
            put_back(place, Which::Keys, new.as_ref().expect("saved")).await;
        })
        .await;
        assert_eq!(watch(&house.store).await, [], "{name}");
        opens(&house, &admin.access, late, BIG).await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_that_would_destroy_too_much_destroys_nothing() {
    for house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let (store, name) = (&house.store, house.name());
        let message = deliver(&house, &admin.access, &account, "jan", 10).await;
        let (before, now) = (active(&house, admin.tenant).await, house.clock.now());
        let keys = store.keys(&admin.access).await.expect("keys");
        let lost: Vec<_> = (0..60_u128)
            .map(|n| keys.mint(store.random(), KeyClass::Contact, Some(Uuid::from_u128(n)), 0, now))
            .collect();
        assert!(store.write(&admin.access, KeysOnly(lost)).await.is_err());
        house.pass(8 * DAY);
        sweep_a_day(&house, admin.tenant).await;
        assert_eq!(active(&house, admin.tenant).await, before + 60, "{name}");
        let doubts = watch(store).await;
        assert_eq!((doubts[0].doubt, doubts[0].number), (Doubt::ManyOrphans, 60), "{name}");
        store.system().accept_restore().await.expect("accepted");
        sweep_a_day(&house, admin.tenant).await;
        left(&house, admin.tenant, before).await;
        opens(&house, &admin.access, message, 10).await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_one_node_destroys_is_forgotten_by_the_other() {
    for house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let message = deliver(&house, &admin.access, &account, "jan", 10).await;
        let other = house.place.open_at(&house.clock).await.expect("stores");
        let read = other.message(&admin.access, message).await.expect("a message");
        let marked = crate::engine::sql!(
            "UPDATE key SET state = 'erasing' WHERE tenant_id = $1 AND class = 'conversation'"
        );
        house.store.write_keys(Some(admin.tenant), super::Tamper(marked)).await.expect("marked");
        house.pass(6);
        // The embedded engine has one node, whose own change it is (decision 6).
        let nodes = if house.store.is_postgres() { vec![&house.store, &other] } else { vec![&house.store] };
        for store in nodes {
            let gone = store.message(&admin.access, read.id).await;
            assert!(matches!(gone, Err(StoreError::KeyGone(_))), "{}: {gone:?}", house.name());
        }
        // All of a tenant, when its own key goes.
        let all = crate::engine::sql!("UPDATE key SET state = 'destroyed' WHERE tenant_id = $1");
        house.store.write_keys(Some(admin.tenant), super::Tamper(all)).await.expect("destroyed");
        house.pass(6);
        let gone = other.keys(&admin.access).await.map(drop);
        assert!(matches!(gone, Err(StoreError::NotFound)), "{}: {gone:?}", house.name());
        other.close().await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_number_vouches_for_the_keys_that_were_read_under_it() {
    for house in houses().await {
        if !house.store.is_postgres() {
            continue;
        }
        let (admin, account) = shop(&house, "bakker").await;
        let message = deliver(&house, &admin.access, &account, "jan", 10).await;
        let other = house.place.open_at(&house.clock).await.expect("stores");
        let reads = async || other.message(&admin.access, message).await.is_ok();
        let keys = async |text: &'static crate::Sql| {
            house.store.write_keys(Some(admin.tenant), super::Tamper(text)).await.expect("changed");
        };
        assert!(reads().await);
        // Nothing tells of the end of the key: it shows that nobody asks for it again.
        house.place.run_on_keys("ALTER TABLE key DISABLE TRIGGER key_changed").await;
        keys(crate::engine::sql!(
            "UPDATE key SET state = 'erasing' WHERE tenant_id = $1 AND class = 'conversation'"
        ))
        .await;
        for _ in 0..5 {
            house.pass(4);
            assert!(reads().await);
        }
        // Not asked for a while, and still the same number: nothing has changed, as far as it tells.
        house.pass(3_600);
        assert!(reads().await);
        house.place.run_on_keys("ALTER TABLE key ENABLE TRIGGER key_changed").await;
        keys(crate::engine::sql!("UPDATE key SET epoch = epoch WHERE tenant_id = $1 AND class = 'contact'"))
            .await;
        house.pass(6);
        assert!(!reads().await, "any change of any key has all of them asked for again");
        keys(crate::engine::sql!(
            "UPDATE key SET state = 'active' WHERE tenant_id = $1 AND class = 'conversation'"
        ))
        .await;
        assert!(reads().await, "what was not at hand is read at once");
        other.close().await;
        house.close().await;
    }
}
