// SPDX-License-Identifier: EUPL-1.2
//! Lists of conversations, and how many stand where.

use std::collections::{HashMap, HashSet};

use belofte_model::{
    ChannelAccountId, ContactId, ConversationId, ConversationStatus, QueueId, TagId, Timestamp, UserId,
};
use uuid::Uuid;

use crate::contacts::{ProfilesOf, SealedProfile};
use crate::conversations::{SealedConversation, sealed};
use crate::engine::{params, sql};
use crate::tags::{TagsOf, in_force};
use crate::{Access, Read, StoreError, Tx};

/// Whose cases are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignee {
    /// Everybody's.
    Any,
    /// Nobody's.
    Nobody,
    /// One user's.
    User(UserId),
}

/// Which cases are asked for: the newest message, or what came back last, first. Those of one contact
/// by their newest message alone.
#[derive(Clone, Copy, Debug)]
pub struct ConversationQuery {
    /// Where they stand; `None` for all.
    pub status: Option<ConversationStatus>,
    /// Whose they are.
    pub assignee: Assignee,
    /// In one queue only.
    pub queue: Option<QueueId>,
    /// With one tag only.
    pub tag: Option<TagId>,
    /// Of one contact only.
    pub contact: Option<ContactId>,
    /// Below this place and id: where the page before ended.
    pub after: Option<(Timestamp, ConversationId)>,
    /// At most so many.
    pub limit: u32,
}

pub(crate) struct List {
    pub(crate) query: ConversationQuery,
    pub(crate) access: Access,
}

/// The columns that [`sealed`](crate::conversations::sealed) reads, in its order.
macro_rules! rows_where {
    ($condition:literal) => {
        sql!(concat!(
            "SELECT id, no, status, contact_id, queue_id, channel_account_id, assignee_id, summary, key_id, message_count, \
             last_message_at, last_message_kind, unread, delivery_problem, waiting_since, created_at, version, \
             placed_at, snoozed_until, woken_at FROM conversation WHERE tenant_id = $1 AND ",
            $condition
        ))
    };
}

impl List {
    /// Where a page goes on after `row`.
    fn place(&self, row: &SealedConversation) -> (Timestamp, ConversationId) {
        let case = &row.conversation;
        (if self.query.contact.is_some() { case.last_message_at } else { case.placed_at }, case.id)
    }

    /// Whether a row belongs in the list that was read by its tag alone.
    fn fits(&self, row: &SealedConversation) -> bool {
        let case = &row.conversation;
        let assignee = match self.query.assignee {
            Assignee::Any => true,
            Assignee::Nobody => case.assignee.is_none(),
            Assignee::User(user) => case.assignee == Some(user),
        };
        assignee && self.query.queue.is_none_or(|queue| case.queue == queue)
    }

    /// The rows of one state, or of all of a contact, that can be seen: as many as a page holds.
    async fn page(
        &self,
        tx: &mut Tx<'_>,
        status: Option<ConversationStatus>,
        tag: Option<TagId>,
    ) -> Result<Vec<SealedConversation>, StoreError> {
        let (visible, limit) = (self.access.visible(), self.query.limit as usize);
        let (mut seen, mut after) = (Vec::new(), self.query.after);
        loop {
            let rows = match (tag, status) {
                (Some(tag), Some(status)) => self.tagged_rows(tx, tag, status, after).await?,
                _ => self.rows(tx, status, after).await?,
            };
            let full = rows.len() == limit;
            after = rows.last().map(|row| self.place(row));
            let wanted =
                |row: &SealedConversation| row.is_visible(visible) && (tag.is_none() || self.fits(row));
            seen.extend(rows.into_iter().filter(wanted));
            if !full || seen.len() >= limit {
                seen.truncate(limit);
                return Ok(seen);
            }
        }
    }

    /// Rows of one tag and state, in the order of the tag's own index, each looked up by itself.
    async fn tagged_rows(
        &self,
        tx: &mut Tx<'_>,
        tag: TagId,
        status: ConversationStatus,
        after: Option<(Timestamp, ConversationId)>,
    ) -> Result<Vec<SealedConversation>, StoreError> {
        let tenant = tx.tenant();
        let (at, id) = after.map_or((i64::MAX, Uuid::max()), |(at, id)| (at.as_micros(), id.uuid()));
        let limit = i64::from(self.query.limit);
        let ids: Vec<ConversationId> = tx
            .query(
                sql!(
                    "SELECT conversation_id FROM conversation_tag WHERE tenant_id = $1 AND tag_id = $2 AND status = $3 \
                     AND (placed_at, conversation_id) < ($4, $5) \
                     ORDER BY placed_at DESC, conversation_id DESC LIMIT $6"
                ),
                params![tenant, tag, status.as_str(), at, id, limit],
                |row| row.id(0),
            )
            .await?;
        let sets = ids.iter().map(|id| [tenant.into(), (*id).into()]).collect();
        tx.query_each(rows_where!("id = $2"), sets, sealed).await
    }

    async fn rows(
        &self,
        tx: &mut Tx<'_>,
        status: Option<ConversationStatus>,
        after: Option<(Timestamp, ConversationId)>,
    ) -> Result<Vec<SealedConversation>, StoreError> {
        let tenant = tx.tenant();
        let query = &self.query;
        let (at, id) = after.map_or((i64::MAX, Uuid::max()), |(at, id)| (at.as_micros(), id.uuid()));
        let limit = i64::from(query.limit);
        // One text a shape, so that each finds its index and reads no more rows than it gives; a
        // queue, which is seldom asked for alone, is tried on the rows of the index.
        let status = status.map(ConversationStatus::as_str);
        if let Some(contact) = query.contact {
            let text = rows_where!(
                "contact_id = $2 AND (last_message_at, id) < ($3, $4) \
                 ORDER BY last_message_at DESC, id DESC LIMIT $5"
            );
            return tx.query(text, params![tenant, contact, at, id, limit], sealed).await;
        }
        let text = match query.assignee {
            Assignee::User(user) => {
                let text = rows_where!(
                    "assignee_id = $2 AND status = $3 AND (placed_at, id) < ($4, $5) \
                     AND queue_id = coalesce($6, queue_id) ORDER BY placed_at DESC, id DESC LIMIT $7"
                );
                return tx
                    .query(text, params![tenant, user, status, at, id, query.queue, limit], sealed)
                    .await;
            }
            // PostgreSQL takes the index of assignees in its own order only when that order is asked for.
            Assignee::Nobody => rows_where!(
                "assignee_id IS NULL AND status = $2 AND (placed_at, id) < ($3, $4) \
                 AND queue_id = coalesce($5, queue_id) \
                 ORDER BY assignee_id DESC, placed_at DESC, id DESC LIMIT $6"
            ),
            Assignee::Any => rows_where!(
                "status = $2 AND (placed_at, id) < ($3, $4) AND queue_id = coalesce($5, queue_id) \
                 ORDER BY placed_at DESC, id DESC LIMIT $6"
            ),
        };
        tx.query(text, params![tenant, status, at, id, query.queue, limit], sealed).await
    }
}

impl Read for List {
    type Out = Vec<SealedConversation>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tag = match self.query.tag {
            None => None,
            Some(tag) => match in_force(tx, tag).await? {
                None => return Ok(Vec::new()),
                found => found,
            },
        };
        match (self.query.status, self.query.contact) {
            (Some(status), _) => self.page(tx, Some(status), tag).await,
            (None, Some(_)) => self.page(tx, None, None).await,
            // All states: the index serves each in order, and the pages are merged.
            (None, None) => {
                let mut rows = Vec::new();
                for status in ConversationStatus::ALL {
                    rows.extend(self.page(tx, Some(status), tag).await?);
                }
                rows.sort_by_key(|row| std::cmp::Reverse(self.place(row)));
                rows.truncate(self.query.limit as usize);
                Ok(rows)
            }
        }
    }
}

pub(crate) struct ById(pub(crate) Vec<ConversationId>, pub(crate) Access);

impl Read for ById {
    type Out = Vec<SealedConversation>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let sets = self.0.iter().map(|id| [tenant.into(), (*id).into()]).collect();
        let mut found = tx.query_each(rows_where!("id = $2"), sets, sealed).await?;
        let visible = self.1.visible();
        found.retain(|row| row.is_visible(visible));
        Ok(found)
    }
}

/// Rows with the profiles of their contacts and their tags, all as of one moment.
pub(crate) struct NamedRows {
    pub(crate) rows: Vec<SealedConversation>,
    pub(crate) profiles: HashMap<ContactId, SealedProfile>,
    pub(crate) tags: HashMap<ConversationId, Vec<TagId>>,
}

pub(crate) struct WithNames<R>(pub(crate) R);

impl<R: Read<Out = Vec<SealedConversation>>> Read for WithNames<R> {
    type Out = NamedRows;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let rows = self.0.run(tx).await?;
        let contacts: HashSet<ContactId> = rows.iter().map(|row| row.conversation.contact).collect();
        let profiles = ProfilesOf(contacts.into_iter().collect()).run(tx).await?;
        let tags = TagsOf(rows.iter().map(|row| row.conversation.id).collect()).run(tx).await?;
        Ok(NamedRows { rows, profiles, tags })
    }
}

/// How many cases stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConversationCounts {
    /// Open ones.
    pub open: i64,
    /// Open ones of the user who asks.
    pub mine: i64,
    /// Open ones of nobody.
    pub unassigned: i64,
    /// Answered ones.
    pub waiting: i64,
    /// Those that are put off.
    pub snoozed: i64,
    /// Resolved ones.
    pub resolved: i64,
}

pub(crate) struct Counts(pub(crate) Access);

impl Read for Counts {
    type Out = ConversationCounts;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let visible = self.0.visible();
        let rows = tx
            .query(
                sql!(
                    "SELECT status, assignee_id, queue_id, channel_account_id, CAST(count(*) AS bigint) FROM conversation \
                     WHERE tenant_id = $1 GROUP BY queue_id, status, assignee_id, channel_account_id"
                ),
                params![tenant],
                |row| {
                    Ok((
                        row.name(0, ConversationStatus::parse)?,
                        row.opt_id::<UserId>(1)?,
                        row.id::<QueueId>(2)?,
                        row.id::<ChannelAccountId>(3)?,
                        row.int(4)?,
                    ))
                },
            )
            .await?;
        let mut counts = ConversationCounts::default();
        for (status, assignee, queue, account, n) in rows {
            if !visible.sees_case(queue, account) {
                continue;
            }
            match status {
                ConversationStatus::Open => {
                    counts.open += n;
                    counts.unassigned += if assignee.is_none() { n } else { 0 };
                    counts.mine += if assignee.is_some() && assignee == self.0.user() { n } else { 0 };
                }
                ConversationStatus::Waiting => counts.waiting += n,
                ConversationStatus::Snoozed => counts.snoozed += n,
                ConversationStatus::Resolved => counts.resolved += n,
            }
        }
        Ok(counts)
    }
}
