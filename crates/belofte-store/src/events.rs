// SPDX-License-Identifier: EUPL-1.2
//! Live events: rows of facts, numbered per tenant, which every node reads.

use belofte_model::{ChannelAccountId, ConversationId, EventKind, MessageId, QueueId, Timestamp, UserId};

use crate::engine::{params, sql};
use crate::{Read, Rows, StoreError, Tx};

/// A fact: what kind, about which rows, never what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number; 0 until it is stored.
    pub seq: i64,
    /// What happened.
    pub kind: EventKind,
    /// The conversation that it is about.
    pub conversation: Option<ConversationId>,
    /// The message that it is about.
    pub message: Option<MessageId>,
    /// The channel account that it is about.
    pub account: Option<ChannelAccountId>,
    /// The user that it is about.
    pub user: Option<UserId>,
    /// The queue of the conversation, by which the event is filtered for each listener.
    pub queue: Option<QueueId>,
    /// When.
    pub at: Timestamp,
}

impl Event {
    /// A fact about nothing in particular yet; fill in what it is about.
    #[must_use]
    pub const fn new(kind: EventKind, at: Timestamp) -> Self {
        Self { seq: 0, kind, conversation: None, message: None, account: None, user: None, queue: None, at }
    }

    /// Stores the event as number `seq` of the tenant of `tx`.
    pub(crate) async fn append(&self, tx: &mut Tx<'_>, seq: i64) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.late(
            sql!(
                "INSERT INTO event (tenant_id, seq, kind, conversation_id, message_id, account_id, user_id, queue_id, at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
            ),
            params![
                tenant,
                seq,
                self.kind.as_str(),
                self.conversation,
                self.message,
                self.account,
                self.user,
                self.queue,
                self.at
            ],
            Rows::Any,
        )
        .await
    }
}

/// The events after a number, as far as the reader may see them.
pub struct EventsSince {
    /// The last number already seen.
    pub seq: i64,
    /// At most so many.
    pub limit: i64,
}

/// What [`EventsSince`] answers.
pub struct Events {
    /// The events, in order. Those of one tenant are never out of order: the number is taken under
    /// the lock of the tenant's row and given up at COMMIT.
    pub items: Vec<Event>,
    /// The number of the newest event of the tenant.
    pub newest: i64,
    /// Whether events between `seq` and the first of `items` are gone.
    pub gap: bool,
}

impl Read for EventsSince {
    type Out = Events;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Events, StoreError> {
        let tenant = tx.tenant();
        let newest = tx
            .query_one(sql!("SELECT next_seq FROM tenant WHERE id = $1"), params![tenant], |row| row.int(0))
            .await?
            - 1;
        if newest <= self.seq {
            return Ok(Events { items: Vec::new(), newest, gap: self.seq > newest });
        }
        let items = tx
            .query(
                sql!(
                    "SELECT seq, kind, conversation_id, message_id, account_id, user_id, queue_id, at FROM event \
                     WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"
                ),
                params![tenant, self.seq, self.limit],
                |row| {
                    Ok(Event {
                        seq: row.int(0)?,
                        kind: row.name(1, EventKind::parse)?,
                        conversation: row.opt_id(2)?,
                        message: row.opt_id(3)?,
                        account: row.opt_id(4)?,
                        user: row.opt_id(5)?,
                        queue: row.opt_id(6)?,
                        at: row.time(7)?,
                    })
                },
            )
            .await?;
        let gap = items.first().is_none_or(|first| first.seq > self.seq + 1);
        Ok(Events { items, newest, gap })
    }
}
