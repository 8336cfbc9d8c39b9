// SPDX-License-Identifier: EUPL-1.2
//! The sweep removes what has ended, and never what lives, whenever it comes.

use belofte_model::{
    BlobId, ConversationId, IntakeId, JobKind, KeyClass, KeyState, LedgerKind, MessageId, Purpose,
    QuarantineReason, Timestamp,
};
use belofte_vault::Random;
use uuid::Uuid;

use super::super::house::{self, House, Person, houses};
use super::{
    Count, KeysOnly, Tamper, deliver, file, key_rows, opens, prepare, shop, sweep, sweep_a_day, take,
};
use crate::access::ClaimedJob;
use crate::blob_rows::{BlobKind, SealedBlob};
use crate::engine::{params, sql};
use crate::upkeep::schedule::Lease;
use crate::upkeep::sweep::{Owned, destroy};
use crate::{
    Access, Filed, NewFile, Quarantine, Receive, ResolvedAccount, RetryQuarantined, SealedKey, StoreError,
    Tx, Write,
};

const BIG: usize = 100_000;
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn upload(size: usize) -> NewFile {
    NewFile {
        name: "offer.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        content_id: None,
        inline: false,
        bytes: vec![b'u'; size],
    }
}

fn files(house: &House, person: &Person) -> Vec<BlobId> {
    house.store.blobs().list(person.tenant, Uuid::nil()).expect("listed")
}

async fn count(house: &House, person: &Person, statement: &'static crate::Sql) -> i64 {
    house.store.read(&person.access, Count(statement)).await.expect("counted")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_ended_by_itself_goes_when_its_time_is_over() {
    for house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let (store, name) = (&house.store, house.name());
        let message = deliver(&house, &admin.access, &account, "jan", BIG).await;
        for size in [10, BIG] {
            house::upload(store, &admin.access, upload(size)).await.expect("uploaded");
        }
        let uploads = sql!("SELECT count(*) FROM attachment WHERE tenant_id = $1 AND message_id IS NULL");
        let sessions = sql!("SELECT count(*) FROM session WHERE tenant_id = $1");
        let invitations = sql!("SELECT count(*) FROM invitation WHERE tenant_id = $1");
        let events = sql!("SELECT count(*) FROM event WHERE tenant_id = $1");
        let blobs = sql!("SELECT count(*) FROM blob WHERE tenant_id = $1");
        store
            .write(&admin.access, Tamper(sql!(
                "INSERT INTO idempotency (tenant_id, actor_id, key_hash, request_hash, status, answer, key_id, at, intended_id) \
                 SELECT tenant_id, id, login_index, login_index, 200, profile, key_id, created_at, id FROM user_account \
                 WHERE tenant_id = $1"
            )))
            .await
            .expect("remembered");
        let remembered = sql!("SELECT count(*) FROM idempotency WHERE tenant_id = $1");
        house.pass(11 * HOUR);
        sweep(&house, admin.tenant).await;
        assert_eq!(count(&house, &admin, sessions).await, 1, "{name}");
        house.pass(12 * HOUR);
        sweep(&house, admin.tenant).await;
        assert_eq!(count(&house, &admin, uploads).await, 2, "{name}: 23 hours");
        assert_eq!(count(&house, &admin, remembered).await, 1, "{name}: 23 hours");
        assert_eq!(count(&house, &admin, blobs).await, 4, "{name}");
        assert_eq!(files(&house, &admin).len(), 3, "{name}");
        assert_eq!(count(&house, &admin, sessions).await, 0, "{name}: unused for 12 hours");
        house.pass(2 * HOUR);
        sweep(&house, admin.tenant).await;
        assert_eq!(count(&house, &admin, uploads).await, 0, "{name}: 25 hours");
        assert_eq!(count(&house, &admin, remembered).await, 0, "{name}: 25 hours");
        assert_eq!(count(&house, &admin, blobs).await, 2, "{name}");
        assert_eq!(files(&house, &admin).len(), 2, "{name}: the file of the large one too");
        let before = count(&house, &admin, events).await;
        assert!(before > 0 && count(&house, &admin, invitations).await == 1, "{name}");
        house.pass(28 * DAY);
        deliver(&house, &admin.access, &account, "piet", 10).await;
        sweep(&house, admin.tenant).await;
        let now = count(&house, &admin, events).await;
        assert!(now > before, "{name}: nothing is 30 days old yet");
        house.pass(2 * DAY);
        sweep(&house, admin.tenant).await;
        assert_eq!(
            count(&house, &admin, events).await,
            now - before,
            "{name}: those of the first mail are gone"
        );
        let since = store.events(&admin.access, 1, 10).await.expect("events");
        assert!(since.gap, "{name}: who slept that long is told so");
        house.pass(40 * DAY);
        sweep(&house, admin.tenant).await;
        assert_eq!(count(&house, &admin, invitations).await, 0, "{name}");
        opens(&house, &admin.access, message, BIG).await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_one_step_holds_goes_in_the_same_sweep() {
    for house in houses().await {
        let (admin, _) = shop(&house, "bakker").await;
        for _ in 0..420 {
            house::upload(&house.store, &admin.access, upload(10)).await.expect("uploaded");
        }
        house.pass(25 * HOUR);
        sweep(&house, admin.tenant).await;
        for rows in [
            sql!("SELECT count(*) FROM attachment WHERE tenant_id = $1"),
            sql!("SELECT count(*) FROM blob WHERE tenant_id = $1"),
        ] {
            assert_eq!(count(&house, &admin, rows).await, 0, "{}", house.name());
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_that_lost_its_owner_goes_within_a_day_and_no_other() {
    for house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let message = deliver(&house, &admin.access, &account, "jan", BIG).await;
        for _ in 0..3 {
            house::upload(&house.store, &admin.access, upload(BIG)).await.expect("uploaded");
        }
        let lose = sql!("DELETE FROM attachment WHERE tenant_id = $1 AND message_id IS NULL");
        assert_eq!(house.store.write(&admin.access, Tamper(lose)).await.expect("lost"), 3);
        assert_eq!(files(&house, &admin).len(), 5);
        sweep_a_day(&house, admin.tenant).await;
        sweep_a_day(&house, admin.tenant).await;
        let blobs = sql!("SELECT count(*) FROM blob WHERE tenant_id = $1");
        assert_eq!(count(&house, &admin, blobs).await, 2, "{}", house.name());
        assert_eq!(files(&house, &admin).len(), 2, "{}", house.name());
        opens(&house, &admin.access, message, BIG).await;
        // A source that only its message still names is not lost either.
        let forget = sql!("DELETE FROM intake WHERE tenant_id = $1");
        house.store.write(&admin.access, Tamper(forget)).await.expect("lost");
        sweep_a_day(&house, admin.tenant).await;
        sweep_a_day(&house, admin.tenant).await;
        opens(&house, &admin.access, message, BIG).await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn destroyed_keys_stand_in_one_leaf_and_a_sweep_without_any_adds_none() {
    for house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let (store, name) = (&house.store, house.name());
        let message = deliver(&house, &admin.access, &account, "jan", 10).await;
        let keys = store.keys(&admin.access).await.expect("keys");
        let now = house.clock.now();
        let mint = |class, owner| keys.mint(store.random(), class, Some(owner), 0, now);
        let lost = [KeyClass::Contact, KeyClass::Conversation, KeyClass::Spool]
            .map(|class| mint(class, Uuid::from_u128(7)));
        let ids: Vec<_> = lost.iter().map(|key| key.key.id()).collect();
        assert!(matches!(
            store.write(&admin.access, KeysOnly(lost.to_vec())).await,
            Err(StoreError::Conflict)
        ));
        let leaves = house.leaves(&admin.access, LedgerKind::Keys).await.len();
        house.pass(6 * DAY);
        sweep_a_day(&house, admin.tenant).await;
        assert_eq!(house.leaves(&admin.access, LedgerKind::Keys).await.len(), leaves, "{name}: too young");
        let alive = |rows: &[super::KeyAtRest]| {
            rows.iter().filter(|row| ids.contains(&row.id) && row.state == KeyState::Active).count()
        };
        assert_eq!(alive(&key_rows(&house, admin.tenant).await), 3, "{name}");
        sweep_a_day(&house, admin.tenant).await;
        let after = house.leaves(&admin.access, LedgerKind::Keys).await;
        assert_eq!(after.len(), leaves + 1, "{name}: one leaf for all");
        let detail = after.last().expect("a leaf").detail.value().to_string();
        assert!(ids.iter().all(|id| detail.contains(&id.to_string())), "{name}");
        // On the server engine keys are destroyed after the answer to what no longer needs them.
        let mut rows = key_rows(&house, admin.tenant).await;
        for _ in 0..500 {
            if alive(&rows) == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            rows = key_rows(&house, admin.tenant).await;
        }
        assert_eq!(alive(&rows), 0, "{name}");
        let proof: Vec<_> = rows.iter().filter(|row| ids.contains(&row.id)).collect();
        assert_eq!(proof.len(), 2, "{name}: a spool key leaves no row, the others stay as proof");
        assert!(proof.iter().all(|row| row.state == KeyState::Destroyed && row.wrapped == 0), "{name}");
        sweep(&house, admin.tenant).await;
        sweep_a_day(&house, admin.tenant).await;
        assert_eq!(house.leaves(&admin.access, LedgerKind::Keys).await.len(), leaves + 1, "{name}");
        opens(&house, &admin.access, message, 10).await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_of_a_filed_mail_goes_and_that_of_a_quarantined_one_stays() {
    for house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let (store, name) = (&house.store, house.name());
        let filed = prepare(&house, &admin.access, &account, BIG).await;
        let aside = prepare(&house, &admin.access, &account, BIG).await;
        let (job, other) =
            (filed.claimed(&admin.access).expect("leased"), aside.claimed(&admin.access).expect("leased"));
        let spool: Vec<SealedKey> = filed.new_keys().to_vec();
        store.write(&admin.access.as_for(Purpose::Intake), filed).await.expect("received");
        store.write(&admin.access.as_for(Purpose::Intake), aside).await.expect("received");
        file(&house, &admin.access, &job, "jan", BIG).await.expect("filed");
        let (intake, now) = (IntakeId(other.subject), house.clock.now());
        let quarantine =
            Quarantine { job: other, intake, reason: QuarantineReason::NoSender, signature: None, now };
        store.write(&admin.access.as_for(Purpose::Intake), quarantine).await.expect("set aside");
        // A crash between the content and the end of the keys left this one behind.
        assert!(store.write(&admin.access, KeysOnly(spool)).await.is_err());
        let spools = |rows: Vec<super::KeyAtRest>| {
            rows.iter().filter(|row| row.class == KeyClass::Spool && row.state == KeyState::Active).count()
        };
        assert_eq!(spools(key_rows(&house, admin.tenant).await), 2, "{name}");
        for _ in 0..40 {
            house.pass(DAY);
            sweep_a_day(&house, admin.tenant).await;
            if spools(key_rows(&house, admin.tenant).await) == 1 {
                break;
            }
        }
        house.pass(40 * DAY);
        sweep_a_day(&house, admin.tenant).await;
        assert_eq!(spools(key_rows(&house, admin.tenant).await), 1, "{name}");
        store
            .write(&admin.access, RetryQuarantined::prepare(store, &admin.access, intake))
            .await
            .expect("again");
        let jobs = store.system().claim_jobs(admin.tenant, 10, house.clock.now()).await.expect("claimed");
        let job = jobs.iter().find(|job| job.kind == JobKind::ProcessIntake).expect("a job");
        let again = file(&house, &admin.access, job, "piet", BIG).await.expect("filed");
        let Filed::Message { message, .. } = again else { panic!("a message: {again:?}") };
        opens(&house, &admin.access, message, BIG).await;
        house.close().await;
    }
}

/// A conversation with a key and a file of its own, at any point of its making.
struct Late {
    id: ConversationId,
    account: ResolvedAccount,
    blob: SealedBlob,
    keys: Vec<SealedKey>,
    at: Timestamp,
}

impl Late {
    async fn prepare(house: &House, access: &Access, account: &ResolvedAccount) -> Self {
        let (store, at) = (&house.store, house.clock.now());
        let id = ConversationId::new(at, store.random().bytes());
        let keys = store.keys(access).await.expect("keys");
        let key = keys.mint(store.random(), KeyClass::Conversation, Some(id.uuid()), 0, at);
        let tenant = access.tenant();
        let blob =
            SealedBlob::seal(store, tenant, BlobKind::Attachment, &key.key, &vec![b'l'; BIG], at).await;
        Self { id, account: account.clone(), blob: blob.expect("sealed"), keys: vec![key], at }
    }
}

impl Write for Late {
    type Out = ();
    fn new_keys(&self) -> &[SealedKey] {
        &self.keys
    }
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (tenant, key, nothing) = (tx.tenant(), self.keys[0].key.id(), b"".as_slice());
        self.blob.insert(tx, self.at).await?;
        tx.execute(
            sql!(
                "INSERT INTO attachment (tenant_id, id, message_id, owner_id, blob_id, meta, key_id, media_type, size_bytes, \
                 inline, position, created_at) VALUES ($1, $2, $2, $2, $3, $4, $5, 'text/plain', 1, 0, 0, $6)"
            ),
            params![tenant, self.id, self.blob.id, nothing, key, self.at],
        )
        .await?;
        tx.execute(
            sql!(
                "INSERT INTO conversation (tenant_id, id, no, status, contact_id, queue_id, channel_account_id, summary, \
                 key_id, message_count, last_message_at, last_message_kind, unread, delivery_problem, created_at, version) \
                 VALUES ($1, $2, 0, 'resolved', $2, $3, $4, $5, $6, 1, $7, 'incoming', 0, 0, $7, 1)"
            ),
            params![tenant, self.id, self.account.queue, self.account.id, nothing, key, self.at],
        )
        .await?;
        Ok(())
    }
}

/// A write under way: its files are there, then its keys, then its content.
enum UnderWay {
    Mail { write: Receive, job: ClaimedJob, name: String },
    Case { write: Late },
}

struct Item {
    what: UnderWay,
    began: Timestamp,
    keys_there: bool,
}

enum Done {
    Mail(MessageId),
    Case(BlobId, belofte_model::KeyId),
}

impl Item {
    fn keys(&self) -> Vec<SealedKey> {
        match &self.what {
            UnderWay::Mail { write, .. } => write.new_keys().to_vec(),
            UnderWay::Case { write } => write.new_keys().to_vec(),
        }
    }
}

async fn finish(house: &House, admin: &Person, item: Item) -> Done {
    match item.what {
        UnderWay::Mail { write, job, name } => {
            house.store.write(&admin.access.as_for(Purpose::Intake), write).await.expect("received");
            sweep(house, admin.tenant).await;
            let filed = file(house, &admin.access, &job, &name, BIG).await.expect("filed");
            let Filed::Message { message, .. } = filed else { panic!("a message: {filed:?}") };
            Done::Mail(message)
        }
        UnderWay::Case { write } => {
            let (blob, key) = (write.blob.id, write.keys[0].key.id());
            house.store.write(&admin.access, write).await.expect("stored");
            Done::Case(blob, key)
        }
    }
}

/// Sweeps come at any moment between the steps of many writes, some of which never end.
/// `BELOFTE_SEEDS` says how many courses are tried (two by default).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_a_sweep_comes_what_lives_stays_and_what_was_left_behind_goes() {
    let seeds = std::env::var("BELOFTE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_u64);
    for seed in 0..seeds {
        for house in houses().await {
            let (admin, account) = shop(&house, "bakker").await;
            let (store, name) = (&house.store, house.name());
            let dice = Random::seeded(seed);
            let roll = |sides: u8| dice.bytes::<1>()[0] % sides;
            let (mut under_way, mut done): (Vec<Item>, Vec<Done>) = (Vec::new(), Vec::new());
            let (mut left_behind, mut number) = (Vec::new(), 0);
            for _ in 0..140 {
                let pick = |items: &Vec<Item>| usize::from(dice.bytes::<1>()[0]) % items.len();
                match roll(9) {
                    0 | 1 => {
                        number += 1;
                        let what = if roll(2) == 0 {
                            let write = prepare(&house, &admin.access, &account, BIG).await;
                            let job = write.claimed(&admin.access).expect("leased");
                            UnderWay::Mail { write, job, name: format!("customer{number}") }
                        } else {
                            UnderWay::Case { write: Late::prepare(&house, &admin.access, &account).await }
                        };
                        under_way.push(Item { what, began: house.clock.now(), keys_there: false });
                    }
                    2 | 3 if !under_way.is_empty() => {
                        let at = pick(&under_way);
                        if !under_way[at].keys_there {
                            let keys = under_way[at].keys();
                            assert!(store.write(&admin.access, KeysOnly(keys)).await.is_err());
                            under_way[at].keys_there = true;
                        }
                    }
                    4 if !under_way.is_empty() => {
                        let at = pick(&under_way);
                        done.push(finish(&house, &admin, under_way.swap_remove(at)).await);
                    }
                    // A crash: what is there of it stays there.
                    5 if !under_way.is_empty() && roll(3) == 0 => {
                        let at = pick(&under_way);
                        left_behind.push(under_way.swap_remove(at));
                    }
                    6 => {
                        let minutes = u64::from(roll(25));
                        let soon = house.clock.now() + std::time::Duration::from_secs(minutes * 60);
                        // No write takes an hour.
                        while let Some(at) =
                            under_way.iter().position(|item| soon.since(item.began).as_secs() >= HOUR - 60)
                        {
                            done.push(finish(&house, &admin, under_way.swap_remove(at)).await);
                        }
                        house.pass(minutes * 60);
                    }
                    _ => sweep(&house, admin.tenant).await,
                }
            }
            for item in under_way.drain(..) {
                done.push(finish(&house, &admin, item).await);
            }
            house.pass(7 * DAY + HOUR);
            sweep_a_day(&house, admin.tenant).await;
            for row in key_rows(&house, admin.tenant).await {
                store.ring().forget(row.id);
            }
            let mut expected = 0;
            for one in &done {
                expected += match one {
                    Done::Mail(message) => {
                        opens(&house, &admin.access, *message, BIG).await;
                        2
                    }
                    Done::Case(blob, key) => {
                        store.key(admin.tenant, *key).await.expect("its key lives");
                        let bytes = store.blob(&admin.access, *blob).await.expect("its file is there");
                        assert_eq!(bytes.len(), BIG, "{name} with seed {seed}");
                        1
                    }
                };
            }
            assert_eq!(
                files(&house, &admin).len(),
                expected,
                "{name} with seed {seed}: no file is left over"
            );
            let rows = key_rows(&house, admin.tenant).await;
            for key in left_behind.iter().flat_map(Item::keys) {
                let alive = rows.iter().any(|row| row.id == key.key.id() && row.state == KeyState::Active);
                assert!(!alive, "{name} with seed {seed}: a key is left over");
            }
            assert!(done.len() > 5, "seed {seed} did nothing");
            house.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_whose_owner_came_at_the_last_moment_is_not_destroyed() {
    for house in houses().await {
        let (admin, account) = shop(&house, "bakker").await;
        let write = Late::prepare(&house, &admin.access, &account).await;
        let (key, owner) = (write.keys[0].key.id(), write.id.uuid());
        house.store.write(&admin.access, write).await.expect("stored");
        let (access, job) = take(&house, admin.tenant, JobKind::Sweep).await;
        // What a sweep found out before the owner came.
        let believed = Owned::new(key, KeyClass::Conversation, owner).expect("a key with an owner");
        let lease = Lease::new(&house.store, &access, &job);
        assert!(
            matches!(destroy(&lease, vec![believed]).await, Err(StoreError::Conflict)),
            "{}",
            house.name()
        );
        house.store.ring().forget(key);
        house.store.key(admin.tenant, key).await.expect("it lives");
        house.close().await;
    }
}
