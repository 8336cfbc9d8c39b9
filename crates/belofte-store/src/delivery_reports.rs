// SPDX-License-Identifier: EUPL-1.2
//! What other mail systems report of a message that we handed over: it came back, or waits, or its recipient takes it
//! for spam.

use belofte_model::{
    ActivityId, Actor, ChannelAccountId, ConversationId, DELAYED, DeliveryId, DeliveryState, EventKind,
    KeyId, MessageId, NotificationId, Reported, Timestamp, on_report,
};
use belofte_vault::SealContext;
use uuid::Uuid;

use crate::access::actor_columns;
use crate::conversations::insert_activity;
use crate::data_map::columns;
use crate::deliveries::mark_problem_of;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::notifications;
use crate::{Access, Delivery, Message, Store, StoreError, Tx};

/// What the history of a case says of a complaint.
const COMPLAINED: &str = "complained";

/// What a report says of one delivery.
#[derive(Clone, Debug)]
pub struct ReportedDelivery {
    /// The delivery.
    pub id: DeliveryId,
    /// What is said of it.
    pub reported: Reported,
    /// A stable code, for a failure.
    pub code: &'static str,
    /// What the other system said, in its words.
    pub reply: String,
}

#[derive(Clone)]
struct Change {
    id: DeliveryId,
    from: DeliveryState,
    to: DeliveryState,
    code: Option<&'static str>,
    reply: Option<Vec<u8>>,
    /// The key that it is sealed under.
    key: KeyId,
    activity: ActivityId,
}

/// The changes that a report makes; they become durable with the report itself, so that a copy of
/// it changes nothing again.
#[derive(Clone)]
pub struct DeliveryReport {
    conversation: ConversationId,
    message: MessageId,
    account: Option<ChannelAccountId>,
    changes: Vec<Change>,
    /// The deliveries whose recipients complain, each with the entry that tells of it.
    complaints: Vec<(DeliveryId, DeliveryState, ActivityId)>,
    actor: (&'static str, Uuid),
    /// The line that tells its author when somebody did not get it.
    told: NotificationId,
    now: Timestamp,
}

impl DeliveryReport {
    /// What a report about `message` changes; `None` when it is nothing.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while a recipient that it speaks of is being handed over: the report was
    /// quicker than the word of our own server, and waits for it. As [`Store::message`] otherwise.
    pub async fn prepare(
        store: &Store,
        access: &Access,
        message: &Message,
        reported: &[ReportedDelivery],
    ) -> Result<Option<Self>, StoreError> {
        let (tenant, now) = (access.tenant(), access.clock().now());
        let key = store.message_key(access, message.id).await?;
        let mut changes = Vec::new();
        for delivery in &message.deliveries {
            let told = reported.iter().find(|told| told.id == delivery.id);
            let after = told.and_then(|told| Some((told, next(delivery, told.reported)?)));
            let Some((told, (to, delayed))) = after else {
                if told.is_some() && delivery.state == DeliveryState::Sending {
                    return Err(StoreError::Busy);
                }
                continue;
            };
            let context = SealContext { tenant, column: columns::DELIVERY_REPLY, row: delivery.id.uuid() };
            let code = match to {
                DeliveryState::Failed => Some(told.code),
                _ => delayed.then_some(DELAYED),
            };
            changes.push(Change {
                id: delivery.id,
                from: delivery.state,
                to,
                code,
                reply: code.map(|_| key.seal(store.random(), &context, told.reply.as_bytes())),
                key: key.id(),
                activity: ActivityId::new(now, store.random().bytes()),
            });
        }
        Ok((!changes.is_empty()).then_some(Self {
            conversation: message.conversation,
            message: message.id,
            account: message.account,
            changes,
            complaints: Vec::new(),
            // A machine told it, whichever way the report came in.
            actor: actor_columns(Actor::System),
            told: NotificationId::new(now, store.random().bytes()),
            now,
        }))
    }

    /// What a complaint of the recipients of these deliveries of `message` changes; `None` when it is nothing, such as a
    /// second one.
    #[must_use]
    pub fn of_complaint(
        store: &Store,
        access: &Access,
        message: &Message,
        of: &[DeliveryId],
    ) -> Option<Self> {
        let now = access.clock().now();
        let new = message.deliveries.iter().filter(|delivery| of.contains(&delivery.id));
        // What was not handed over nobody has seen.
        let new = new.filter(|delivery| delivery.complained_at.is_none() && delivery.state.is_handed_over());
        let complaints: Vec<_> = new
            .map(|delivery| (delivery.id, delivery.state, ActivityId::new(now, store.random().bytes())))
            .collect();
        (!complaints.is_empty()).then(|| Self {
            conversation: message.conversation,
            message: message.id,
            account: message.account,
            changes: Vec::new(),
            complaints,
            actor: actor_columns(Actor::System),
            told: NotificationId::new(now, store.random().bytes()),
            now,
        })
    }

    /// Makes the changes, and tells of them in the event `no`.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when a delivery has changed since the report was prepared: the whole is
    /// read again.
    pub(crate) async fn apply(&self, tx: &mut Tx<'_>, no: i64) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        for change in &self.changes {
            let changed = tx
                .execute(
                    sql!(
                        "UPDATE delivery SET state = $4, code = $5, reply = $6, updated_at = $7 \
                         WHERE tenant_id = $1 AND id = $2 AND state = $3 AND key_id = $8"
                    ),
                    params![
                        tenant,
                        change.id,
                        change.from.as_str(),
                        change.to.as_str(),
                        change.code,
                        change.reply.as_ref(),
                        self.now,
                        change.key
                    ],
                )
                .await?;
            if changed == 0 {
                return Err(StoreError::Busy);
            }
            let to = match change.to {
                DeliveryState::Failed => Some(change.to.as_str()),
                _ => change.code,
            };
            if let Some(to) = to {
                let from = Some(change.from.as_str());
                insert_activity(
                    tx,
                    self.conversation,
                    change.activity,
                    "delivery",
                    self.actor,
                    from,
                    Some(to),
                    self.now,
                )
                .await?;
            }
        }
        for (id, from, activity) in &self.complaints {
            // Of two copies at once the second waits, and finds that it was told.
            let changed = tx
                .execute(
                    sql!(
                        "UPDATE delivery SET complained_at = $3 WHERE tenant_id = $1 AND id = $2 AND complained_at IS NULL"
                    ),
                    params![tenant, *id, self.now],
                )
                .await?;
            if changed == 0 {
                return Err(StoreError::Busy);
            }
            let (from, to) = (Some(from.as_str()), Some(COMPLAINED));
            insert_activity(tx, self.conversation, *activity, "delivery", self.actor, from, to, self.now)
                .await?;
        }
        mark_problem_of(tx, self.message).await?;
        let event = Event {
            conversation: Some(self.conversation),
            message: Some(self.message),
            account: self.account,
            ..Event::new(EventKind::DeliveryChanged, self.now)
        };
        event.append(tx, no).await?;
        if self.changes.iter().any(|change| change.to == DeliveryState::Failed) {
            notifications::delivery_failed(tx, self.message, self.told, self.now).await?;
        }
        Ok(())
    }
}

fn next(delivery: &Delivery, reported: Reported) -> Option<(DeliveryState, bool)> {
    on_report(delivery.state, delivery.code.as_deref() == Some(DELAYED), reported)
}
