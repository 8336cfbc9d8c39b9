// SPDX-License-Identifier: EUPL-1.2
//! Live events: rows of facts, numbered per tenant, which every node reads.

use belofte_model::{
    ChannelAccountId, ConversationId, EventKind, MessageId, Purpose, QueueId, Timestamp, Use, UserId, Visible,
};

use crate::engine::{params, sql};
use crate::{Access, Read, Rows, Store, StoreError, Tx};

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
    /// The queue that it is about.
    pub queue: Option<QueueId>,
    /// Where the conversation lies when the event is read: its queue, and the account through which
    /// it began. None before, and when it is gone.
    pub case: Option<(QueueId, ChannelAccountId)>,
    /// When.
    pub at: Timestamp,
}

impl Event {
    /// A fact about nothing in particular yet; fill in what it is about.
    #[must_use]
    pub const fn new(kind: EventKind, at: Timestamp) -> Self {
        Self {
            seq: 0,
            kind,
            conversation: None,
            message: None,
            account: None,
            user: None,
            queue: None,
            case: None,
            at,
        }
    }

    /// Whether who sees `visible` may know of it. What lies nowhere any more is told to those who
    /// see everything.
    #[must_use]
    pub fn is_seen_by(&self, visible: &Visible) -> bool {
        let case = match (self.conversation, self.case) {
            (None, _) => true,
            (Some(_), Some((queue, account))) => visible.sees_case(queue, account),
            (Some(_), None) => visible.sees_all_cases(),
        };
        case && visible.sees_message(self.account)
            && self.queue.is_none_or(|queue| visible.queues.contains(&queue))
    }

    /// Whether it is told to the one who acts by `access`: what a user is told of is told to nobody else, and the house
    /// passes all of them on.
    #[must_use]
    pub fn is_for(&self, access: &Access) -> bool {
        let private = self.kind == EventKind::NotificationsChanged;
        !private
            || access.purpose() == Purpose::Upkeep
            || self.user.is_some_and(|user| access.user() == Some(user))
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

/// What of an event a reader gets to know.
#[derive(Clone, Copy, Debug)]
pub enum Fact {
    /// The whole.
    Seen(Event),
    /// That there was one of this number.
    Hidden(i64),
}

impl Fact {
    /// What the one who acts by `access` gets to know of `event`.
    #[must_use]
    pub fn of(event: Event, access: &Access) -> Self {
        let seen = event.is_for(access) && event.is_seen_by(access.visible());
        if seen { Self::Seen(event) } else { Self::Hidden(event.seq) }
    }

    /// Its number.
    #[must_use]
    pub const fn seq(&self) -> i64 {
        match self {
            Self::Seen(event) => event.seq,
            Self::Hidden(seq) => *seq,
        }
    }
}

/// The events after the number `seq`, at most `limit`.
struct EventsSince {
    seq: i64,
    limit: i64,
    access: Access,
}

/// What [`Store::events`] answers.
pub struct Events {
    /// The events, in order. Those of one tenant are never out of order: the number is taken under
    /// the lock of the tenant's row and given up at COMMIT.
    pub items: Vec<Fact>,
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
                    "SELECT e.seq, e.kind, e.conversation_id, e.message_id, e.account_id, e.user_id, e.queue_id, e.at, \
                     coalesce(c.queue_id, m.queue_id), coalesce(c.channel_account_id, m.channel_account_id) FROM event e \
                     LEFT JOIN conversation c ON c.tenant_id = e.tenant_id AND c.id = e.conversation_id \
                     LEFT JOIN merged_conversation m ON m.tenant_id = e.tenant_id AND m.id = e.conversation_id \
                     AND m.into_id IS NOT NULL \
                     WHERE e.tenant_id = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3"
                ),
                params![tenant, self.seq, self.limit],
                |row| {
                    let event = Event {
                        seq: row.int(0)?,
                        kind: row.name(1, EventKind::parse)?,
                        conversation: row.opt_id(2)?,
                        message: row.opt_id(3)?,
                        account: row.opt_id(4)?,
                        user: row.opt_id(5)?,
                        queue: row.opt_id(6)?,
                        at: row.time(7)?,
                        case: row.opt_id(8)?.zip(row.opt_id(9)?),
                    };
                    Ok(Fact::of(event, &self.access))
                },
            )
            .await?;
        let gap = items.first().is_none_or(|first: &Fact| first.seq() > self.seq + 1);
        Ok(Events { items, newest, gap })
    }
}

impl Store {
    /// The events after the number `seq`, at most `limit`, as far as `access` may know of them.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn events(&self, access: &Access, seq: i64, limit: i64) -> Result<Events, StoreError> {
        access.to(Use::Follow)?;
        self.read(access, EventsSince { seq, limit, access: access.clone() }).await
    }
}
