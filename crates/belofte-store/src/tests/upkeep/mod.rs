// SPDX-License-Identifier: EUPL-1.2
//! Upkeep: standing jobs, the sweep that never removes what lives, and the rotation of keys.

mod lineage;
mod rotation;
mod schedule;
mod sweep;

use std::sync::Arc;

use belofte_model::{Incoming, IntakeId, JobKind, KeyClass, KeyId, KeyState, MessageId, Purpose, TenantId};
use uuid::Uuid;

use super::channel_accounts::mailbox;
use super::house::{House, Person, email};
use crate::access::ClaimedJob;
use crate::engine::{params, sql};
use crate::upkeep::schedule::standing_job;
use crate::{
    Access, Correspondent, Filed, IncomingMail, MessageContent, NewFile, Read, Receive, ResolvedAccount,
    SealedEnvelope, SealedKey, StoreError, Tx, Write,
};

/// Makes keys durable and then fails: the moment between keys and content, held for as long as a
/// test wants.
pub(super) struct KeysOnly(pub(super) Vec<SealedKey>);

impl Write for KeysOnly {
    type Out = ();
    fn new_keys(&self) -> &[SealedKey] {
        &self.0
    }
    async fn run(&self, _: &mut Tx<'_>) -> Result<(), StoreError> {
        Err(StoreError::Conflict)
    }
}

/// Takes the lease of a standing job, whenever it is due.
struct Take(JobKind);

impl Write for Take {
    type Out = ClaimedJob;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<ClaimedJob, StoreError> {
        let tenant = tx.tenant();
        let id = standing_job(tenant, self.0);
        tx.query_one(
            sql!(
                "UPDATE job SET state = 'leased', fence = fence + 1 WHERE tenant_id = $1 AND id = $2 \
                 RETURNING subject_id, fence"
            ),
            params![tenant, id],
            |row| {
                let (kind, subject, fence) = (self.0, row.uuid(0)?, row.int(1)?);
                Ok(ClaimedJob { tenant, id, kind, subject, attempts: 0, fence })
            },
        )
        .await
    }
}

pub(super) async fn take(house: &House, tenant: TenantId, kind: JobKind) -> (Access, ClaimedJob) {
    let job = house.store.write_for(Some(tenant), Arc::new(Take(kind))).await.expect("a standing job");
    (Access::job(&job, house.clock.clone()), job)
}

pub(super) async fn sweep(house: &House, tenant: TenantId) {
    let (access, job) = take(house, tenant, JobKind::Sweep).await;
    house.store.upkeep(&access, &job).await.expect("swept");
}

/// One whole day of hourly sweeps.
pub(super) async fn sweep_a_day(house: &House, tenant: TenantId) {
    for _ in 0..24 {
        house.pass(3_600);
        sweep(house, tenant).await;
    }
}

/// A tenant with a mailbox and its standing jobs.
pub(super) async fn shop(house: &House, slug: &str) -> (Person, ResolvedAccount) {
    let admin = house.tenant(slug).await;
    let address = format!("info@{slug}.example");
    house
        .store
        .create_channel_account(&admin.access.as_for(Purpose::Administration), None, mailbox(&address))
        .await
        .expect("added");
    let system = house.store.system();
    let account = system.account_by_address(&email(&address)).await.expect("asked").expect("found");
    system.ensure_upkeep(house.clock.now()).await.expect("scheduled");
    (admin, account)
}

/// Seals a mail of about `size` bytes; a large one is in its file then.
pub(super) async fn prepare(
    house: &House,
    access: &Access,
    account: &ResolvedAccount,
    size: usize,
) -> Receive {
    let raw = vec![b'm'; size];
    let lease = Some(house.clock.now() + JobKind::ProcessIntake.lease());
    Receive::prepare(&house.store, access, account, &SealedEnvelope::default(), &raw, lease)
        .await
        .expect("sealed")
}

/// Files a mail that was received, with one attachment of `size` bytes.
pub(super) async fn file(
    house: &House,
    access: &Access,
    job: &ClaimedJob,
    name: &str,
    size: usize,
) -> Result<Filed, StoreError> {
    let access = &access.as_for(Purpose::Intake);
    let source = house.store.intake_source(access, IntakeId(job.subject)).await?;
    let from = Correspondent { name: name.to_owned(), address: format!("{name}@customer.example") };
    let content = MessageContent { from, text: format!("words of {name}"), ..MessageContent::default() };
    let attachment = NewFile {
        name: "photo.jpg".to_owned(),
        media_type: "image/jpeg".to_owned(),
        content_id: None,
        inline: false,
        bytes: vec![b'a'; size],
    };
    let mail = IncomingMail {
        content,
        author: format!("{name}@customer.example"),
        external_id: format!("{name}@mail.example"),
        related: Vec::new(),
        reply_thread: None,
        incoming: Incoming::Person,
        files: vec![attachment],
        sent_at: None,
        report: None,
    };
    house.store.file(access, job, &source, &mail).await
}

/// A mail from the door into its conversation.
pub(super) async fn deliver(
    house: &House,
    access: &Access,
    account: &ResolvedAccount,
    name: &str,
    size: usize,
) -> MessageId {
    let access = &access.as_for(Purpose::Intake);
    let write = prepare(house, access, account, size).await;
    let job = write.claimed(access).expect("leased");
    let spooled: Vec<KeyId> = write.new_keys().iter().map(|key| key.key.id()).collect();
    house.store.write(access, write).await.expect("received");
    let filed = file(house, access, &job, name, size).await.expect("filed");
    // On the server engine the key of the spool is destroyed after the answer. Who counts keys counts them then.
    for _ in 0..500 {
        if key_rows(house, access.tenant()).await.iter().all(|row| !spooled.contains(&row.id)) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    match filed {
        Filed::Message { message, .. } => message,
        other => panic!("a message of its own: {other:?}"),
    }
}

/// A message can be read: content, source, attachment, person.
pub(super) async fn opens(house: &House, access: &Access, id: MessageId, size: usize) {
    let store = &house.store;
    let message = store.message(access, id).await.expect("a message");
    assert!(message.content.text.starts_with("words of"), "{}", house.name());
    let source = store.blob(access, message.source.expect("a source")).await.expect("the source opens");
    assert_eq!(source.len(), size);
    let attachment = store.attachment(access, message.attachments[0].id).await.expect("an attachment");
    assert_eq!(attachment.read(0..u64::MAX).await.expect("it opens").len(), size);
    let conversation = store.conversation(access, message.conversation).await.expect("a conversation");
    store.contact(access, conversation.contact).await.expect("a contact");
}

/// The keys of a tenant: id, class, state, parent, length.
pub(super) struct AllKeys;

pub(super) struct KeyAtRest {
    pub(super) id: KeyId,
    pub(super) class: KeyClass,
    pub(super) state: KeyState,
    pub(super) parent: Uuid,
    pub(super) wrapped: usize,
}

impl Read for AllKeys {
    type Out = Vec<KeyAtRest>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!("SELECT id, class, state, parent_id, wrapped FROM key WHERE tenant_id = $1 ORDER BY id"),
            params![tenant],
            |row| {
                Ok(KeyAtRest {
                    id: row.id(0)?,
                    class: row.name(1, KeyClass::parse)?,
                    state: row.name(2, KeyState::parse)?,
                    parent: row.uuid(3)?,
                    wrapped: row.bytes(4)?.len(),
                })
            },
        )
        .await
    }
}

pub(super) async fn key_rows(house: &House, tenant: TenantId) -> Vec<KeyAtRest> {
    house.store.read_keys(tenant, AllKeys).await.expect("keys")
}

/// One number that a statement counts for the tenant.
pub(super) struct Count(pub(super) &'static crate::Sql);

impl Read for Count {
    type Out = i64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let tenant = tx.tenant();
        tx.query_one(self.0, params![tenant], |row| row.int(0)).await
    }
}

/// A change behind the back of the house.
pub(super) struct Tamper(pub(super) &'static crate::Sql);

impl Write for Tamper {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let tenant = tx.tenant();
        tx.execute(self.0, params![tenant]).await
    }
}
