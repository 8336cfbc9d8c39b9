// SPDX-License-Identifier: EUPL-1.2
//! Deliveries: where an outgoing message stands with each of its recipients.

use belofte_model::{
    ConversationId, DeliveryId, DeliveryState, Duration, EventKind, JobId, KeyId, MessageId, NotificationId,
    TenantId, Timestamp, Use,
};
use belofte_vault::{DataKey, Random, SealContext};

use crate::access::ClaimedJob;
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::jobs;
use crate::messages::{Correspondent, from_json, to_json};
use crate::notifications;
use crate::reconciling::look_for;
use crate::{Access, Message, Store, StoreError, Tx, Write};

/// How a recipient is named in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientRole {
    /// In To.
    To,
    /// In Cc.
    Cc,
    /// In the envelope only.
    Bcc,
}

impl RecipientRole {
    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::To => "to",
            Self::Cc => "cc",
            Self::Bcc => "bcc",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::To, Self::Cc, Self::Bcc].into_iter().find(|role| role.as_str() == name)
    }
}

/// Where a message stands with one recipient.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The delivery.
    pub id: DeliveryId,
    /// The recipient.
    pub recipient: Correspondent,
    /// How the message names them.
    pub role: RecipientRole,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it will be tried again.
    pub next_try_at: Option<Timestamp>,
    /// A stable code of the last failure.
    pub code: Option<String>,
    /// What the other server said.
    pub reply: Option<String>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When its state changed the last time.
    pub updated_at: Timestamp,
    /// When its recipient reported it as spam.
    pub complained_at: Option<Timestamp>,
}

pub(crate) struct SealedDelivery {
    pub(crate) message: MessageId,
    id: DeliveryId,
    role: RecipientRole,
    recipient: Vec<u8>,
    state: DeliveryState,
    attempts: u32,
    next_try_at: Option<Timestamp>,
    code: Option<String>,
    reply: Option<Vec<u8>>,
    created_at: Timestamp,
    updated_at: Timestamp,
    complained_at: Option<Timestamp>,
}

impl SealedDelivery {
    pub(crate) fn unseal(&self, tenant: TenantId, key: &DataKey) -> Result<Delivery, StoreError> {
        let row = self.id.uuid();
        let context = SealContext { tenant, column: columns::DELIVERY_RECIPIENT, row };
        let recipient = from_json(&key.open(&context, &self.recipient)?, "delivery.recipient")?;
        let context = SealContext { tenant, column: columns::DELIVERY_REPLY, row };
        let reply = match &self.reply {
            Some(sealed) => Some(String::from_utf8_lossy(&key.open(&context, sealed)?).into_owned()),
            None => None,
        };
        Ok(Delivery {
            id: self.id,
            recipient,
            role: self.role,
            state: self.state,
            attempts: self.attempts,
            next_try_at: self.next_try_at,
            code: self.code.clone(),
            reply,
            created_at: self.created_at,
            updated_at: self.updated_at,
            complained_at: self.complained_at,
        })
    }
}

pub(crate) async fn of_message(
    tx: &mut Tx<'_>,
    message: MessageId,
) -> Result<Vec<SealedDelivery>, StoreError> {
    let tenant = tx.tenant();
    tx.query(
        sql!(
            "SELECT message_id, id, role, recipient, state, attempts, next_try_at, code, reply, created_at, updated_at, \
             complained_at FROM delivery WHERE tenant_id = $1 AND message_id = $2 ORDER BY id"
        ),
        params![tenant, message],
        |row| {
            Ok(SealedDelivery {
                message: row.id(0)?,
                id: row.id(1)?,
                role: row.name(2, RecipientRole::parse)?,
                recipient: row.bytes(3)?,
                state: row.name(4, DeliveryState::parse)?,
                attempts: u32::try_from(row.int(5)?).unwrap_or(u32::MAX),
                next_try_at: row.opt_time(6)?,
                code: row.opt_text(7)?,
                reply: row.opt_bytes(8)?,
                created_at: row.time(9)?,
                updated_at: row.time(10)?,
                complained_at: row.opt_time(11)?,
            })
        },
    )
    .await
}

/// A delivery before it is stored.
pub(crate) struct NewDelivery {
    pub(crate) id: DeliveryId,
    pub(crate) role: RecipientRole,
    pub(crate) recipient: Vec<u8>,
    /// When it goes out, if not at once.
    pub(crate) waits_until: Option<Timestamp>,
}

impl NewDelivery {
    pub(crate) fn seal(
        random: &Random,
        key: &DataKey,
        tenant: TenantId,
        role: RecipientRole,
        recipient: &Correspondent,
        at: Timestamp,
        wait: Duration,
    ) -> Result<Self, StoreError> {
        let id = DeliveryId::new(at, random.bytes());
        let context = SealContext { tenant, column: columns::DELIVERY_RECIPIENT, row: id.uuid() };
        let recipient = key.seal(random, &context, &to_json(recipient)?);
        let waits_until = (!wait.is_zero()).then(|| at + wait);
        Ok(Self { id, role, recipient, waits_until })
    }

    pub(crate) async fn insert(
        &self,
        tx: &mut Tx<'_>,
        message: MessageId,
        key: KeyId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!(
                "INSERT INTO delivery (tenant_id, id, message_id, role, recipient, key_id, state, attempts, \
                 next_try_at, code, reply, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, 'queued', 0, $8, NULL, NULL, $7, $7)"
            ),
            params![tenant, self.id, message, self.role.as_str(), &self.recipient, key, at, self.waits_until],
        )
        .await?;
        Ok(())
    }
}

/// What became of one recipient in a try.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The delivery.
    pub id: DeliveryId,
    /// Its new state.
    pub state: DeliveryState,
    /// When to try again, for a state of [`DeliveryState::Queued`].
    pub next_try_at: Option<Timestamp>,
    /// A stable code of the failure.
    pub code: Option<&'static str>,
    /// What the other server said.
    pub reply: Option<String>,
}

/// Ends this run of the job of `message`, whose lease is held: it waits for the earliest time at
/// which any recipient is due, whether this run tried them or not, and is gone when none waits.
async fn settle(
    tx: &mut Tx<'_>,
    job: &ClaimedJob,
    message: MessageId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    let waiting = tx
        .query(
            sql!(
                "SELECT next_try_at FROM delivery WHERE tenant_id = $1 AND message_id = $2 AND state = 'queued'"
            ),
            params![tenant, message],
            |row| Ok(row.opt_time(0)?.unwrap_or(now)),
        )
        .await?;
    match waiting.into_iter().min() {
        Some(at) => jobs::wait_until(tx, job, at, now).await,
        None => jobs::finish(tx, job).await,
    }
}

/// Says in the row of a case whether any of its answers failed for somebody, or may have.
pub(crate) async fn mark_problem(tx: &mut Tx<'_>, conversation: ConversationId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    let found = tx
        .query_opt(
            sql!(
                "SELECT 1 FROM message m JOIN delivery d ON d.tenant_id = m.tenant_id AND d.message_id = m.id \
                 WHERE m.tenant_id = $1 AND m.conversation_id = $2 AND d.state IN ('failed', 'unknown') LIMIT 1"
            ),
            params![tenant, conversation],
            |_| Ok(()),
        )
        .await?;
    tx.execute(
        sql!(
            "UPDATE conversation SET delivery_problem = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2 \
             AND delivery_problem <> $3"
        ),
        params![tenant, conversation, found.is_some()],
    )
    .await?;
    Ok(())
}

/// As [`mark_problem`], for the case that the message lies in by now: it may have gone along to another one
/// since it was read.
pub(crate) async fn mark_problem_of(tx: &mut Tx<'_>, message: MessageId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    let found = tx
        .query_opt(
            sql!("SELECT conversation_id FROM message WHERE tenant_id = $1 AND id = $2"),
            params![tenant, message],
            |row| row.id(0),
        )
        .await?;
    match found {
        Some(conversation) => mark_problem(tx, conversation).await,
        None => Ok(()),
    }
}

/// Ends a run that found nobody to send to.
pub struct NothingDue {
    /// The job whose lease is held.
    pub job: ClaimedJob,
    /// Its message.
    pub message: MessageId,
    /// The present time.
    pub now: Timestamp,
}

impl Write for NothingDue {
    type Out = ();
    const USE: Option<Use> = Some(Use::Send);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        jobs::hold(tx, &self.job, self.now).await?;
        settle(tx, &self.job, self.message, self.now).await
    }
}

/// The result of a try, with the job's end or its next time, in one write.
pub struct RecordOutcomes {
    message: MessageId,
    job: ClaimedJob,
    rows: Vec<(Outcome, Option<Vec<u8>>)>,
    /// The job that looks for those of whom nobody knows.
    look: Option<JobId>,
    /// The line that tells its author when somebody did not get it.
    told: Option<NotificationId>,
    event: Event,
    now: Timestamp,
}

impl RecordOutcomes {
    /// Prepares the record of `outcomes` of `message`.
    ///
    /// # Errors
    /// As [`Store::message`], for the key of the message.
    pub async fn prepare(
        store: &Store,
        access: &Access,
        job: ClaimedJob,
        message: &Message,
        outcomes: Vec<Outcome>,
    ) -> Result<Self, StoreError> {
        let (tenant, now) = (access.tenant(), access.clock().now());
        let key = store.message_key(access, message.id).await?;
        let seal = |outcome: &Outcome| {
            let context = SealContext { tenant, column: columns::DELIVERY_REPLY, row: outcome.id.uuid() };
            outcome.reply.as_ref().map(|reply| key.seal(store.random(), &context, reply.as_bytes()))
        };
        let event = Event {
            conversation: Some(message.conversation),
            message: Some(message.id),
            account: message.account,
            ..Event::new(EventKind::DeliveryChanged, now)
        };
        let unknown = outcomes.iter().any(|outcome| outcome.state == DeliveryState::Unknown);
        let look = unknown.then(|| JobId::new(now, store.random().bytes()));
        let failed = outcomes.iter().any(|outcome| outcome.state == DeliveryState::Failed);
        let told = (failed || unknown).then(|| NotificationId::new(now, store.random().bytes()));
        let rows =
            outcomes.into_iter().map(|outcome| (seal(&outcome), outcome)).map(|(s, o)| (o, s)).collect();
        Ok(Self { message: message.id, job, rows, look, told, event, now })
    }
}

impl Write for RecordOutcomes {
    type Out = ();
    const USE: Option<Use> = Some(Use::Send);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        jobs::hold(tx, &self.job, self.now).await?;
        for (outcome, reply) in &self.rows {
            tx.execute_one(
                sql!(
                    "UPDATE delivery SET state = $3, attempts = attempts + 1, next_try_at = $4, code = $5, reply = $6, \
                     updated_at = $7 WHERE tenant_id = $1 AND id = $2 AND state IN ('queued', 'sending')"
                ),
                params![
                    tenant,
                    outcome.id,
                    outcome.state.as_str(),
                    outcome.next_try_at,
                    outcome.code,
                    reply.as_ref(),
                    self.now
                ],
            )
            .await?;
        }
        settle(tx, &self.job, self.message, self.now).await?;
        mark_problem_of(tx, self.message).await?;
        if let Some(look) = self.look {
            look_for(tx, look, self.message, self.now).await?;
        }
        let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
        self.event.append(tx, numbers.event).await?;
        match self.told {
            Some(told) => notifications::delivery_failed(tx, self.message, told, self.now).await,
            None => Ok(()),
        }
    }
}

/// Marks deliveries as held by a worker, so that a crash after the data went out leaves them
/// recognisable: they become unknown, never sent twice.
pub struct BeginDelivery {
    /// The job whose lease is held.
    pub job: ClaimedJob,
    /// The message.
    pub message: MessageId,
    /// The deliveries that are tried.
    pub deliveries: Vec<DeliveryId>,
    /// The present time.
    pub now: Timestamp,
}

impl Write for BeginDelivery {
    type Out = ();
    const USE: Option<Use> = Some(Use::Send);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        jobs::hold(tx, &self.job, self.now).await?;
        for id in &self.deliveries {
            tx.execute_one(
                sql!(
                    "UPDATE delivery SET state = 'sending', updated_at = $3 WHERE tenant_id = $1 AND id = $2 \
                     AND state = 'queued'"
                ),
                params![tenant, *id, self.now],
            )
            .await?;
        }
        Ok(())
    }
}

/// Queues failed and unknown deliveries of a message again, because a person asked for it.
pub struct RetryDeliveries {
    /// The message.
    pub message: MessageId,
    /// Only these; all that may be retried when empty.
    pub deliveries: Vec<DeliveryId>,
    /// The id of the job that will try, when the message has none any more.
    job: JobId,
    event: Event,
    now: Timestamp,
}

impl RetryDeliveries {
    /// Prepares the retry of `deliveries` of `message`.
    #[must_use]
    pub fn prepare(store: &Store, access: &Access, message: &Message, deliveries: Vec<DeliveryId>) -> Self {
        let now = access.clock().now();
        let event = Event {
            conversation: Some(message.conversation),
            message: Some(message.id),
            account: message.account,
            ..Event::new(EventKind::DeliveryChanged, now)
        };
        let job = JobId::new(now, store.random().bytes());
        Self { message: message.id, deliveries, job, event, now }
    }
}

impl Write for RetryDeliveries {
    type Out = u64;
    const USE: Option<Use> = Some(Use::Answer);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let tenant = tx.tenant();
        let mut queued = 0;
        for delivery in of_message(tx, self.message).await? {
            let asked = self.deliveries.is_empty() || self.deliveries.contains(&delivery.id);
            if asked && delivery.state.may_retry() {
                queued += tx
                    .execute(
                        sql!(
                            "UPDATE delivery SET state = 'queued', next_try_at = NULL, code = NULL, reply = NULL, \
                             created_at = $3, updated_at = $3 WHERE tenant_id = $1 AND id = $2"
                        ),
                        params![tenant, delivery.id, self.now],
                    )
                    .await?;
            }
        }
        if queued == 0 {
            return Err(StoreError::Conflict);
        }
        jobs::deliver_now(tx, self.job, self.message, self.now).await?;
        mark_problem_of(tx, self.message).await?;
        let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
        self.event.append(tx, numbers.event).await?;
        Ok(queued)
    }
}
