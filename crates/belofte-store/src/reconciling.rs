// SPDX-License-Identifier: EUPL-1.2
//! Finding out about messages that may have gone out: the line dropped when all of it was sent and nothing answered.
//!
//! They are never sent again without a person's word. Meanwhile the mailbox of their account is looked in: many
//! servers file what they have taken among what it has sent.

use belofte_model::{
    ChannelAccountId, EventKind, FOUND_IN_SENT, JobId, JobKind, MessageId, Timestamp, Use, next_look,
};
use belofte_vault::Pii;

use crate::access::ClaimedJob;
use crate::counters::{self, Needs};
use crate::deliveries::mark_problem_of;
use crate::engine::{params, sql};
use crate::jobs::{self, NewJob};
use crate::{Access, Event, Message, Retrieval, Store, StoreError, Tx, Write};

/// The mailbox in which is looked for what an account has sent.
pub struct SentMailbox {
    /// The mailbox.
    pub retrieval: Retrieval,
    /// Its password.
    pub password: Option<Pii<String>>,
    /// Whether the host is on record as a recipient of the tenant's.
    pub recorded: bool,
}

/// Has the mailbox of its account looked in for `message`, by the job `id`: a part of the write that does not know
/// what became of it.
pub(crate) async fn look_for(
    tx: &mut Tx<'_>,
    id: JobId,
    message: MessageId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let run_at = next_look(now, now).unwrap_or(now);
    let job = NewJob { id, kind: JobKind::Reconcile, subject: message.uuid(), run_at, lease: None };
    job.enqueue(tx, now).await
}

/// What a look gave: who is still unknown by then was sent to when the message was found. A person who has it sent
/// again in the meantime is not contradicted.
pub struct Reconciled {
    job: ClaimedJob,
    message: MessageId,
    found: bool,
    again_at: Option<Timestamp>,
    event: Event,
    now: Timestamp,
}

impl Reconciled {
    /// What a look for `message` gave; when it was not found, it is looked for again at `again_at`.
    #[must_use]
    pub fn new(
        access: &Access,
        job: ClaimedJob,
        message: &Message,
        found: bool,
        again_at: Option<Timestamp>,
    ) -> Self {
        let now = access.clock().now();
        let event = Event {
            conversation: Some(message.conversation),
            message: Some(message.id),
            account: message.account,
            ..Event::new(EventKind::DeliveryChanged, now)
        };
        Self { job, message: message.id, found, again_at, event, now }
    }
}

impl Write for Reconciled {
    /// How many recipients it was sent to.
    type Out = u64;
    const USE: Option<Use> = Some(Use::Send);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let tenant = tx.tenant();
        jobs::hold(tx, &self.job, self.now).await?;
        match self.again_at.filter(|_| !self.found) {
            Some(at) => jobs::wait_until(tx, &self.job, at, self.now).await?,
            None => jobs::finish(tx, &self.job).await?,
        }
        if !self.found {
            return Ok(0);
        }
        let sent = tx
            .execute(
                sql!(
                    "UPDATE delivery SET state = 'sent', code = $3, updated_at = $4 \
                     WHERE tenant_id = $1 AND message_id = $2 AND state = 'unknown'"
                ),
                params![tenant, self.message, FOUND_IN_SENT, self.now],
            )
            .await?;
        if sent > 0 {
            mark_problem_of(tx, self.message).await?;
            let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
            self.event.append(tx, numbers.event).await?;
        }
        Ok(sent)
    }
}

impl Store {
    /// The mailbox in which is looked for what `account` has sent; `None` when it reads none.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn sent_mailbox(
        &self,
        access: &Access,
        account: ChannelAccountId,
    ) -> Result<Option<SentMailbox>, StoreError> {
        access.to(Use::UseSecret)?;
        let settings = match self.account_with_settings(access, account).await {
            Err(StoreError::NotFound) => return Ok(None),
            found => found?.1,
        };
        let Some(sealed) = settings.retrieval else { return Ok(None) };
        let recorded = self.is_recorded(access, account, &sealed.host).await?;
        let password = sealed.password.clone().map(Pii::new);
        Ok(Some(SentMailbox { retrieval: sealed.shown(), password, recorded }))
    }
}
