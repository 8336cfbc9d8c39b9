// SPDX-License-Identifier: EUPL-1.2
//! What was erased stays so: a mail whose identifier has a tombstone is not taken in again, neither at the
//! door nor over the spool, and nothing of it is kept.

use belofte_model::{Incoming, KeyClass, KeyState, LedgerKind, Purpose, RequestId, TenantId, Timestamp};
use belofte_vault::sha256;
use uuid::Uuid;

use super::desk::{Desk, says};
use super::house::{House, houses};
use super::upkeep::{Count, key_rows, sweep_a_day};
use crate::engine::{params, sql};
use crate::intake::{Arrival, message_id_index};
use crate::{
    Access, Accounting, ClaimedJob, Filed, IncomingMail, IntakeSource, NewFile, Receive, ResolvedAccount,
    SealedEnvelope, StoreError, Tx, Write,
};

/// Too large for a row: its bytes lie in a file.
const BIG: usize = 100_000;
const DAY: u64 = 24 * 3_600;

/// A tombstone as erasure leaves it: a kind, a blind index, and when.
struct Plant {
    kind: &'static str,
    index: [u8; 16],
    at: Timestamp,
}

impl Write for Plant {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!("INSERT INTO tombstone (tenant_id, kind, external_index, at) VALUES ($1, $2, $3, $4)"),
            params![tenant, self.kind, &self.index, self.at],
        )
        .await
    }
}

/// Plants a tombstone of `kind` for `external` in the tenant of `access`.
async fn plant(house: &House, access: &Access, kind: &'static str, external: &str) {
    let keys = house.store.keys(access).await.expect("keys");
    let index = message_id_index(&keys, external);
    house.store.write(access, Plant { kind, index, at: house.clock.now() }).await.expect("planted");
}

/// What a mail without an identifier is known by: its bytes, hashed.
fn by_content(raw: &[u8]) -> String {
    format!("sha256:{}", hex::encode(sha256(raw)))
}

/// A mail of `name` with a file, known by `external`; its one rare word is `word`.
fn mail(name: &str, external: &str, word: &str) -> IncomingMail {
    let content = says(name, "Ketel", &format!("Er lekt een {word}."));
    IncomingMail {
        author: content.from.address.clone(),
        content,
        external_id: external.to_owned(),
        related: Vec::new(),
        reply_thread: None,
        incoming: Incoming::Person,
        files: vec![NewFile {
            name: "foto.jpg".to_owned(),
            media_type: "image/jpeg".to_owned(),
            content_id: None,
            inline: false,
            bytes: vec![b'f'; BIG],
        }],
        sent_at: None,
        report: None,
    }
}

fn channel(house: &House, account: &ResolvedAccount) -> Access {
    Access::channel(account, RequestId(Uuid::nil()), house.clock.clone())
}

/// What came of a mail that stood at the door.
async fn at_door(house: &House, account: &ResolvedAccount, raw: &[u8], mail: &IncomingMail) -> Option<Filed> {
    let access = channel(house, account);
    let arrival = Arrival::seal(&house.store, &access, account, raw).await.expect("sealed");
    house.store.file_at_door(&access, &arrival, mail).await.expect("answered")
}

/// A mail in the spool, with the job that files it.
async fn spooled(
    house: &House,
    account: &ResolvedAccount,
    raw: &[u8],
) -> (Access, ClaimedJob, IntakeSource, Uuid) {
    let (store, access) = (&house.store, channel(house, account));
    let envelope = SealedEnvelope { rcpt: "info@bakker.example".to_owned(), ..SealedEnvelope::default() };
    let receive = Receive::prepare(store, &access, account, &envelope, raw, None).await.expect("sealed");
    let (intake, key) = (receive.intake(), crate::Write::new_keys(&receive)[0].key.id().uuid());
    store.write(&access, receive).await.expect("received");
    let jobs = store.system().claim_jobs(access.tenant(), 50, house.clock.now()).await.expect("claimed");
    let job = jobs.into_iter().find(|job| job.subject == intake.uuid()).expect("a job for it");
    let source = store.intake_source(&access, intake).await.expect("a source");
    (access, job, source, key)
}

/// Everything that a mail can leave behind, counted.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    rows: Vec<(&'static str, i64)>,
    keys: usize,
    files: usize,
}

async fn traces(house: &House, access: &Access) -> Traces {
    let mut rows = Vec::new();
    for (name, text) in [
        ("message", sql!("SELECT count(*) FROM message WHERE tenant_id = $1")),
        ("conversation", sql!("SELECT count(*) FROM conversation WHERE tenant_id = $1")),
        ("contact", sql!("SELECT count(*) FROM contact WHERE tenant_id = $1")),
        ("identity", sql!("SELECT count(*) FROM identity WHERE tenant_id = $1")),
        ("thread", sql!("SELECT count(*) FROM thread WHERE tenant_id = $1")),
        ("message_reference", sql!("SELECT count(*) FROM message_reference WHERE tenant_id = $1")),
        ("attachment", sql!("SELECT count(*) FROM attachment WHERE tenant_id = $1")),
        ("blob", sql!("SELECT count(*) FROM blob WHERE tenant_id = $1")),
        ("event", sql!("SELECT count(*) FROM event WHERE tenant_id = $1")),
        ("notification", sql!("SELECT count(*) FROM notification WHERE tenant_id = $1")),
        ("activity", sql!("SELECT count(*) FROM activity WHERE tenant_id = $1")),
        ("statistic", sql!("SELECT CAST(sum(received) AS bigint) FROM statistic WHERE tenant_id = $1")),
        ("ledger_leaf", sql!("SELECT count(*) FROM ledger_leaf WHERE tenant_id = $1")),
    ] {
        rows.push((name, house.store.read(access, Count(text)).await.expect("counted")));
    }
    let keys = key_rows(house, access.tenant()).await;
    let keys = keys.iter().filter(|key| key.state == KeyState::Active).count();
    let files = house.store.blobs().list(access.tenant(), Uuid::nil()).expect("listed").len();
    Traces { rows, keys, files }
}

/// Waits until a key is gone: on the server engine that comes after the answer.
async fn key_is_gone(house: &House, tenant: TenantId, key: Uuid) {
    for _ in 0..500 {
        if key_rows(house, tenant).await.iter().all(|row| row.id.uuid() != key) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{}: the key of an erased mail is still there", house.name());
}

async fn found(house: &House, access: &Access, word: &str) -> usize {
    house.store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
    house.store.search(access, word, None, 9).await.expect("asked").items.len()
}

fn adds_up(sums: Accounting) -> bool {
    sums.received == sums.imported + sums.duplicates + sums.quarantined + sums.pending
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_was_erased_is_not_taken_in_again_and_leaves_nothing() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access, name) = (&house.store, &desk.admin.access, house.name());
        let (tenant, account) = (access.tenant(), &desk.account);
        let here = at_door(&house, account, b"de eerste", &mail("Jan", "1@klant.example", "kraan")).await;
        assert!(matches!(here, Some(Filed::Message { opened: true, .. })), "{name}: {here:?}");
        let (raw, nameless) = (vec![b'r'; BIG], vec![b'n'; BIG]);
        let erased = ["weg@klant.example".to_owned(), by_content(&nameless)];
        for external in &erased {
            plant(&house, access, "message", external).await;
        }
        assert_eq!(found(&house, access, "kraan").await, 1, "{name}");
        let before = traces(&house, access).await;

        for (no, external) in erased.iter().enumerate() {
            // From somebody unknown, and from somebody who wrote before.
            for (who, from) in [("Piet", no), ("Jan", no + 10)] {
                let bytes = if no == 0 { &raw } else { &nameless };
                let mail = mail(who, external, &format!("radiator{from}"));
                let refused = at_door(&house, account, bytes, &mail).await;
                assert_eq!(refused, None, "{name}: the door stores nothing of it");
                let (as_channel, job, source, key) = spooled(&house, account, bytes).await;
                assert_eq!(traces(&house, access).await.keys, before.keys + 1, "{name}: its spool key");
                let intake = source.id;
                let filed = store.file(&as_channel, &job, &source, &mail).await.expect("ended");
                assert_eq!(filed, Filed::Erased, "{name}: {who}, {external}");
                key_is_gone(&house, tenant, key).await;
                let again = store.intake_source(&as_channel, intake).await;
                assert!(matches!(again, Err(StoreError::NotFound)), "{name}: its source does not open");
                let now = traces(&house, access).await;
                assert_eq!((&now.rows, now.keys), (&before.rows, before.keys), "{name}: {who}, {external}");
                assert_eq!(found(&house, access, &format!("radiator{from}")).await, 0, "{name}");
            }
        }
        let jobs = sql!("SELECT count(*) FROM job WHERE tenant_id = $1 AND kind = 'process_intake'");
        assert_eq!(store.read(access, Count(jobs)).await.expect("counted"), 0, "{name}: no job is left");
        // The mails themselves are accounted as seen before: they were, and the sum has no fifth part.
        let sums = store.accounting(access, account.id).await.expect("sums");
        let expected = Accounting { received: 5, imported: 1, duplicates: 4, quarantined: 0, pending: 0 };
        assert_eq!(sums, expected, "{name}");
        assert!(adds_up(sums), "{name}");
        let blind = sql!(
            "SELECT count(*) FROM intake WHERE tenant_id = $1 AND state = 'duplicate' AND message_id = id \
             AND reason IS NULL"
        );
        assert_eq!(store.read(access, Count(blind)).await.expect("counted"), 4, "{name}: each names itself");
        let leaves = house.leaves(access, LedgerKind::Keys).await;
        let told = leaves.iter().map(|leaf| leaf.detail.value().to_string()).collect::<String>();
        assert!(!told.contains("weg@klant.example"), "{name}");

        // What lies in files without a key to open it goes with the sweep that looks at all files.
        house.pass(8 * DAY);
        sweep_a_day(&house, tenant).await;
        assert_eq!(traces(&house, access).await.files, before.files, "{name}: no file is left over");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tombstone_keeps_out_its_own_mail_and_no_other() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access, name) = (&house.store, &desk.admin.access, house.name());
        let account = &desk.account;
        let nameless = by_content(b"de eerste");
        plant(&house, access, "message", "weg@klant.example").await;
        plant(&house, access, "message", &nameless).await;
        // Of another kind of thing, which a mail is not.
        plant(&house, access, "contact", "dag@klant.example").await;
        // Of another tenant: the same identifier has another index there, and another wall.
        let other = house.tenant("slager").await;
        plant(&house, &other.access, "message", "elders@klant.example").await;

        let fine = [
            ("dag@klant.example", b"een".as_slice()),
            ("elders@klant.example", b"twee"),
            ("WEG@klant.example", b"drie"),
            ("weg@klant.example sha256:00", b"vier"),
            (&by_content(b"de eerste!"), b"vijf"),
        ];
        for (external, raw) in fine {
            let filed = at_door(&house, account, raw, &mail("Jan", external, "kraan")).await;
            assert!(
                matches!(filed, Some(Filed::Message { opened: true, .. })),
                "{name}: {external} {filed:?}"
            );
        }
        // One that answers an erased mail is new, and begins a case.
        let answer = IncomingMail {
            related: vec!["weg@klant.example".to_owned()],
            ..mail("Jan", "2@klant.example", "kraan")
        };
        let (as_channel, job, source, _) = spooled(&house, account, b"zes").await;
        let filed = store.file(&as_channel, &job, &source, &answer).await.expect("filed");
        assert!(matches!(filed, Filed::Message { opened: true, .. }), "{name}: {filed:?}");
        // An erased mail that says which case it belongs to stays out of it all the same.
        let late = IncomingMail {
            related: vec!["2@klant.example".to_owned()],
            ..mail("Jan", "weg@klant.example", "kraan")
        };
        let (as_channel, job, source, _) = spooled(&house, account, b"zeven").await;
        let filed = store.file(&as_channel, &job, &source, &late).await.expect("ended");
        assert_eq!(filed, Filed::Erased, "{name}");
        let sums = store.accounting(access, account.id).await.expect("sums");
        let expected = Accounting { received: 7, imported: 6, duplicates: 1, quarantined: 0, pending: 0 };
        assert_eq!(sums, expected, "{name}");

        // The worker whose lease was lost ends nothing: the mail waits for who has it now.
        let (as_channel, job, source, key) = spooled(&house, account, b"acht").await;
        let stale = ClaimedJob { fence: job.fence - 1, ..job.clone() };
        let lost = store.file(&as_channel, &stale, &source, &late).await;
        assert!(matches!(lost, Err(StoreError::Conflict)), "{name}: {lost:?}");
        let sums = store.accounting(access, account.id).await.expect("sums");
        assert_eq!((sums.received, sums.pending), (8, 1), "{name}");
        assert!(adds_up(sums), "{name}");
        let spool = key_rows(&house, access.tenant()).await;
        assert!(spool.iter().any(|row| row.id.uuid() == key && row.class == KeyClass::Spool), "{name}");
        assert_eq!(store.file(&as_channel, &job, &source, &late).await.expect("ended"), Filed::Erased);
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_mails_that_come_at_once_those_that_were_erased_stay_out() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access, name) = (&house.store, &desk.admin.access, house.name());
        for no in (0..16).filter(|no| no % 3 == 0) {
            plant(&house, access, "message", &format!("{no}@klant.example")).await;
        }
        let mut tasks = tokio::task::JoinSet::new();
        for no in 0..16_usize {
            let (store, account, as_channel) =
                (store.clone(), desk.account.clone(), channel(&house, &desk.account));
            tasks.spawn(async move {
                let mail = mail(&format!("Klant{no}"), &format!("{no}@klant.example"), "kraan");
                let raw = format!("mail {no}");
                let arrival =
                    Arrival::seal(&store, &as_channel, &account, raw.as_bytes()).await.expect("sealed");
                (no, store.file_at_door(&as_channel, &arrival, &mail).await.expect("answered").is_some())
            });
        }
        let mut came = tasks.join_all().await;
        came.sort_unstable();
        let expected: Vec<_> = (0..16_usize).map(|no| (no, no % 3 != 0)).collect();
        assert_eq!(came, expected, "{name}: each got its own answer");
        let sums = store.accounting(access, desk.account.id).await.expect("sums");
        assert_eq!((sums.received, sums.imported, adds_up(sums)), (10, 10, true), "{name}");
        house.close().await;
    }
}
