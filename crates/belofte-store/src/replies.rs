// SPDX-License-Identifier: EUPL-1.2
//! Answers and notes: message, deliveries, job and event in one write.

use belofte_model::{
    Actor, AttachmentId, AuthorKind, ChannelAccountId, ConversationId, ConversationStatus, DraftKind,
    Duration, EventKind, JobId, JobKind, KeyId, MessageId, MessageKind, NotificationId, QueueId, Subset,
    ThreadId, Timestamp, Use, Visible, on_reply,
};
use uuid::Uuid;

use crate::access::ClaimedJob;
use crate::attachments::GoesAlong;
use crate::conversation_changes::follow_message;
use crate::conversations::Summary;
use crate::counters::{self, Needs};
use crate::deliveries::{NewDelivery, RecipientRole, mark_problem};
use crate::drafts::{self, DraftPlace};
use crate::engine::{params, sql};
use crate::events::Event;
use crate::filing::message_tokens;
use crate::intake::message_id_index;
use crate::jobs::{self, NewJob};
use crate::messages::{Correspondent, MessageContent, NewMessage, insert_reference, insert_thread};
use crate::notifications::{self, News, Standing};
use crate::reconciling::look_for;
use crate::visibility;
use crate::{Access, Read, Store, StoreError, Tx, Write};

/// A message that an agent writes.
pub struct Outgoing {
    /// The case.
    pub conversation: ConversationId,
    /// A reply or a note.
    pub kind: MessageKind,
    /// The message's id, chosen before, since its Message-ID is made of it.
    pub id: MessageId,
    /// The thread that a reply goes out in; without it one is opened in its account.
    pub thread: Option<ThreadId>,
    /// The account that it goes out through.
    pub account: Option<ChannelAccountId>,
    /// What it says.
    pub content: MessageContent,
    /// Its recipients, with their roles.
    pub recipients: Vec<(RecipientRole, Correspondent)>,
    /// Uploaded files of the author, and files of other messages, of which copies go along.
    pub attachments: Vec<AttachmentId>,
    /// What it does to the case.
    pub how: Handling,
}

/// What an outgoing message does to its case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    /// The case is resolved with it.
    pub resolve: bool,
    /// It goes to somebody else: the customer is not answered, and waits as before.
    pub forward: bool,
    /// So long it can be taken back before it goes out.
    pub wait: Duration,
    /// The version of its author's draft that it was; kept there no more once it is stored.
    pub draft: Option<i64>,
    /// The newest message that its author had seen: an answer is refused when a colleague's went out after it.
    pub seen: Option<MessageId>,
}

/// Where an answer goes out: the newest thread of a case, and what it answers.
#[derive(Clone, Debug)]
pub struct ReplyThread {
    /// The thread.
    pub thread: ThreadId,
    /// Its account.
    pub account: ChannelAccountId,
    /// The newest message from the customer, which is answered.
    pub answers: Option<MessageId>,
    /// Where the customer has written nothing: what else can be answered, the tenant's own newest message and then
    /// what machines wrote, newest first.
    pub instead: Vec<MessageId>,
    /// The account that answers go out through whatever they answer, of a case that was moved to it.
    pub moved_to: Option<ChannelAccountId>,
}

/// So many messages are looked at for one that can be answered.
const MOST_INSTEAD: i64 = 20;

struct NewestThread {
    id: ConversationId,
    visible: Visible,
}

impl Read for NewestThread {
    type Out = Option<ReplyThread>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        if !visibility::sees_case(tx, &self.visible, self.id).await? {
            return Ok(None);
        }
        let moved_to = tx
            .query_opt(
                sql!(
                    "SELECT channel_account_id FROM conversation WHERE tenant_id = $1 AND id = $2 \
                     AND began_account_id IS NOT NULL"
                ),
                params![tenant, self.id],
                |row| row.id(0),
            )
            .await?;
        // One row is enough where all accounts can be seen.
        let rows = if self.visible.channels == Subset::All { 1 } else { i64::MAX };
        let incoming = tx
            .query(
                sql!(
                    "SELECT thread_id, channel_account_id, id FROM message WHERE tenant_id = $1 AND conversation_id = $2 \
                     AND kind = 'incoming' ORDER BY no DESC LIMIT $3"
                ),
                params![tenant, self.id, rows],
                |row| Ok((row.opt_id(0)?, row.opt_id(1)?, row.id(2)?)),
            )
            .await?;
        let seen = incoming.into_iter().find(|(_, account, _)| self.visible.sees_message(*account));
        if let Some((Some(thread), Some(account), id)) = seen {
            let instead = Vec::new();
            return Ok(Some(ReplyThread { thread, account, answers: Some(id), instead, moved_to }));
        }
        let others = tx
            .query(
                sql!(
                    "SELECT id, channel_account_id FROM message WHERE tenant_id = $1 AND conversation_id = $2 \
                     AND kind IN ('reply', 'automatic') \
                     ORDER BY CASE kind WHEN 'reply' THEN 0 ELSE 1 END, no DESC LIMIT $3"
                ),
                params![tenant, self.id, if rows == 1 { MOST_INSTEAD } else { i64::MAX }],
                |row| Ok((row.id(0)?, row.opt_id(1)?)),
            )
            .await?;
        let others = others.into_iter().filter(|(_, account)| self.visible.sees_message(*account));
        let instead: Vec<MessageId> = others.map(|(id, _)| id).take(MOST_INSTEAD as usize).collect();
        let threads = tx
            .query(
                sql!(
                    "SELECT id, channel_account_id FROM thread WHERE tenant_id = $1 AND conversation_id = $2 \
                     ORDER BY created_at DESC, id DESC LIMIT $3"
                ),
                params![tenant, self.id, rows],
                |row| Ok((row.id(0)?, row.id(1)?)),
            )
            .await?;
        let seen = threads.into_iter().find(|(_, account)| self.visible.channels.contains(account));
        Ok(seen.map(|(thread, account)| ReplyThread { thread, account, answers: None, instead, moved_to }))
    }
}

struct ThreadOfNumber {
    no: i64,
    visible: Visible,
}

impl Read for ThreadOfNumber {
    type Out = Option<ThreadId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let found = tx
            .query_opt(
                sql!(
                    "SELECT thread_id, conversation_id, channel_account_id FROM message \
                     WHERE tenant_id = $1 AND no = $2"
                ),
                params![tenant, self.no],
                |row| Ok((row.opt_id(0)?, row.id(1)?, row.opt_id(2)?)),
            )
            .await?;
        let Some((thread, case, account)) = found else { return Ok(None) };
        let seen = self.visible.sees_all_cases()
            || self.visible.sees_message(account) && visibility::sees_case(tx, &self.visible, case).await?;
        Ok(thread.filter(|_| seen))
    }
}

/// Whether a message is an answer that went out.
struct OwnReply(MessageId);

impl Read for OwnReply {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        let found = tx
            .query_opt(
                sql!("SELECT no FROM message WHERE tenant_id = $1 AND id = $2 AND kind = 'reply'"),
                params![tenant, self.0],
                |row| row.int(0),
            )
            .await?;
        Ok(found.is_some())
    }
}

/// Whether somebody else's answer went out in a case after the message that was seen last.
struct Overtaken {
    case: ConversationId,
    seen: MessageId,
    author: Uuid,
    visible: Visible,
}

impl Read for Overtaken {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        let newer: Vec<Option<ChannelAccountId>> = tx
            .query(
                sql!(
                    "SELECT channel_account_id FROM message WHERE tenant_id = $1 AND conversation_id = $2 \
                     AND kind = 'reply' AND author_id <> $3 \
                     AND no > coalesce((SELECT no FROM message WHERE tenant_id = $1 AND id = $4), 0)"
                ),
                params![tenant, self.case, self.author, self.seen],
                |row| row.opt_id(0),
            )
            .await?;
        // What cannot be seen can never have been.
        Ok(newer.into_iter().any(|account| self.visible.sees_message(account)))
    }
}

struct WriteOut {
    /// Of whose drafts it takes one away, and which version.
    draft: Option<(DraftPlace, i64)>,
    message: NewMessage,
    key: KeyId,
    queue: QueueId,
    summary: Option<Vec<u8>>,
    /// Whether the thread is new.
    opens_thread: bool,
    /// Whether it answers the customer.
    answers: bool,
    status: ConversationStatus,
    before: ConversationStatus,
    deliveries: Vec<NewDelivery>,
    attachments: Vec<GoesAlong>,
    job: Option<NewJob>,
    reference: Option<[u8; 16]>,
    /// Who is named in it, to be told.
    news: Vec<(News, Standing)>,
    version: i64,
    actor: (&'static str, Uuid),
    now: Timestamp,
}

impl Write for WriteOut {
    type Out = i64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let tenant = tx.tenant();
        let conversation = self.message.conversation;
        if let (true, Some(thread), Some(account)) =
            (self.opens_thread, self.message.thread, self.message.account)
        {
            insert_thread(tx, thread, conversation, account, self.now).await?;
        }
        for delivery in &self.deliveries {
            delivery.insert(tx, self.message.id, self.key, self.now).await?;
        }
        for (position, attachment) in self.attachments.iter().enumerate() {
            attachment.write(tx, self.message.id, position).await?;
        }
        if let (Some(reference), Some(thread)) = (&self.reference, self.message.thread) {
            insert_reference(tx, reference, thread).await?;
        }
        if let Some(job) = &self.job {
            job.enqueue(tx, self.now).await?;
        }
        if let Some((place, version)) = self.draft {
            drafts::sent(tx, self.message.author, place, version).await?;
        }
        let resolved = self.status == ConversationStatus::Resolved;
        tx.execute_one(
            sql!(
                "UPDATE conversation SET status = $4, summary = coalesce($5, summary), message_count = message_count + 1, \
                 last_message_at = $6, placed_at = $6, last_message_kind = $7, unread = CASE WHEN CAST($8 AS bigint) = 1 THEN 0 ELSE unread END, \
                 first_reply_at = CASE WHEN CAST($8 AS bigint) = 1 THEN coalesce(first_reply_at, $6) ELSE first_reply_at END, \
                 waiting_since = CASE WHEN $4 IN ('open', 'snoozed') THEN waiting_since ELSE NULL END, \
                 snoozed_until = CASE WHEN $4 = 'snoozed' THEN snoozed_until ELSE NULL END, \
                 woken_at = CASE WHEN CAST($8 AS bigint) = 1 THEN NULL ELSE woken_at END, \
                 resolved_at = CASE WHEN CAST($9 AS bigint) = 1 THEN coalesce(resolved_at, $6) ELSE NULL END, version = version + 1 \
                 WHERE tenant_id = $1 AND id = $2 AND version = $3"
            ),
            params![
                tenant,
                conversation,
                self.version,
                self.status.as_str(),
                self.summary.as_ref(),
                self.now,
                self.message.kind.as_str(),
                self.answers,
                resolved
            ],
        )
        .await?;
        follow_message(tx, conversation, self.before, self.status, self.now).await?;
        if self.before != self.status {
            let id = belofte_model::ActivityId(self.message.id.uuid());
            let (from, to) = (Some(self.before.as_str()), Some(self.status.as_str()));
            crate::conversations::insert_activity(
                tx,
                conversation,
                id,
                "status",
                self.actor,
                from,
                to,
                self.now,
            )
            .await?;
        }
        if let (true, Some(account)) = (self.answers, self.message.account) {
            tx.execute(
                sql!(
                    "INSERT INTO statistic (tenant_id, day, channel_account_id, received, conversations, replies, resolved) \
                     VALUES ($1, $2, $3, 0, 0, 1, $4) ON CONFLICT (tenant_id, day, channel_account_id) DO UPDATE SET \
                     replies = statistic.replies + 1, resolved = statistic.resolved + $4"
                ),
                params![tenant, self.now.day(), account, resolved && self.before != self.status],
            )
            .await?;
        }
        let told = i64::try_from(self.news.len()).unwrap_or(i64::MAX);
        let numbers = counters::take(tx, Needs { events: 1 + told, ..Needs::default() }).await?;
        self.message.insert(tx, numbers.event).await?;
        let event = Event {
            conversation: Some(conversation),
            message: Some(self.message.id),
            account: self.message.account,
            queue: Some(self.queue),
            ..Event::new(EventKind::MessageCreated, self.now)
        };
        event.append(tx, numbers.event).await?;
        for (no, (news, standing)) in (numbers.event + 1..).zip(&self.news) {
            notifications::tell(tx, news, *standing, no).await?;
        }
        Ok(numbers.event)
    }
}

impl Store {
    /// Where an answer in `conversation` goes out; `None` when the case has no channel that this
    /// access can see.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn reply_thread(
        &self,
        access: &Access,
        conversation: ConversationId,
    ) -> Result<Option<ReplyThread>, StoreError> {
        access.to(Use::Look)?;
        let visible = access.visible().clone();
        self.read(access, NewestThread { id: conversation, visible }).await
    }

    /// The thread of the message with this number; `None` when there is none for this access.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn thread_of_number(&self, access: &Access, no: i64) -> Result<Option<ThreadId>, StoreError> {
        access.to(Use::Receive)?;
        self.read(access, ThreadOfNumber { no, visible: access.visible().clone() }).await
    }

    /// Whether `id` is an answer of this tenant's. It is asked about a mail that comes in and says so of
    /// itself; whoever knows the identifier has had the answer.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn is_own_reply(&self, access: &Access, id: MessageId) -> Result<bool, StoreError> {
        access.to(Use::Receive)?;
        self.read(access, OwnReply(id)).await
    }

    /// Stores an answer or a note; an answer is queued for its recipients in the same write.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a case or an upload that this access cannot see, and when somebody is named who
    /// cannot sign in or does not see the case; [`StoreError::Overtaken`] when a colleague's answer went out that its author has not seen,
    /// [`StoreError::Conflict`] when the case changes all the time.
    pub async fn write_out(&self, access: &Access, outgoing: &Outgoing) -> Result<MessageId, StoreError> {
        access.to(Use::Answer)?;
        let tenant = access.tenant();
        let keys = self.keys(access).await?;
        let (tokens, words) = message_tokens(&keys, &outgoing.content);
        for _ in 0..24 {
            let (now, random) = (access.clock().now(), self.random());
            let conversation = self.whole_conversation(access, outgoing.conversation).await?;
            let key = self.conversation_key(access, conversation.id).await?;
            let reply = outgoing.kind == MessageKind::Reply;
            let answers = reply && !outgoing.how.forward;
            let (author_kind, author) = author(access)?;
            // The write stands on the version that was read before this: who answers in between is noticed.
            if let (true, Some(seen)) = (answers, outgoing.how.seen) {
                let (case, visible) = (conversation.id, access.visible().clone());
                if self.read(access, Overtaken { case, seen, author, visible }).await? {
                    return Err(StoreError::Overtaken);
                }
            }
            let place = (conversation.queue, conversation.account);
            let mentions = &outgoing.content.mentions;
            let news = self.news_of_mentions(access, conversation.id, place, outgoing.id, mentions).await?;
            let status = match (outgoing.how.resolve, answers) {
                (true, _) => ConversationStatus::Resolved,
                (false, true) => on_reply(conversation.status),
                (false, false) => conversation.status,
            };
            let mut summary = conversation.summary.clone();
            summary.preview = Summary::preview_of(&outgoing.content.text);
            let mut deliveries = Vec::with_capacity(outgoing.recipients.len());
            for (role, recipient) in &outgoing.recipients {
                deliveries.push(NewDelivery::seal(
                    random,
                    &key,
                    tenant,
                    *role,
                    recipient,
                    now,
                    outgoing.how.wait,
                )?);
            }
            // Through an account that the case has not been answered through before.
            let opens_thread = outgoing.thread.is_none() && outgoing.account.is_some();
            let thread =
                if opens_thread { Some(ThreadId::new(now, random.bytes())) } else { outgoing.thread };
            let reference = outgoing
                .content
                .message_id
                .as_deref()
                .filter(|_| reply)
                .map(|id| message_id_index(&keys, id));
            let kind = if reply { DraftKind::Reply } else { DraftKind::Note };
            let place = DraftPlace { conversation: Some(conversation.id), kind };
            let write = WriteOut {
                draft: outgoing.how.draft.map(|version| (place, version)),
                key: key.id(),
                queue: conversation.queue,
                // A note never shows in the list as if it were the customer's or the tenant's word.
                summary: if reply {
                    Some(summary.seal(random, &key, tenant, conversation.id)?)
                } else {
                    None
                },
                opens_thread,
                answers,
                status,
                before: conversation.status,
                deliveries,
                attachments: self
                    .bind(access, &outgoing.attachments, outgoing.content.html.as_deref(), &key)
                    .await?,
                job: reply.then(|| NewJob {
                    id: JobId::new(now, random.bytes()),
                    kind: JobKind::Deliver,
                    subject: outgoing.id.uuid(),
                    run_at: now + outgoing.how.wait,
                    lease: None,
                }),
                reference,
                news,
                version: conversation.version,
                actor: crate::access::actor_columns(access.actor()),
                message: NewMessage {
                    id: outgoing.id,
                    conversation: conversation.id,
                    thread,
                    account: outgoing.account,
                    kind: outgoing.kind,
                    author_kind,
                    author,
                    external: reference,
                    content: outgoing.content.seal(random, &key, tenant, outgoing.id)?,
                    key: key.id(),
                    source: None,
                    created_at: now,
                    sent_at: reply.then_some(now),
                },
                now,
            };
            match self.write(access, write).await {
                Ok(no) => {
                    self.index_later(tenant, no, tokens, conversation.contact, words);
                    return Ok(outgoing.id);
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }
}

/// Who writes, as a message names its author.
pub(crate) fn author(access: &Access) -> Result<(AuthorKind, Uuid), StoreError> {
    match access.actor() {
        Actor::User(user) => Ok((AuthorKind::User, user.uuid())),
        Actor::ApiKey(api_key) => Ok((AuthorKind::ApiKey, api_key.uuid())),
        Actor::Channel(_) | Actor::Job(_) | Actor::Operator(_) | Actor::System => Err(StoreError::NotFound),
    }
}

/// The deliveries of a message that a worker held when it went away: nobody knows whether the
/// data arrived, so they become unknown and are never sent again alone. Only who holds the job of
/// the message may say so; what the job's present holder is sending is not abandoned.
pub struct AbandonSending {
    /// The job whose lease is held, before it sends anything.
    pub job: ClaimedJob,
    /// Its message.
    pub message: MessageId,
    /// The job that looks for it afterwards.
    pub look: JobId,
    /// The line that tells its author, should there be none yet.
    pub told: NotificationId,
    /// The present time.
    pub now: Timestamp,
}

impl Write for AbandonSending {
    type Out = u64;
    const USE: Option<Use> = Some(Use::Send);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        jobs::hold(tx, &self.job, self.now).await?;
        let held = tx
            .execute(
                sql!(
                    "UPDATE delivery SET state = 'unknown', code = 'line_dropped', next_try_at = NULL, updated_at = $3 \
                     WHERE tenant_id = $1 AND message_id = $2 AND state = 'sending'"
                ),
                params![tenant, self.message, self.now],
            )
            .await?;
        if held == 0 {
            return Ok(0);
        }
        let (conversation, account) = tx
            .query_one(
                sql!(
                    "SELECT conversation_id, channel_account_id FROM message WHERE tenant_id = $1 AND id = $2"
                ),
                params![tenant, self.message],
                |row| Ok((row.id(0)?, row.opt_id(1)?)),
            )
            .await?;
        mark_problem(tx, conversation).await?;
        look_for(tx, self.look, self.message, self.now).await?;
        let event = Event {
            conversation: Some(conversation),
            message: Some(self.message),
            account,
            ..Event::new(EventKind::DeliveryChanged, self.now)
        };
        let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
        event.append(tx, numbers.event).await?;
        notifications::delivery_failed(tx, self.message, self.told, self.now).await?;
        Ok(held)
    }
}
