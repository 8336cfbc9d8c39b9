// SPDX-License-Identifier: EUPL-1.2
//! What a mail is filed by: whether it is a copy or was erased, who wrote it, and which thread it
//! goes on with.
//!
//! Each mail asks this once, before its write. On the server engine the mails that come in at the
//! same time ask together, each statement once for all of them.

use std::sync::Arc;

use belofte_model::{
    ChannelAccountId, ContactId, ConversationId, ConversationStatus, KeyId, MessageId, QueueId, ThreadId,
    UserId,
};
use uuid::Uuid;

use crate::contacts::EMAIL;
use crate::engine::{Together, params, sql};
use crate::notifications::standing;
use crate::{Param, Read, Row, StoreError, Tx};

/// The thread that a mail belongs to, and its case.
pub(crate) struct KnownThread {
    pub(crate) thread: ThreadId,
    pub(crate) conversation: ConversationId,
    pub(crate) contact: ContactId,
    pub(crate) queue: QueueId,
    pub(crate) status: ConversationStatus,
    pub(crate) key: KeyId,
    pub(crate) summary: Vec<u8>,
    pub(crate) version: i64,
    pub(crate) account: ChannelAccountId,
    /// The account of the case.
    pub(crate) case_account: ChannelAccountId,
    /// Whose the case is, and how they are told that the customer wrote.
    pub(crate) assignee: Option<UserId>,
    pub(crate) standing: Option<i64>,
}

/// The columns of a [`KnownThread`].
macro_rules! columns {
    () => {
        concat!(
            "t.id, t.channel_account_id, c.id, c.contact_id, c.queue_id, c.status, c.key_id, c.summary, c.version, \
             c.channel_account_id, c.assignee_id, ",
            standing!("c.assignee_id", "'customer_message'", "c.id")
        )
    };
}

/// A thread and its case for every row before them. Each is looked up by itself, whatever the planner
/// believes of tables that were empty when it was asked: it once read all conversations of a tenant.
macro_rules! thread_and_case {
    ($thread:literal) => {
        concat!(
            "CROSS JOIN LATERAL (SELECT id, channel_account_id, conversation_id FROM thread \
             WHERE tenant_id = $1 AND id = ",
            $thread,
            " LIMIT 1) t CROSS JOIN LATERAL (SELECT id, contact_id, queue_id, status, key_id, summary, version, \
             channel_account_id, assignee_id FROM conversation WHERE tenant_id = $1 AND id = t.conversation_id LIMIT 1) c"
        )
    };
}

impl KnownThread {
    /// Reads it from the columns that begin at `base`.
    fn read(row: &Row<'_>, base: usize) -> Result<Self, StoreError> {
        Ok(Self {
            thread: row.id(base)?,
            account: row.id(base + 1)?,
            conversation: row.id(base + 2)?,
            contact: row.id(base + 3)?,
            queue: row.id(base + 4)?,
            status: row.name(base + 5, ConversationStatus::parse)?,
            key: row.id(base + 6)?,
            summary: row.bytes(base + 7)?,
            version: row.int(base + 8)?,
            case_account: row.id(base + 9)?,
            assignee: row.opt_id(base + 10)?,
            standing: row.opt_int(base + 11)?,
        })
    }
}

/// A mail to several accounts is in a thread of each: what goes on with it goes on in that of the account to which it
/// comes. So many threads at most are looked at for that, newest first.
const SHARED: i64 = 20;

/// What is asked for a mail, by blind indexes.
pub(crate) struct FilingQuestion {
    pub(crate) account: ChannelAccountId,
    /// Of its own identifier.
    pub(crate) external: [u8; 16],
    /// Of its author's address.
    pub(crate) author: [u8; 16],
    /// Of the mails that it speaks of, nearest first.
    pub(crate) related: Vec<[u8; 16]>,
    /// The thread that a signed reply address names.
    pub(crate) reply_thread: Option<ThreadId>,
}

/// What was found.
pub(crate) struct FilingPlan {
    /// A message of the same account with the same identifier.
    pub(crate) duplicate: Option<MessageId>,
    /// Whether such a message was erased.
    pub(crate) erased: bool,
    /// Whose address the author's is.
    pub(crate) contact: Option<ContactId>,
    /// The thread that it goes on with.
    pub(crate) thread: Option<KnownThread>,
    /// The queue of the account; none when there is no such account.
    pub(crate) queue: Option<QueueId>,
}

impl FilingPlan {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            duplicate: row.opt_id(0)?,
            erased: row.opt_time(1)?.is_some(),
            contact: row.opt_id(2)?,
            queue: row.opt_id(3)?,
            thread: None,
        })
    }
}

impl Read for FilingQuestion {
    type Out = FilingPlan;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<FilingPlan, StoreError> {
        let tenant = tx.tenant();
        let mut plan = tx
            .query_one(
                sql!(
                    "SELECT (SELECT id FROM message WHERE tenant_id = $1 AND channel_account_id = $2 AND external_index = $3), \
                     (SELECT at FROM tombstone WHERE tenant_id = $1 AND kind = 'message' AND external_index = $3), \
                     (SELECT contact_id FROM identity WHERE tenant_id = $1 AND kind = $4 AND value_index = $5), \
                     (SELECT queue_id FROM channel_account WHERE tenant_id = $1 AND id = $2)"
                ),
                params![tenant, self.account, &self.external, EMAIL, &self.author],
                FilingPlan::read,
            )
            .await?;
        for reference in &self.related {
            plan.thread = tx
                .query_opt(
                    sql!(concat!(
                        "SELECT ",
                        columns!(),
                        " FROM (SELECT f.thread_id FROM (SELECT thread_id FROM message_reference WHERE tenant_id = $1 \
                         AND reference_index = $2 ORDER BY thread_id DESC LIMIT $4) f \
                         JOIN thread o ON o.tenant_id = $1 AND o.id = f.thread_id \
                         ORDER BY CASE o.channel_account_id WHEN $3 THEN 0 ELSE 1 END, f.thread_id DESC LIMIT 1) r \
                         JOIN thread t ON t.tenant_id = $1 AND t.id = r.thread_id \
                         JOIN conversation c ON c.tenant_id = $1 AND c.id = t.conversation_id"
                    )),
                    params![tenant, reference, self.account, SHARED],
                    |row| KnownThread::read(row, 0),
                )
                .await?;
            if plan.thread.is_some() {
                return Ok(plan);
            }
        }
        if let Some(id) = self.reply_thread {
            plan.thread = tx
                .query_opt(
                    sql!(concat!(
                        "SELECT ",
                        columns!(),
                        " FROM thread t JOIN conversation c ON c.tenant_id = t.tenant_id AND c.id = t.conversation_id \
                         WHERE t.tenant_id = $1 AND t.id = $2"
                    )),
                    params![tenant, id],
                    |row| KnownThread::read(row, 0),
                )
                .await?;
        }
        Ok(plan)
    }
}

impl Together for FilingQuestion {
    async fn run_all(questions: &[Arc<Self>], tx: &mut Tx<'_>) -> Result<Vec<FilingPlan>, StoreError> {
        let tenant = tx.tenant();
        let accounts: Vec<Uuid> = questions.iter().map(|question| question.account.uuid()).collect();
        let externals: Vec<&[u8]> = questions.iter().map(|question| &question.external[..]).collect();
        let authors: Vec<&[u8]> = questions.iter().map(|question| &question.author[..]).collect();
        let mut plans = tx
            .query(
                sql!(
                    "SELECT (SELECT id FROM message WHERE tenant_id = $1 AND channel_account_id = q.account \
                     AND external_index = q.external), \
                     (SELECT at FROM tombstone WHERE tenant_id = $1 AND kind = 'message' AND external_index = q.external), \
                     (SELECT contact_id FROM identity WHERE tenant_id = $1 AND kind = $2 AND value_index = q.author), \
                     (SELECT queue_id FROM channel_account WHERE tenant_id = $1 AND id = q.account) \
                     FROM unnest($3::uuid[], $4::bytea[], $5::bytea[]) \
                     WITH ORDINALITY AS q(account, external, author, place) ORDER BY q.place"
                ),
                &[
                    tenant.into(),
                    EMAIL.into(),
                    Param::Uuids(&accounts),
                    Param::Blobs(&externals),
                    Param::Blobs(&authors),
                ],
                FilingPlan::read,
            )
            .await?;
        let (mut references, mut places): (Vec<&[u8]>, Vec<i64>) = (Vec::new(), Vec::new());
        let mut at: Vec<Uuid> = Vec::new();
        for (place, question) in questions.iter().enumerate() {
            references.extend(question.related.iter().map(|reference| &reference[..]));
            places.resize(references.len(), place as i64);
            at.resize(references.len(), question.account.uuid());
        }
        if !references.is_empty() {
            let found = tx
                .query(
                    sql!(concat!(
                        "SELECT q.question, ",
                        columns!(),
                        " FROM unnest($2::bytea[], $3::bigint[], $4::uuid[]) \
                         WITH ORDINALITY AS q(reference, question, account, place) \
                         CROSS JOIN LATERAL (SELECT f.thread_id FROM (SELECT thread_id FROM message_reference \
                         WHERE tenant_id = $1 AND reference_index = q.reference ORDER BY thread_id DESC LIMIT $5) f \
                         CROSS JOIN LATERAL (SELECT channel_account_id FROM thread \
                         WHERE tenant_id = $1 AND id = f.thread_id LIMIT 1) o \
                         ORDER BY CASE o.channel_account_id WHEN q.account THEN 0 ELSE 1 END, f.thread_id DESC LIMIT 1) r ",
                        thread_and_case!("r.thread_id"),
                        " ORDER BY q.place"
                    )),
                    &[
                        tenant.into(),
                        Param::Blobs(&references),
                        Param::Ints(&places),
                        Param::Uuids(&at),
                        SHARED.into(),
                    ],
                    |row| Ok((row.int(0)?, KnownThread::read(row, 1)?)),
                )
                .await?;
            for (place, thread) in found {
                let plan = usize::try_from(place).ok().and_then(|place| plans.get_mut(place));
                // The nearest one comes first.
                if let Some(plan) = plan.filter(|plan| plan.thread.is_none()) {
                    plan.thread = Some(thread);
                }
            }
        }
        // Where no identifier says it, the signed address does.
        let named: Vec<(usize, Uuid)> = questions
            .iter()
            .zip(&plans)
            .enumerate()
            .filter(|(_, (_, plan))| plan.thread.is_none())
            .filter_map(|(place, (question, _))| Some((place, question.reply_thread?.uuid())))
            .collect();
        if !named.is_empty() {
            let (places, threads): (Vec<i64>, Vec<Uuid>) =
                named.iter().map(|(place, thread)| (*place as i64, *thread)).unzip();
            let found = tx
                .query(
                    sql!(concat!(
                        "SELECT q.question, ",
                        columns!(),
                        " FROM unnest($2::bigint[], $3::uuid[]) AS q(question, thread) ",
                        thread_and_case!("q.thread")
                    )),
                    &[tenant.into(), Param::Ints(&places), Param::Uuids(&threads)],
                    |row| Ok((row.int(0)?, KnownThread::read(row, 1)?)),
                )
                .await?;
            for (place, thread) in found {
                if let Some(plan) = usize::try_from(place).ok().and_then(|place| plans.get_mut(place)) {
                    plan.thread = Some(thread);
                }
            }
        }
        Ok(plans)
    }
}
