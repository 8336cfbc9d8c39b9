// SPDX-License-Identifier: EUPL-1.2
//! Intake: what a channel received becomes durable in one write, and a message of a conversation
//! (or a quarantined source) in a second.

use belofte_model::{
    ChannelAccountId, EventKind, IntakeId, IntakeState, JobId, JobKind, KeyClass, KeyId, MailAuthentication,
    MessageId, QuarantineReason, Timestamp, Use, Visible,
};
use belofte_vault::SealContext;
use serde::{Deserialize, Serialize};

use crate::access::ClaimedJob;
use crate::blob_rows::{BlobKind, BlobRow, LooseBlob, SealedBlob};
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::jobs::{Lease, NewJob};
use crate::keys::SealedKey;
use crate::messages::{from_json, to_json};
use crate::visibility::Mask;
use crate::{Access, Event, Read, ResolvedAccount, Rows, Store, StoreError, Tx, Write};

/// What the transport said about a mail (RFC 5321, section 2.3.1), apart from the mail itself.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct SealedEnvelope {
    /// The reverse path; none for `<>`.
    pub mail_from: Option<String>,
    /// The recipient as it was given, plus detail included.
    pub rcpt: String,
    /// The address of the client.
    pub client: String,
    /// The version of TLS, when the hop was encrypted.
    pub tls: Option<String>,
    /// How the client named itself.
    pub helo: String,
    /// What was found out about the sender when the mail came; later nobody could find it out any more.
    #[serde(default)]
    pub authentication: Option<MailAuthentication>,
}

/// Makes a received mail durable: sealed source, intake row, job.
pub struct Receive {
    intake: IntakeId,
    account: ChannelAccountId,
    blob: SealedBlob,
    envelope: Vec<u8>,
    keys: Vec<SealedKey>,
    job: NewJob,
    now: Timestamp,
}

impl Receive {
    /// Seals `raw` under a key of its own; a large one is already in its file when this returns.
    /// `lease` gives the first lease of the job to this process until then.
    ///
    /// # Errors
    /// [`StoreError::Full`] and the engine's errors.
    pub async fn prepare(
        store: &Store,
        access: &Access,
        account: &ResolvedAccount,
        envelope: &SealedEnvelope,
        raw: &[u8],
        lease: Option<Timestamp>,
    ) -> Result<Self, StoreError> {
        let (tenant, now, random) = (access.tenant(), access.clock().now(), store.random());
        let keys = store.keys(access).await?;
        let intake = IntakeId::new(now, random.bytes());
        let spool = keys.mint(random, KeyClass::Spool, Some(intake.uuid()), 0, now);
        let blob = SealedBlob::seal(store, tenant, BlobKind::Source, &spool.key, raw, now).await?;
        let context = SealContext { tenant, column: columns::INTAKE_ENVELOPE, row: intake.uuid() };
        let envelope = spool.key.seal(random, &context, &to_json(envelope)?);
        let job = NewJob {
            id: JobId::new(now, random.bytes()),
            kind: JobKind::ProcessIntake,
            subject: intake.uuid(),
            run_at: now,
            lease: lease.map(|until| Lease { until, holder: store.node() }),
        };
        Ok(Self { intake, account: account.id, blob, envelope, keys: vec![spool], job, now })
    }

    /// The intake that will be stored.
    #[must_use]
    pub const fn intake(&self) -> IntakeId {
        self.intake
    }

    /// The claim that goes with a first lease.
    #[must_use]
    pub const fn claimed(&self, tenant: &Access) -> Option<ClaimedJob> {
        match self.job.lease {
            Some(_) => Some(self.job.claimed(tenant.tenant())),
            None => None,
        }
    }
}

impl Write for Receive {
    type Out = ();
    const USE: Option<Use> = Some(Use::Receive);

    fn new_keys(&self) -> &[SealedKey] {
        &self.keys
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        self.blob.insert(tx, self.now).await?;
        tx.late(
            sql!(
                "INSERT INTO intake (tenant_id, id, account_id, state, reason, blob_id, envelope, key_id, size_bytes, \
                 received_at, processed_at, retried_at, message_id) \
                 VALUES ($1, $2, $3, 'received', NULL, $4, $5, $6, $7, $8, NULL, NULL, NULL)"
            ),
            params![
                tenant,
                self.intake,
                self.account,
                self.blob.id,
                &self.envelope,
                self.keys[0].key.id(),
                self.blob.size,
                self.now
            ],
            Rows::Any,
        )
        .await?;
        self.job.enqueue(tx, self.now).await
    }
}

/// A received mail with its source, unsealed for filing.
pub struct IntakeSource {
    /// The intake.
    pub id: IntakeId,
    /// The account that received it.
    pub account: ChannelAccountId,
    /// Where it stands.
    pub state: IntakeState,
    /// What the transport said.
    pub envelope: SealedEnvelope,
    /// The mail.
    pub raw: Vec<u8>,
    /// When it came.
    pub received_at: Timestamp,
    /// Whether it was set aside because a scanner found malware in it.
    pub infected: bool,
    pub(crate) key: KeyId,
    pub(crate) blob: BlobRow,
}

/// A mail that stands at the door: sealed, and stored nowhere yet. Filed in one write, it needs no
/// spool key, no job and no second look at its bytes; its sender waits for that write.
pub struct Arrival {
    pub(crate) intake: IntakeId,
    pub(crate) account: ChannelAccountId,
    pub(crate) blob: LooseBlob,
    pub(crate) at: Timestamp,
}

impl Arrival {
    /// Seals `raw` under a key of its own that the conversation's will wrap; a large one is already
    /// in its file when this returns.
    ///
    /// # Errors
    /// [`StoreError::Full`] and [`StoreError::Blob`].
    pub async fn seal(
        store: &Store,
        access: &Access,
        account: &ResolvedAccount,
        raw: &[u8],
    ) -> Result<Self, StoreError> {
        let (tenant, at) = (access.tenant(), access.clock().now());
        let blob = LooseBlob::seal(store, tenant, BlobKind::Source, raw, at).await?;
        Ok(Self { intake: IntakeId::new(at, store.random().bytes()), account: account.id, blob, at })
    }
}

struct SealedIntake {
    account: ChannelAccountId,
    state: IntakeState,
    envelope: Vec<u8>,
    key: KeyId,
    received_at: Timestamp,
    infected: bool,
    blob: BlobRow,
}

struct IntakeById(IntakeId);

impl Read for IntakeById {
    type Out = Option<SealedIntake>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_opt(
            sql!(
                "SELECT i.account_id, i.state, i.envelope, i.key_id, i.received_at, b.id, b.key_id, b.dek_id, b.wrapped, \
                 b.size_bytes, b.data, i.reason FROM intake i JOIN blob b ON b.tenant_id = i.tenant_id AND b.id = i.blob_id \
                 WHERE i.tenant_id = $1 AND i.id = $2"
            ),
            params![tenant, self.0],
            |row| {
                Ok(SealedIntake {
                    account: row.id(0)?,
                    state: row.name(1, IntakeState::parse)?,
                    envelope: row.bytes(2)?,
                    key: row.id(3)?,
                    received_at: row.time(4)?,
                    blob: BlobRow::read(row, 5)?,
                    infected: row.opt_text(11)?.as_deref() == Some(QuarantineReason::Malware.as_str()),
                })
            },
        )
        .await
    }
}

impl Store {
    /// A received mail that is still sealed under its spool key. As [`Store::message_source`] it is
    /// for who sees names and addresses.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it does not exist for this access or was filed already.
    pub async fn intake_source(&self, access: &Access, id: IntakeId) -> Result<IntakeSource, StoreError> {
        access.to(Use::ReadSource)?;
        let (tenant, visible) = (access.tenant(), access.visible());
        let row = self.read(access, IntakeById(id)).await?.ok_or(StoreError::NotFound)?;
        if !visible.channels.contains(&row.account) || !Mask::of(visible).shows_sources() {
            return Err(StoreError::NotFound);
        }
        if !matches!(row.state, IntakeState::Received | IntakeState::Quarantined) {
            return Err(StoreError::NotFound);
        }
        let key = self.key(tenant, row.key).await?;
        let context = SealContext { tenant, column: columns::INTAKE_ENVELOPE, row: id.uuid() };
        let envelope = from_json(&key.open(&context, &row.envelope)?, "intake.envelope")?;
        let raw = row.blob.open(self, tenant, &key).await?;
        Ok(IntakeSource {
            id,
            account: row.account,
            state: row.state,
            envelope,
            raw,
            received_at: row.received_at,
            infected: row.infected,
            key: row.key,
            blob: row.blob,
        })
    }
}

/// Sets a mail aside: its source stays sealed under its spool key, with the reason in words.
pub struct Quarantine {
    /// The job that tried.
    pub job: ClaimedJob,
    /// The mail.
    pub intake: IntakeId,
    /// Why.
    pub reason: QuarantineReason,
    /// What a scanner found, by the name of its signature.
    pub signature: Option<String>,
    /// The present time.
    pub now: Timestamp,
}

impl Write for Quarantine {
    type Out = ();
    const USE: Option<Use> = Some(Use::Receive);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        crate::jobs::finish(tx, &self.job).await?;
        let account = account_of(tx, self.intake).await?;
        tx.execute_one(
            sql!(
                "UPDATE intake SET state = 'quarantined', reason = $3, processed_at = $4, signature = $5 \
                 WHERE tenant_id = $1 AND id = $2"
            ),
            params![tenant, self.intake, self.reason.as_str(), self.now, self.signature.as_deref()],
        )
        .await?;
        let event = Event { account: Some(account), ..Event::new(EventKind::QuarantineChanged, self.now) };
        let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
        event.append(tx, numbers.event).await
    }
}

/// Records that a mail is a copy of a message that is there already, and destroys its source.
pub struct FileDuplicate {
    job: ClaimedJob,
    intake: IntakeId,
    message: MessageId,
    blob: belofte_model::BlobId,
    dead: Vec<KeyId>,
    now: Timestamp,
}

impl FileDuplicate {
    /// Prepares the record that `source` is a copy of `message`.
    #[must_use]
    pub fn prepare(job: ClaimedJob, source: &IntakeSource, message: MessageId, now: Timestamp) -> Self {
        Self { job, intake: source.id, message, blob: source.blob.id, dead: vec![source.key], now }
    }
}

impl Write for FileDuplicate {
    type Out = ();
    const USE: Option<Use> = Some(Use::Receive);

    fn dead_keys(&self) -> &[KeyId] {
        &self.dead
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        crate::jobs::finish(tx, &self.job).await?;
        tx.execute_one(
            sql!(
                "UPDATE intake SET state = 'duplicate', processed_at = $3, message_id = $4 WHERE tenant_id = $1 AND id = $2"
            ),
            params![tenant, self.intake, self.now, self.message],
        )
        .await?;
        tx.execute(sql!("DELETE FROM blob WHERE tenant_id = $1 AND id = $2"), params![tenant, self.blob])
            .await?;
        Ok(())
    }
}

/// The account that received a mail.
async fn account_of(tx: &mut Tx<'_>, intake: IntakeId) -> Result<ChannelAccountId, StoreError> {
    let tenant = tx.tenant();
    let text = sql!("SELECT account_id FROM intake WHERE tenant_id = $1 AND id = $2");
    tx.query_one(text, params![tenant, intake], |row| row.id(0)).await
}

/// Tries a quarantined mail again.
pub struct RetryQuarantined {
    intake: IntakeId,
    visible: Visible,
    job: NewJob,
    now: Timestamp,
}

impl RetryQuarantined {
    /// Prepares another try of `intake`.
    #[must_use]
    pub fn prepare(store: &Store, access: &Access, intake: IntakeId) -> Self {
        let now = access.clock().now();
        let job = NewJob {
            id: JobId::new(now, store.random().bytes()),
            kind: JobKind::ProcessIntake,
            subject: intake.uuid(),
            run_at: now,
            lease: None,
        };
        Self { intake, visible: access.visible().clone(), job, now }
    }
}

impl Write for RetryQuarantined {
    type Out = ();
    const USE: Option<Use> = Some(Use::Account);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let account = account_of(tx, self.intake).await?;
        if !self.visible.channels.contains(&account) {
            return Err(StoreError::NotFound);
        }
        let changed = tx
            .execute(
                sql!(
                    "UPDATE intake SET state = 'received', reason = NULL, signature = NULL, retried_at = $3 \
                     WHERE tenant_id = $1 AND id = $2 AND state = 'quarantined'"
                ),
                params![tenant, self.intake, self.now],
            )
            .await?;
        if changed == 0 {
            return Err(StoreError::NotFound);
        }
        self.job.enqueue(tx, self.now).await?;
        let event = Event { account: Some(account), ..Event::new(EventKind::QuarantineChanged, self.now) };
        let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
        event.append(tx, numbers.event).await
    }
}

/// What the tenant's lookup key makes of an identifier of a mail.
pub(crate) fn message_id_index(keys: &crate::TenantKeys, message_id: &str) -> [u8; 16] {
    keys.lookup.index("message-id", message_id)
}

/// What the tenant's lookup key makes of an address of internet mail, in its normalised form.
pub(crate) fn email_index(keys: &crate::TenantKeys, normalised: &str) -> [u8; 16] {
    keys.lookup.index("email", normalised)
}
