// SPDX-License-Identifier: EUPL-1.2
//! Keys that sign mail: one waits and one signs at a time, the private half goes with its work, and every tenant
//! has its own.

use belofte_model::{JobKind, Purpose, RecordProblem, SigningKeyId, SigningState, Timestamp};
use uuid::Uuid;

use super::channel_accounts::mailbox;
use super::house::{House, email, houses};
use crate::engine::{params, sql};
use crate::{Access, MailSigner, Read, SigningKey, StoreError, Tx, signing_domain};

/// A key of nobody.
pub(super) fn nothing(at: Timestamp) -> SigningKey {
    SigningKey {
        id: SigningKeyId(Uuid::from_u128(7)),
        domain: String::new(),
        selector: String::new(),
        public_key: Vec::new(),
        state: SigningState::Waiting,
        problem: None,
        checked_at: None,
        seen_at: None,
        began_at: None,
        ended_at: None,
        created_at: at,
        version: 1,
    }
}

/// How many keys have a private half.
struct Secrets;

impl Read for Secrets {
    type Out = i64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let text = sql!("SELECT COUNT(*) FROM signing_key WHERE tenant_id = $1 AND secret IS NOT NULL");
        let tenant = tx.tenant();
        tx.query_one(text, params![tenant], |row| row.int(0)).await
    }
}

struct World {
    house: House,
    admin: Access,
}

impl World {
    async fn new(house: House, slug: &str) -> Self {
        let admin = house.tenant(slug).await.access.as_for(Purpose::Administration);
        let new = mailbox(&format!("info@{slug}.example"));
        house.store.create_channel_account(&admin, None, new).await.expect("added");
        Self { house, admin }
    }

    async fn make(&self, domain: &str) -> Result<SigningKey, StoreError> {
        self.house.store.create_signing_key(&self.admin, None, domain).await
    }

    async fn note(&self, id: SigningKeyId, problem: Option<RecordProblem>) {
        let store = &self.house.store;
        let key = store.signing_key(&self.admin, id).await.expect("a key");
        store.note_signing_record(&self.admin, &key, problem, None).await.expect("noted");
    }

    async fn states(&self) -> Vec<(SigningState, bool)> {
        let domains = self.house.store.signing_domains(&self.admin).await.expect("domains");
        domains.iter().flat_map(|domain| &domain.keys).map(|key| (key.state, key.problem.is_some())).collect()
    }

    async fn signer(&self, address: &str) -> Option<MailSigner> {
        let sends = self.admin.as_for(Purpose::Delivery);
        self.house.store.mail_signer(&sends, &email(address)).await.expect("asked")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_signs_once_its_record_was_seen_and_its_private_half_ends_with_it() {
    use SigningState::{Former, Signing, Waiting};
    for house in houses().await {
        let world = World::new(house, "bakker").await;
        let (name, store) = (world.house.name(), &world.house.store);
        assert!(matches!(world.make("elders.example").await, Err(StoreError::NotFound)), "{name}");
        let first = world.make("bakker.example").await.expect("made");
        assert!(matches!(world.make("bakker.example").await, Err(StoreError::Conflict)), "{name}: one waits");
        assert_eq!(world.states().await, [(Waiting, false)], "{name}");
        world.house.pass(1);
        world.note(first.id, Some(RecordProblem::Missing)).await;
        assert_eq!(world.states().await, [(Waiting, true)], "{name}");
        assert!(world.signer("info@bakker.example").await.is_none(), "{name}: it waits");
        world.note(first.id, None).await;
        assert_eq!(world.states().await, [(Signing, false)], "{name}");
        let signer = world.signer("balie@bakker.example").await.expect("of the domain, whichever account");
        assert_eq!((signer.domain.as_str(), signer.selector), ("bakker.example", first.selector.clone()));
        assert_eq!(signer.key.public_key(), first.public_key, "{name}");
        assert!(world.signer("info@sub.bakker.example").await.is_none(), "{name}: a domain of its own");
        // A record that was right once goes away, or cannot be asked for: it is told, and nothing ends.
        world.note(first.id, Some(RecordProblem::NoAnswer)).await;
        assert_eq!(world.states().await, [(Signing, true)], "{name}");
        assert!(world.signer("info@bakker.example").await.is_some(), "{name}");

        // Another one waits beside it, and takes its place when it is seen.
        world.house.pass(1);
        let second = world.make("bakker.example").await.expect("made");
        assert_ne!(second.selector, first.selector);
        assert_eq!(world.states().await, [(Waiting, false), (Signing, true)], "{name}");
        let signer = world.signer("info@bakker.example").await.expect("the old one");
        assert_eq!(signer.selector, first.selector, "{name}");
        assert_eq!(store.read(&world.admin, Secrets).await.expect("counted"), 2);
        world.note(second.id, None).await;
        assert_eq!(world.states().await, [(Signing, false), (Former, false)], "{name}");
        assert_eq!(world.signer("info@bakker.example").await.expect("the new one").selector, second.selector);
        assert_eq!(
            store.read(&world.admin, Secrets).await.expect("counted"),
            1,
            "{name}: gone with its work"
        );

        // What was seen is not noted for a key that ended meanwhile.
        let late = store.note_signing_record(&world.admin, &first, None, None).await;
        assert!(matches!(late, Err(StoreError::Conflict)), "{name}: {late:?}");
        store.withdraw_signing_key(&world.admin, second.id).await.expect("taken back");
        assert_eq!(world.states().await, [(Former, false), (Former, false)], "{name}");
        assert!(world.signer("info@bakker.example").await.is_none(), "{name}");
        assert_eq!(store.read(&world.admin, Secrets).await.expect("counted"), 0);
        for id in [first.id, second.id] {
            store.withdraw_signing_key(&world.admin, id).await.expect("taken off the list");
        }
        assert!(world.states().await.is_empty(), "{name}");
        let due = store.system().claim_jobs(world.admin.tenant(), 9, world.house.clock.now()).await;
        assert!(
            due.expect("asked").iter().all(|job| job.kind != JobKind::CheckSigning),
            "{name}: nobody looks"
        );
        world.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_record_is_looked_at_until_it_is_right() {
    for house in houses().await {
        let world = World::new(house, "bakker").await;
        let (name, store) = (world.house.name(), &world.house.store);
        let key = world.make("bakker.example").await.expect("made");
        let claim = async || {
            let due = store.system().claim_jobs(world.admin.tenant(), 9, world.house.clock.now()).await;
            due.expect("asked").into_iter().find(|job| job.kind == JobKind::CheckSigning)
        };
        let job = claim().await.expect("at once");
        assert_eq!(job.subject, key.id.uuid());
        let looks = Access::job(&job, world.house.clock.clone());
        let note = async |problem| {
            let job = claim().await.expect("due");
            let known = store.signing_key(&looks, key.id).await.expect("a key");
            store.note_signing_record(&looks, &known, problem, Some(&job)).await.expect("noted");
        };
        let known = store.signing_key(&looks, key.id).await.expect("a key");
        let missing = Some(RecordProblem::Missing);
        store.note_signing_record(&looks, &known, missing, Some(&job)).await.expect("noted");
        assert!(claim().await.is_none(), "{name}: a minute later");
        world.house.pass(60);
        note(None).await;
        assert_eq!(world.states().await, [(SigningState::Signing, false)], "{name}");
        world.house.pass(3_600);
        assert!(claim().await.is_none(), "{name}: twice a day");
        world.house.pass(40_000);
        note(missing).await;
        assert_eq!(world.states().await, [(SigningState::Signing, true)], "{name}");
        world.house.pass(3_600);
        note(None).await;
        assert_eq!(world.states().await, [(SigningState::Signing, false)], "{name}");
        world.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_signs_with_the_key_of_another_tenant() {
    for house in houses().await {
        let world = World::new(house, "bakker").await;
        let (name, store) = (world.house.name(), &world.house.store);
        let other = world.house.tenant("slager").await.access.as_for(Purpose::Administration);
        // A part of the same domain is theirs.
        store.create_channel_account(&other, None, mailbox("vlees@bakker.example")).await.expect("added");
        let key = world.make("bakker.example").await.expect("made");
        world.note(key.id, None).await;
        let sends = other.as_for(Purpose::Delivery);
        let signer = store.mail_signer(&sends, &email("vlees@bakker.example")).await.expect("asked");
        assert!(signer.is_none(), "{name}");
        assert!(matches!(store.signing_key(&other, key.id).await, Err(StoreError::NotFound)), "{name}");
        let gone = store.withdraw_signing_key(&other, key.id).await;
        assert!(matches!(gone, Err(StoreError::NotFound)), "{name}: {gone:?}");
        let own = store.create_signing_key(&other, None, "bakker.example").await.expect("one of their own");
        assert_ne!((own.selector, own.public_key), (key.selector, key.public_key), "{name}");
        world.house.close().await;
    }
}

#[test]
fn a_domain_stands_in_names_in_ascii() {
    assert_eq!(signing_domain(&email("info@Bäcker.example")), "xn--bcker-gra.example");
    assert_eq!(signing_domain(&email("info@Winkel.Example")), "winkel.example");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_the_record_is_not_in_the_way_of_who_takes_the_key_back() {
    for house in houses().await {
        let world = World::new(house, "bakker").await;
        let store = &world.house.store;
        for round in 0..20 {
            let key = world.make("bakker.example").await.expect("made");
            let (looked, taken) = tokio::join!(
                store.note_signing_record(&world.admin, &key, Some(RecordProblem::Missing), None),
                store.withdraw_signing_key(&world.admin, key.id),
            );
            let lost = looked.is_err();
            assert!(
                matches!(looked, Ok(()) | Err(StoreError::Conflict | StoreError::NotFound)),
                "{looked:?}"
            );
            taken.unwrap_or_else(|error| panic!("{}, round {round}, {lost}: {error}", world.house.name()));
        }
        assert!(world.states().await.is_empty());
        world.house.close().await;
    }
}
