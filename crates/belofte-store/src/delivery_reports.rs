// SPDX-License-Identifier: EUPL-1.2
//! What other mail systems report of a message that we handed over: it came back, or waits.

use belofte_model::{
    ActivityId, Actor, ChannelAccountId, ConversationId, DELAYED, DeliveryId, DeliveryState, EventKind,
    KeyId, MessageId, Reported, Timestamp, on_report,
};
use belofte_vault::SealContext;
use uuid::Uuid;

use crate::access::actor_columns;
use crate::conversations::insert_activity;
use crate::data_map::columns;
use crate::deliveries::mark_problem_of;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::{Access, Delivery, Message, Store, StoreError, Tx};

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
    actor: (&'static str, Uuid),
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
            // A machine told it, whichever way the report came in.
            actor: actor_columns(Actor::System),
            now,
        }))
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
        mark_problem_of(tx, self.message).await?;
        let event = Event {
            conversation: Some(self.conversation),
            message: Some(self.message),
            account: self.account,
            ..Event::new(EventKind::DeliveryChanged, self.now)
        };
        event.append(tx, no).await
    }
}

fn next(delivery: &Delivery, reported: Reported) -> Option<(DeliveryState, bool)> {
    on_report(delivery.state, delivery.code.as_deref() == Some(DELAYED), reported)
}
