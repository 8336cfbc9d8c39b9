// SPDX-License-Identifier: EUPL-1.2
//! Messages that are taken out of a case and become one of their own.
//!
//! They are sealed anew under the key of the new case: a key seals what lies in one case, so that destroying
//! the keys of one leaves nothing of it readable and takes nothing from another (decision 30). What answers
//! them later goes to the new case, since the identifiers of those messages speak of a thread of that one.

use belofte_model::{
    ActivityId, AttachmentId, AuthorKind, BlobId, ChannelAccountId, Column, ContactId, ConversationId,
    ConversationStatus, DeliveryId, DeliveryState, EventKind, KeyClass, KeyId, LedgerKind, MessageId,
    MessageKind, QueueId, ThreadId, Timestamp, Use, UserId, Visible,
};
use belofte_vault::{DataKey, SealContext};
use serde_json::json;
use uuid::Uuid;

use crate::access::actor_columns;
use crate::blob_rows::{BlobById, Rewrap};
use crate::conversations::{Summary, insert_activity};
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::deliveries::mark_problem;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::keys::SealedKey;
use crate::messages::{Message, SealedMessage, sealed_message_at};
use crate::{Access, NewLeaf, Read, Store, StoreError, Tx, Write, merges, queue_archives, tags, visibility};

/// Messages that are to become a case of their own.
pub struct NewSplit {
    /// The case that they lie in.
    pub from: ConversationId,
    /// The case that is made; of an earlier try of the same request it is there already.
    pub id: ConversationId,
    /// The messages, in no order.
    pub messages: Vec<MessageId>,
    /// What it is about; as the case that they lie in without it.
    pub subject: Option<String>,
}

/// Why messages were not taken out.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// One of them is not in the case, or not for this access.
    #[error("the conversation has no such message")]
    NoSuchMessage,
    /// Nothing would be left, or nothing but notes would go: that is no case.
    #[error("a conversation needs at least one message that is no note")]
    NothingLeft,
    /// One of them is being sent; what is known of it would be sealed under two keys.
    #[error("a message is on its way")]
    OnItsWay,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NewSplit {
    /// So many messages are taken out at once.
    pub const MOST: usize = 200;
}

/// A value of a row that is sealed anew, and the row as it was read.
struct Resealed<Id> {
    id: Id,
    value: Vec<u8>,
    before: KeyId,
}

struct Moved {
    message: Resealed<MessageId>,
    thread: Option<(ThreadId, ThreadId)>,
    reference: Option<Vec<u8>>,
    attachments: Vec<Resealed<AttachmentId>>,
    blobs: Vec<(Rewrap, KeyId)>,
    deliveries: Vec<(Resealed<DeliveryId>, Option<Vec<u8>>, Timestamp)>,
}

/// What stays, for who reads the row of the case.
struct Rest {
    newest: i64,
    summary: Vec<u8>,
}

/// How the new case begins, as its messages say.
struct Opens {
    contact: ContactId,
    last_at: Timestamp,
    last_kind: MessageKind,
    /// Since when the customer waits, when the newest word is theirs.
    waiting_since: Option<Timestamp>,
    first_reply_at: Option<Timestamp>,
}

impl Opens {
    /// Of messages in the order in which they came; `None` without one.
    fn of(messages: &[Message], contact: ContactId) -> Option<Self> {
        let last = messages.last()?;
        let (mut waiting_since, mut first_reply_at) = (None, None);
        for message in messages {
            match message.kind {
                MessageKind::Incoming => waiting_since = waiting_since.or(Some(message.created_at)),
                MessageKind::Reply => {
                    waiting_since = None;
                    first_reply_at = first_reply_at.or(Some(message.created_at));
                }
                MessageKind::Note | MessageKind::Automatic => {}
            }
        }
        let (last_at, last_kind) = (last.created_at, last.kind);
        Some(Self { contact, last_at, last_kind, waiting_since, first_reply_at })
    }
}

struct Split {
    from: ConversationId,
    version: i64,
    id: ConversationId,
    key: [SealedKey; 1],
    opens: Opens,
    summary: Vec<u8>,
    moved: Vec<Moved>,
    /// Of each thread that they lie in, the one that goes on in the new case.
    threads: Vec<(ThreadId, ThreadId)>,
    rest: Rest,
    there: ActivityId,
    here: ActivityId,
    actor: (&'static str, Uuid),
    visible: Visible,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Split {
    /// Gives the new case what it takes along.
    async fn take(&self, tx: &mut Tx<'_>, moved: &Moved) -> Result<(), StoreError> {
        let (tenant, key) = (tx.tenant(), self.key[0].key.id());
        let message = &moved.message;
        tx.execute_one(
            sql!(
                "UPDATE message SET conversation_id = $3, thread_id = $4, content = $5, key_id = $6 \
                 WHERE tenant_id = $1 AND id = $2 AND conversation_id = $7 AND key_id = $8"
            ),
            params![
                tenant,
                message.id,
                self.id,
                moved.thread.map(|(_, new)| new),
                &message.value,
                key,
                self.from,
                message.before
            ],
        )
        .await?;
        for file in &moved.attachments {
            tx.execute_one(
                sql!(
                    "UPDATE attachment SET meta = $3, key_id = $4 WHERE tenant_id = $1 AND id = $2 AND key_id = $5"
                ),
                params![tenant, file.id, &file.value, key, file.before],
            )
            .await?;
        }
        for (blob, before) in &moved.blobs {
            tx.execute_one(
                sql!(
                    "UPDATE blob SET key_id = $3, wrapped = $4 WHERE tenant_id = $1 AND id = $2 AND key_id = $5"
                ),
                params![tenant, blob.blob, blob.key_id, &blob.wrapped, *before],
            )
            .await?;
        }
        for (delivery, reply, read) in &moved.deliveries {
            // Whoever has something to tell of it meanwhile tells it first.
            tx.execute_one(
                sql!(
                    "UPDATE delivery SET recipient = $3, reply = $4, key_id = $5 WHERE tenant_id = $1 AND id = $2 \
                     AND key_id = $6 AND updated_at = $7 AND state NOT IN ('queued', 'sending')"
                ),
                params![
                    tenant,
                    delivery.id,
                    &delivery.value,
                    reply.as_ref(),
                    key,
                    delivery.before,
                    *read
                ],
            )
            .await?;
        }
        if let (Some(reference), Some((old, new))) = (&moved.reference, moved.thread) {
            tx.execute(
                sql!(
                    "DELETE FROM message_reference WHERE tenant_id = $1 AND reference_index = $2 AND thread_id = $3"
                ),
                params![tenant, reference, old],
            )
            .await?;
            tx.execute(
                sql!(
                    "INSERT INTO message_reference (tenant_id, reference_index, thread_id) VALUES ($1, $2, $3) \
                     ON CONFLICT DO NOTHING"
                ),
                params![tenant, reference, new],
            )
            .await?;
        }
        Ok(())
    }

    /// Makes the row of the new case: in the queue and mailbox of the old one, whose it is, with its tags.
    async fn open(&self, tx: &mut Tx<'_>, from: &From, no: i64) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let opens = &self.opens;
        // Nobody has put this one off.
        let status = match from.status {
            _ if opens.waiting_since.is_some() => ConversationStatus::Open,
            ConversationStatus::Snoozed => ConversationStatus::Open,
            other => other,
        };
        let waiting = (status == ConversationStatus::Open).then(|| opens.waiting_since.unwrap_or(self.now));
        tx.execute_one(
            sql!(
                "INSERT INTO conversation (tenant_id, id, no, status, contact_id, queue_id, channel_account_id, assignee_id, \
                 summary, key_id, message_count, last_message_at, last_message_kind, unread, delivery_problem, waiting_since, \
                 first_reply_at, resolved_at, created_at, version, placed_at, began_account_id) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, $14, $15, $16, $17, 1, $12, $18)"
            ),
            params![
                tenant,
                self.id,
                no,
                status.as_str(),
                opens.contact,
                from.queue,
                from.account,
                from.assignee,
                &self.summary,
                self.key[0].key.id(),
                self.moved.len() as i64,
                opens.last_at,
                opens.last_kind.as_str(),
                waiting,
                opens.first_reply_at,
                (status == ConversationStatus::Resolved).then_some(self.now),
                self.now,
                from.began
            ],
        )
        .await?;
        if status != ConversationStatus::Resolved {
            queue_archives::follow(tx, self.id, self.now).await?;
        }
        for tag in tags::of_case(tx, self.from).await? {
            tags::add(tx, self.id, tag, status, opens.last_at).await?;
        }
        Ok(())
    }

    /// What the old case is without them.
    async fn shrink(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let (no, at, kind) = tx
            .query_opt(
                sql!(
                    "SELECT no, created_at, kind FROM message WHERE tenant_id = $1 AND conversation_id = $2 \
                     ORDER BY no DESC LIMIT 1"
                ),
                params![tenant, self.from],
                |row| Ok((row.int(0)?, row.time(1)?, row.name(2, MessageKind::parse)?)),
            )
            .await?
            .ok_or(StoreError::Conflict)?;
        if no != self.rest.newest {
            return Err(StoreError::Conflict);
        }
        let waits = tx
            .query_one(
                sql!(
                    "SELECT min(created_at) FROM message WHERE tenant_id = $1 AND conversation_id = $2 AND kind = 'incoming' \
                     AND no > coalesce((SELECT max(no) FROM message WHERE tenant_id = $1 AND conversation_id = $2 \
                     AND kind = 'reply'), 0)"
                ),
                params![tenant, self.from],
                |row| row.opt_time(0),
            )
            .await?;
        tx.execute_one(
            sql!(
                "UPDATE conversation SET summary = $3, message_count = message_count - $4, last_message_at = $5, \
                 last_message_kind = $6, version = version + 1, \
                 waiting_since = CASE WHEN waiting_since IS NULL THEN NULL ELSE coalesce($7, waiting_since) END \
                 WHERE tenant_id = $1 AND id = $2"
            ),
            params![
                tenant,
                self.from,
                &self.rest.summary,
                self.moved.len() as i64,
                at,
                kind.as_str(),
                waits
            ],
        )
        .await
    }
}

/// The case that they lie in, as its row says.
struct From {
    no: i64,
    version: i64,
    status: ConversationStatus,
    queue: QueueId,
    account: ChannelAccountId,
    assignee: Option<UserId>,
    began: Option<ChannelAccountId>,
}

impl From {
    async fn lock(tx: &mut Tx<'_>, id: ConversationId) -> Result<Option<Self>, StoreError> {
        let tenant = tx.tenant();
        macro_rules! text {
            ($end:literal) => {
                sql!(concat!(
                    "SELECT no, version, status, queue_id, channel_account_id, assignee_id, began_account_id \
                     FROM conversation WHERE tenant_id = $1 AND id = $2",
                    $end
                ))
            };
        }
        let text = if tx.is_postgres() { text!(" FOR UPDATE") } else { text!("") };
        tx.query_opt(text, params![tenant, id], |row| {
            Ok(Self {
                no: row.int(0)?,
                version: row.int(1)?,
                status: row.name(2, ConversationStatus::parse)?,
                queue: row.id(3)?,
                account: row.id(4)?,
                assignee: row.opt_id(5)?,
                began: row.opt_id(6)?,
            })
        })
        .await
    }
}

impl Write for Split {
    type Out = ();
    const USE: Option<Use> = Some(Use::Answer);

    fn new_keys(&self) -> &[SealedKey] {
        &self.key
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let from = From::lock(tx, self.from).await?.filter(|from| from.version == self.version);
        let from = from.ok_or(StoreError::Conflict)?;
        if !self.visible.sees_case(from.queue, from.account) {
            return Err(StoreError::NotFound);
        }
        for (old, thread) in &self.threads {
            tx.execute_one(
                sql!(
                    "INSERT INTO thread (tenant_id, id, conversation_id, channel_account_id, created_at) \
                     SELECT tenant_id, $4, $3, channel_account_id, $5 FROM thread WHERE tenant_id = $1 AND id = $2"
                ),
                params![tenant, *old, self.id, *thread, self.now],
            )
            .await?;
        }
        for moved in &self.moved {
            self.take(tx, moved).await?;
        }
        self.shrink(tx).await?;
        let numbers = counters::take(tx, Needs { events: 2, leaves: 1, cases: 1 }).await?;
        self.open(tx, &from, numbers.case).await?;
        mark_problem(tx, self.id).await?;
        mark_problem(tx, self.from).await?;
        tx.execute_one(
            sql!(
                "INSERT INTO split (tenant_id, id, from_id, split_seq, messages) VALUES ($1, $2, $3, $4, $5)"
            ),
            params![tenant, self.id, self.from, numbers.event + 1, self.moved.len() as i64],
        )
        .await?;
        let (no, of) = (numbers.case.to_string(), from.no.to_string());
        insert_activity(tx, self.from, self.there, "split", self.actor, None, Some(&no), self.now).await?;
        insert_activity(tx, self.id, self.here, "split_from", self.actor, Some(&of), None, self.now).await?;
        self.leaf.append(tx, numbers.leaf).await?;
        let event = Event {
            conversation: Some(self.id),
            account: Some(from.account),
            queue: Some(from.queue),
            ..Event::new(EventKind::ConversationCreated, self.now)
        };
        event.append(tx, numbers.event).await?;
        let changed = Event { conversation: Some(self.from), kind: EventKind::ConversationChanged, ..event };
        changed.append(tx, numbers.event + 1).await
    }
}

/// From which case one was taken out, and whether nothing was written in it since.
pub(crate) struct OriginOf {
    pub(crate) id: ConversationId,
    pub(crate) visible: Visible,
}

impl Read for OriginOf {
    type Out = Option<(ConversationId, bool)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let found = tx
            .query_opt(
                sql!(
                    "SELECT s.from_id, s.messages, \
                     (SELECT CAST(count(*) AS bigint) FROM message m WHERE m.tenant_id = $1 AND m.conversation_id = $2), \
                     (SELECT CAST(count(*) AS bigint) FROM message m WHERE m.tenant_id = $1 AND m.conversation_id = $2 \
                     AND m.no > s.split_seq) FROM split s WHERE s.tenant_id = $1 AND s.id = $2"
                ),
                params![tenant, self.id],
                |row| Ok((row.id(0)?, row.int(1)? == row.int(2)? && row.int(3)? == 0)),
            )
            .await?;
        let Some((from, untouched)) = found else { return Ok(None) };
        let origin = merges::in_force(tx, from).await?;
        let seen = visibility::sees_case(tx, &self.visible, self.id).await?
            && visibility::sees_case(tx, &self.visible, origin).await?;
        Ok(seen.then_some((origin, untouched)))
    }
}

/// Values of a message's rows, as they are sealed now.
struct SealedParts {
    content: (Vec<u8>, KeyId),
    reference: Option<Vec<u8>>,
    source: Option<BlobId>,
    attachments: Vec<(AttachmentId, Vec<u8>, KeyId, BlobId)>,
    deliveries: Vec<SealedRecipient>,
}

struct SealedRecipient {
    id: DeliveryId,
    recipient: Vec<u8>,
    reply: Option<Vec<u8>>,
    key: KeyId,
    state: DeliveryState,
    updated_at: Timestamp,
}

struct PartsOf(MessageId);

impl Read for PartsOf {
    type Out = Option<SealedParts>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let message = tx
            .query_opt(
                sql!(
                    "SELECT content, key_id, external_index, source_blob_id FROM message WHERE tenant_id = $1 AND id = $2"
                ),
                params![tenant, self.0],
                |row| Ok(((row.bytes(0)?, row.id(1)?), row.opt_bytes(2)?, row.opt_id(3)?)),
            )
            .await?;
        let Some((content, reference, source)) = message else { return Ok(None) };
        let attachments = tx
            .query(
                sql!("SELECT id, meta, key_id, blob_id FROM attachment WHERE tenant_id = $1 AND message_id = $2"),
                params![tenant, self.0],
                |row| Ok((row.id(0)?, row.bytes(1)?, row.id(2)?, row.id(3)?)),
            )
            .await?;
        let deliveries = tx
            .query(
                sql!(
                    "SELECT id, recipient, reply, key_id, state, updated_at FROM delivery \
                     WHERE tenant_id = $1 AND message_id = $2"
                ),
                params![tenant, self.0],
                |row| {
                    Ok(SealedRecipient {
                        id: row.id(0)?,
                        recipient: row.bytes(1)?,
                        reply: row.opt_bytes(2)?,
                        key: row.id(3)?,
                        state: row.name(4, DeliveryState::parse)?,
                        updated_at: row.time(5)?,
                    })
                },
            )
            .await?;
        Ok(Some(SealedParts { content, reference, source, attachments, deliveries }))
    }
}

/// The newest messages of a case without some of them.
struct Remaining {
    from: ConversationId,
    without: Vec<MessageId>,
}

/// So many of the newest messages are looked at for the one that a list shows.
const AROUND: i64 = 50;

impl Read for Remaining {
    type Out = Vec<SealedMessage>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let mut rows = tx
            .query(
                sql!(
                    "SELECT id, no, conversation_id, thread_id, channel_account_id, kind, author_kind, author_id, \
                     content, key_id, source_blob_id, created_at, sent_at FROM message \
                     WHERE tenant_id = $1 AND conversation_id = $2 ORDER BY no DESC LIMIT $3"
                ),
                params![tenant, self.from, self.without.len() as i64 + AROUND],
                |row| sealed_message_at(row, 0),
            )
            .await?;
        rows.retain(|row| !self.without.contains(&row.message.id));
        Ok(rows)
    }
}

/// A write that cannot come through after so many plans is the machine's problem, not the user's.
const PLANS: usize = 24;

impl Store {
    /// Makes messages of a case one of their own.
    ///
    /// # Errors
    /// [`SplitError`]; [`StoreError::NotFound`] when the case does not exist for this access,
    /// [`StoreError::Conflict`] when others change it all the time. Nothing is changed then.
    pub async fn split_conversation(&self, access: &Access, new: &NewSplit) -> Result<(), SplitError> {
        access.to(Use::Answer)?;
        match self.conversation_in_force(access, new.id).await {
            Ok(_) => return Ok(()),
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        for _ in 0..PLANS {
            let split = self.plan_split(access, new).await?;
            match self.write(access, split).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn plan_split(&self, access: &Access, new: &NewSplit) -> Result<Split, SplitError> {
        let (tenant, now, random) = (access.tenant(), access.clock().now(), self.random());
        let case = self.whole_conversation(access, new.from).await?;
        let mut messages: Vec<Message> = Vec::with_capacity(new.messages.len());
        for id in &new.messages {
            let found = match self.message_to_answer(access, *id).await {
                Ok(message) if message.conversation == new.from => message,
                Ok(_) | Err(StoreError::NotFound) => return Err(SplitError::NoSuchMessage),
                Err(error) => return Err(error.into()),
            };
            if messages.iter().all(|known| known.id != found.id) {
                messages.push(found);
            }
        }
        messages.sort_by_key(|message| message.no);
        let told = messages.iter().rev().find(|message| message.kind != MessageKind::Note);
        let told = told.ok_or(SplitError::NothingLeft)?;
        let without = messages.iter().map(|message| message.id).collect();
        let rest = self.read(access, Remaining { from: new.from, without }).await?;
        let newest = rest.first().ok_or(SplitError::NothingLeft)?.message.no;
        let keys = self.keys(access).await?;
        let old = self.conversation_key(access, new.from).await?;
        let mut summary = case.summary.clone();
        summary.preview = match rest.into_iter().find(|row| row.message.kind != MessageKind::Note) {
            Some(row) => {
                let key = self.key(tenant, row.key).await?;
                Summary::preview_of(&row.unseal(tenant, &key)?.content.text)
            }
            None => return Err(SplitError::NothingLeft),
        };
        let rest = Rest { newest, summary: summary.seal(random, &old, tenant, new.from)? };
        let key = keys.mint(random, KeyClass::Conversation, Some(new.id.uuid()), 0, now);
        let author = messages.iter().find(|message| {
            message.author_kind == AuthorKind::Contact && message.kind == MessageKind::Incoming
        });
        let shown = Summary {
            subject: new.subject.clone().unwrap_or_else(|| case.summary.subject.clone()),
            preview: Summary::preview_of(&told.content.text),
            name: author.map_or_else(|| case.summary.name.clone(), |mail| mail.content.from.name.clone()),
            address: author
                .map_or_else(|| case.summary.address.clone(), |mail| mail.content.from.address.clone()),
        };
        let opens = Opens::of(&messages, author.map_or(case.contact, |mail| ContactId(mail.author)))
            .ok_or(SplitError::NothingLeft)?;
        let (mut threads, mut moved): (Vec<(ThreadId, ThreadId)>, Vec<Moved>) = Default::default();
        for message in &messages {
            let thread = message.thread.map(|old| match threads.iter().find(|(known, _)| *known == old) {
                Some(pair) => *pair,
                None => {
                    threads.push((old, ThreadId::new(now, random.bytes())));
                    threads[threads.len() - 1]
                }
            });
            moved.push(self.reseal(access, message.id, thread, &key.key).await?);
        }
        let made = [format!("{}:{}", key.class.as_str(), key.key.id())];
        let none: [String; 0] = [];
        let detail = json!({ "conversation": new.id, "from": new.from, "made": made, "destroyed": none });
        Ok(Split {
            from: new.from,
            version: case.version,
            id: new.id,
            summary: shown.seal(random, &key.key, tenant, new.id)?,
            key: [key],
            opens,
            moved,
            threads,
            rest,
            there: ActivityId::new(now, random.bytes()),
            here: ActivityId::new(now, random.bytes()),
            actor: actor_columns(access.actor()),
            visible: access.visible().clone(),
            leaf: NewLeaf::new(access, &keys, random, LedgerKind::Keys, detail)?,
            now,
        })
    }

    /// Seals what belongs to a message anew, under `to`.
    async fn reseal(
        &self,
        access: &Access,
        id: MessageId,
        thread: Option<(ThreadId, ThreadId)>,
        to: &DataKey,
    ) -> Result<Moved, SplitError> {
        let (tenant, random) = (access.tenant(), self.random());
        let parts = self.read(access, PartsOf(id)).await?.ok_or(SplitError::NoSuchMessage)?;
        let again = |from: &DataKey, column: Column, row: Uuid, sealed: &[u8]| {
            let context = SealContext { tenant, column, row };
            let clear = from.open(&context, sealed)?;
            Ok::<_, StoreError>(to.seal(random, &context, &clear))
        };
        let (content, before) = parts.content;
        let from = self.key(tenant, before).await?;
        let content = again(&from, columns::MESSAGE_CONTENT, id.uuid(), &content)?;
        let mut moved = Moved {
            message: Resealed { id, value: content, before },
            thread,
            reference: parts.reference,
            attachments: Vec::new(),
            blobs: Vec::new(),
            deliveries: Vec::new(),
        };
        let mut blobs: Vec<BlobId> = parts.source.into_iter().collect();
        for (file, meta, before, blob) in parts.attachments {
            let from = self.key(tenant, before).await?;
            let value = again(&from, columns::ATTACHMENT_META, file.uuid(), &meta)?;
            moved.attachments.push(Resealed { id: file, value, before });
            blobs.push(blob);
        }
        for blob in blobs {
            // The source of an old mail may have been let go.
            let Some(row) = self.read(access, BlobById(blob)).await? else { continue };
            let from = self.key(tenant, row.key_id).await?;
            moved.blobs.push((row.rewrap(self, tenant, &from, to)?, row.key_id));
        }
        for sealed in parts.deliveries {
            if matches!(sealed.state, DeliveryState::Queued | DeliveryState::Sending) {
                return Err(SplitError::OnItsWay);
            }
            let (from, row) = (self.key(tenant, sealed.key).await?, sealed.id.uuid());
            let value = again(&from, columns::DELIVERY_RECIPIENT, row, &sealed.recipient)?;
            let reply = match &sealed.reply {
                Some(reply) => Some(again(&from, columns::DELIVERY_REPLY, row, reply)?),
                None => None,
            };
            let delivery = Resealed { id: sealed.id, value, before: sealed.key };
            moved.deliveries.push((delivery, reply, sealed.updated_at));
        }
        Ok(moved)
    }
}
