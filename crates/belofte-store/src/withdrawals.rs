// SPDX-License-Identifier: EUPL-1.2
//! Taking a message back before it goes out.
//!
//! A message that is to wait has a job that is due later. Whoever takes it back deletes that job, and may do
//! so only while nobody has ever claimed it: the row of the job decides between the two, so that a message is
//! never both taken back and sent. Its number stays taken, since indexes count by it: what is left there is a
//! row that belongs to no case and says nothing.
//!
//! A note goes nowhere, and can be taken back for a quarter of an hour: what somebody thought better of, or named
//! somebody in by mistake.

use belofte_model::{
    ActivityId, AttachmentId, ConversationId, ConversationStatus, Duration, EventKind, KeyId, LedgerKind,
    MessageId, MessageKind, Timestamp, Use,
};
use belofte_vault::{DataKey, Random};
use serde_json::json;
use uuid::Uuid;

use crate::access::actor_columns;
use crate::attachments::ComesBack;
use crate::conversations::Summary;
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::events::Event;
use crate::intake::message_id_index;
use crate::messages::{Message, MessageContent};
use crate::{Access, NewLeaf, Store, StoreError, Tx, Write, drafts, field_values, notifications};

/// So long its author can take a note back.
pub const NOTE_TAKEN_BACK: Duration = Duration::from_secs(15 * 60);

/// Where the message before stands, for who reads the row of the case.
struct Before {
    no: i64,
    preview: String,
}

/// Takes a message back: its author's, while it waits to be sent, or while a note is new.
pub struct WithdrawMessage {
    message: MessageId,
    conversation: ConversationId,
    kind: MessageKind,
    author: Uuid,
    written_at: Timestamp,
    /// Whether the customer was answered with it.
    answers: bool,
    event: Event,
    key: DataKey,
    random: Random,
    /// What is left of what it said: nothing.
    nothing: Vec<u8>,
    reference: Option<[u8; 16]>,
    files: Vec<ComesBack>,
    /// The newest message that stays; none when the case began with this one and ends with it.
    before: Option<Before>,
    dead: Vec<KeyId>,
    leaf: Option<NewLeaf>,
    now: Timestamp,
}

/// The case that a message belongs to that was taken back.
const NO_CASE: ConversationId = ConversationId(Uuid::nil());

impl WithdrawMessage {
    /// Prepares to take `message` back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not of the one who asks, [`StoreError::Conflict`] when it does not
    /// wait, and as [`Store::message`].
    pub async fn prepare(store: &Store, access: &Access, message: &Message) -> Result<Self, StoreError> {
        access.to(Use::Answer)?;
        let (tenant, now, random) = (access.tenant(), access.clock().now(), store.random());
        let author = actor_columns(access.actor()).1;
        if message.author != author {
            return Err(StoreError::NotFound);
        }
        let note = message.kind == MessageKind::Note;
        let may = message.kind == MessageKind::Reply || note && now < message.created_at + NOTE_TAKEN_BACK;
        if !may {
            return Err(StoreError::Conflict);
        }
        let case = store.whole_conversation(access, message.conversation).await?;
        let key = store.conversation_key(access, message.conversation).await?;
        // What became part of a case keeps its key.
        let own = store.message_key(access, message.id).await?;
        let keys = store.keys(access).await?;
        // As few as show the newest one, and the newest that is no note.
        let around = store.messages(access, message.conversation, None, 50).await?;
        let others = || around.iter().rev().filter(|other| other.id != message.id);
        let alone = case.messages == 1;
        let before = match others().next() {
            Some(newest) => {
                let told = others().find(|other| other.kind != MessageKind::Note);
                let preview = told.map_or("", |told| told.content.text.as_str());
                Some(Before { no: newest.no, preview: Summary::preview_of(preview) })
            }
            // A case does not begin with a note.
            None if alone && !note => None,
            None => return Err(StoreError::Conflict),
        };
        let ids: Vec<AttachmentId> = message.attachments.iter().map(|file| file.id).collect();
        let (dead, leaf) = if before.is_none() {
            let none: [String; 0] = [];
            let gone = [format!("conversation:{}", key.id())];
            let detail = json!({ "message": message.id, "made": none, "destroyed": gone });
            (vec![key.id()], Some(NewLeaf::new(access, &keys, random, LedgerKind::Keys, detail)?))
        } else {
            (Vec::new(), None)
        };
        Ok(Self {
            message: message.id,
            conversation: message.conversation,
            kind: message.kind,
            author,
            written_at: message.created_at,
            answers: !note && (before.is_none() || !message.content.subject.starts_with("Fwd: ")),
            event: Event {
                conversation: Some(message.conversation),
                message: Some(message.id),
                account: message.account,
                queue: Some(case.queue),
                ..Event::new(EventKind::DeliveryChanged, now)
            },
            nothing: MessageContent::default().seal(random, &own, tenant, message.id)?,
            reference: message.content.message_id.as_deref().map(|id| message_id_index(&keys, id)),
            files: store.give_back(access, &ids, &keys.settings).await?,
            random: random.clone(),
            key,
            before,
            dead,
            leaf,
            now,
        })
    }

    /// The case goes on as it was before.
    async fn restore(&self, tx: &mut Tx<'_>, before: &Before) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let text = if tx.is_postgres() {
            sql!(
                "SELECT summary, status FROM conversation WHERE tenant_id = $1 AND id = $2 AND key_id = $3 FOR UPDATE"
            )
        } else {
            sql!("SELECT summary, status FROM conversation WHERE tenant_id = $1 AND id = $2 AND key_id = $3")
        };
        let found = tx
            .query_opt(text, params![tenant, self.conversation, self.key.id()], |row| {
                Ok((row.bytes(0)?, row.name(1, ConversationStatus::parse)?))
            })
            .await?;
        let (summary, status) = found.ok_or(StoreError::Conflict)?;
        let newest = tx
            .query_one(
                sql!(
                    "SELECT no, created_at, kind FROM message WHERE tenant_id = $1 AND conversation_id = $2 AND id <> $3 \
                     ORDER BY no DESC LIMIT 1"
                ),
                params![tenant, self.conversation, self.message],
                |row| Ok((row.int(0)?, row.time(1)?, row.name(2, MessageKind::parse)?)),
            )
            .await?;
        // Something came meanwhile: the next plan knows of it.
        let (no, at, kind) = newest;
        if no != before.no {
            return Err(StoreError::Conflict);
        }
        if self.kind == MessageKind::Note {
            // It did nothing to the case but to be in it.
            return tx
                .execute_one(
                    sql!(
                        "UPDATE conversation SET message_count = message_count - 1, last_message_at = $3, \
                         last_message_kind = $4, version = version + 1 WHERE tenant_id = $1 AND id = $2"
                    ),
                    params![tenant, self.conversation, at, kind.as_str()],
                )
                .await;
        }
        let mut summary = Summary::unseal(&self.key, tenant, self.conversation, &summary)?;
        summary.preview.clone_from(&before.preview);
        let summary = summary.seal(&self.random, &self.key, tenant, self.conversation)?;
        // What it did to the status is undone, unless somebody has changed that since.
        let did = ActivityId(self.message.uuid());
        let moved = tx
            .query_opt(
                sql!(
                    "SELECT from_value, to_value FROM activity WHERE tenant_id = $1 AND conversation_id = $2 AND id = $3 \
                     AND kind = 'status'"
                ),
                params![tenant, self.conversation, did],
                |row| Ok((row.name(0, ConversationStatus::parse)?, row.name(1, ConversationStatus::parse)?)),
            )
            .await?;
        let back = moved.filter(|(_, to)| *to == status).map(|(from, _)| from);
        let next = back.unwrap_or(status);
        let waits = tx
            .query_one(
                sql!(
                    "SELECT min(created_at) FROM message WHERE tenant_id = $1 AND conversation_id = $2 AND kind = 'incoming' \
                     AND no > coalesce((SELECT max(no) FROM message WHERE tenant_id = $1 AND conversation_id = $2 \
                     AND kind = 'reply' AND id <> $3), 0)"
                ),
                params![tenant, self.conversation, self.message],
                |row| row.opt_time(0),
            )
            .await?;
        tx.execute_one(
            sql!(
                "UPDATE conversation SET status = $3, summary = $4, message_count = message_count - 1, \
                 last_message_at = $5, last_message_kind = $6, \
                 first_reply_at = CASE WHEN first_reply_at = $7 THEN NULL ELSE first_reply_at END, \
                 waiting_since = CASE WHEN $3 = 'open' THEN coalesce(waiting_since, $8) ELSE NULL END, \
                 resolved_at = CASE WHEN $3 = 'resolved' THEN resolved_at ELSE NULL END, version = version + 1 \
                 WHERE tenant_id = $1 AND id = $2"
            ),
            params![
                tenant,
                self.conversation,
                next.as_str(),
                &summary,
                at,
                kind.as_str(),
                self.written_at,
                waits.unwrap_or(self.now)
            ],
        )
        .await?;
        if back.is_some() {
            tx.execute(
                sql!("DELETE FROM activity WHERE tenant_id = $1 AND conversation_id = $2 AND id = $3"),
                params![tenant, self.conversation, did],
            )
            .await?;
        }
        let resolved = moved.is_some_and(|(_, to)| to == ConversationStatus::Resolved);
        self.count_back(tx, 0, i64::from(resolved && self.answers)).await
    }

    /// The case that began with it was never begun. Its contact stays: somebody may write to them again.
    async fn end_case(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!("DELETE FROM conversation WHERE tenant_id = $1 AND id = $2 AND message_count = 1"),
            params![tenant, self.conversation],
        )
        .await?;
        for text in [
            sql!("DELETE FROM thread WHERE tenant_id = $1 AND conversation_id = $2"),
            sql!("DELETE FROM activity WHERE tenant_id = $1 AND conversation_id = $2"),
        ] {
            tx.execute(text, params![tenant, self.conversation]).await?;
        }
        drafts::end_case(tx, self.conversation).await?;
        field_values::end_case(tx, self.conversation).await?;
        notifications::end_case(tx, self.conversation).await?;
        self.count_back(tx, 1, 0).await
    }

    async fn count_back(&self, tx: &mut Tx<'_>, cases: i64, resolved: i64) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!(
                "UPDATE statistic SET replies = replies - $4, conversations = conversations - $5, resolved = resolved - $6 \
                 WHERE tenant_id = $1 AND day = $2 AND channel_account_id = $3"
            ),
            params![tenant, self.written_at.day(), self.event.account, i64::from(self.answers), cases, resolved],
        )
        .await?;
        Ok(())
    }
}

impl Write for WithdrawMessage {
    type Out = ();
    const USE: Option<Use> = Some(Use::Answer);

    fn dead_keys(&self) -> &[KeyId] {
        &self.dead
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        // This row decides: who claims the job changes it, and finds it gone or keeps it.
        if self.kind == MessageKind::Reply {
            tx.execute_one(
                sql!(
                    "DELETE FROM job WHERE tenant_id = $1 AND subject_id = $2 AND kind = 'deliver' AND state = 'ready' \
                     AND fence = 0"
                ),
                params![tenant, self.message],
            )
            .await?;
        }
        match &self.before {
            Some(before) => self.restore(tx, before).await?,
            None => self.end_case(tx).await?,
        }
        tx.execute_one(
            sql!(
                "UPDATE message SET conversation_id = $3, thread_id = NULL, external_index = NULL, content = $4 \
                 WHERE tenant_id = $1 AND id = $2 AND author_id = $5 AND kind = $6 AND conversation_id <> $3"
            ),
            params![tenant, self.message, NO_CASE, &self.nothing, self.author, self.kind.as_str()],
        )
        .await?;
        tx.execute(
            sql!("DELETE FROM delivery WHERE tenant_id = $1 AND message_id = $2"),
            params![tenant, self.message],
        )
        .await?;
        if let Some(reference) = &self.reference {
            tx.execute(
                sql!("DELETE FROM message_reference WHERE tenant_id = $1 AND reference_index = $2"),
                params![tenant, reference],
            )
            .await?;
        }
        for file in &self.files {
            file.update(tx, self.author, self.now).await?;
        }
        if self.kind == MessageKind::Note {
            notifications::forget_message(tx, self.message, self.now).await?;
        }
        let leaves = i64::from(self.leaf.is_some());
        let numbers = counters::take(tx, Needs { events: 2, leaves, ..Needs::default() }).await?;
        if let Some(leaf) = &self.leaf {
            leaf.append(tx, numbers.leaf).await?;
        }
        self.event.append(tx, numbers.event).await?;
        let changed = Event { kind: EventKind::ConversationChanged, message: None, ..self.event };
        changed.append(tx, numbers.event + 1).await
    }
}
