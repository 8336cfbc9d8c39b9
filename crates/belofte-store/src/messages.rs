// SPDX-License-Identifier: EUPL-1.2
//! Messages: what was said, sealed under the key of its conversation.

use std::collections::HashMap;

use belofte_model::{
    AttachmentId, AuthorKind, BlobId, ChannelAccountId, ConversationId, DeliveryState, Invitation, KeyId,
    MailAuthentication, MailCover, MailSort, MessageId, MessageKind, TenantId, ThreadId, Timestamp, Use,
    UserId,
};
use belofte_vault::{DataKey, Random, SealContext};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::data_map::columns;
use crate::deliveries::Delivery;
use crate::engine::{params, sql};
use crate::visibility::{self, Mask};
use crate::{Access, Read, Row, Rows, Store, StoreError, Tx};

/// Somebody with an address, as a message names them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correspondent {
    /// The name that came with it; may be empty.
    pub name: String,
    /// The address or number.
    pub address: String,
}

/// Personal: shows only that it is one.
impl std::fmt::Debug for Correspondent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Correspondent(..)")
    }
}

/// A user who is named in a note: who, and where in its text the name stands that they had then, with its `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// The user.
    pub user: UserId,
    /// Where it begins, in octets.
    pub from: usize,
    /// Where it ends, in octets.
    pub to: usize,
}

/// What a message says. Sealed as one value.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageContent {
    /// The subject; empty for notes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The author as the message names them.
    pub from: Correspondent,
    /// The recipients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Correspondent>,
    /// The recipients of a copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<Correspondent>,
    /// Where answers should go, if not to the author.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reply_to: Vec<Correspondent>,
    /// The text; always there.
    pub text: String,
    /// Sanitised markup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Where quoted history begins, in octets of `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted_from: Option<usize>,
    /// Whether remote images were taken out of the markup.
    #[serde(default)]
    pub has_remote_images: bool,
    /// The identifier of the mail (RFC 5322, section 3.6.4), without angle brackets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The identifiers that it refers to, root first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// What was found out about its sender when it came. It stands beside the words, so that erasing them erases
    /// it, and no column tells whose mails fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<MailAuthentication>,
    /// What sort of mail it is, where it is no letter of one person to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<MailSort>,
    /// Whether it is signed or encrypted, as far as its form tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<MailCover>,
    /// The appointment that it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Box<Invitation>>,
    /// Who is named in it, of a note, in the order of the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
}

impl std::fmt::Debug for MessageContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MessageContent(..)")
    }
}

impl MessageContent {
    pub(crate) fn seal(
        &self,
        random: &Random,
        key: &DataKey,
        tenant: belofte_model::TenantId,
        message: MessageId,
    ) -> Result<Vec<u8>, StoreError> {
        let context = SealContext { tenant, column: columns::MESSAGE_CONTENT, row: message.uuid() };
        Ok(key.seal(random, &context, &to_json(self)?))
    }
}

/// Plain types always have a JSON form; a failure would be a defect, told without the value.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| StoreError::Inconsistent { what: "a value without a JSON form" })
}

pub(crate) fn from_json<T: for<'de> Deserialize<'de>>(
    bytes: &[u8],
    what: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Inconsistent { what })
}

/// A message row, still sealed, before it is stored.
pub(crate) struct NewMessage {
    pub(crate) id: MessageId,
    pub(crate) conversation: ConversationId,
    pub(crate) thread: Option<ThreadId>,
    pub(crate) account: Option<ChannelAccountId>,
    pub(crate) kind: MessageKind,
    pub(crate) author_kind: AuthorKind,
    pub(crate) author: Uuid,
    pub(crate) external: Option<[u8; 16]>,
    pub(crate) content: Vec<u8>,
    pub(crate) key: KeyId,
    pub(crate) source: Option<BlobId>,
    pub(crate) created_at: Timestamp,
    pub(crate) sent_at: Option<Timestamp>,
}

pub(crate) const fn author_name(kind: AuthorKind) -> &'static str {
    match kind {
        AuthorKind::Contact => "contact",
        AuthorKind::User => "user",
        AuthorKind::ApiKey => "api_key",
    }
}

fn parse_author(name: &str) -> Option<AuthorKind> {
    [AuthorKind::Contact, AuthorKind::User, AuthorKind::ApiKey]
        .into_iter()
        .find(|kind| author_name(*kind) == name)
}

impl NewMessage {
    /// Stores the message as number `no`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when this account has a message with the same identifier already,
    /// which may come out only after the body has ended.
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, no: i64) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.late(
            sql!(
                "INSERT INTO message (tenant_id, id, no, conversation_id, thread_id, channel_account_id, kind, \
                 author_kind, author_id, external_index, content, key_id, source_blob_id, created_at, sent_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING"
            ),
            params![
                tenant,
                self.id,
                no,
                self.conversation,
                self.thread,
                self.account,
                self.kind.as_str(),
                author_name(self.author_kind),
                self.author,
                self.external.as_ref(),
                &self.content,
                self.key,
                self.source,
                self.created_at,
                self.sent_at
            ],
            Rows::One,
        )
        .await
    }
}

/// Opens a run of messages through an account.
pub(crate) async fn insert_thread(
    tx: &mut Tx<'_>,
    thread: ThreadId,
    conversation: ConversationId,
    account: ChannelAccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.late(
        sql!(
            "INSERT INTO thread (tenant_id, id, conversation_id, channel_account_id, created_at) \
             VALUES ($1, $2, $3, $4, $5)"
        ),
        params![tenant, thread, conversation, account, now],
        Rows::Any,
    )
    .await
}

/// Remembers that a Message-ID (by its blind index) speaks of a thread.
pub(crate) async fn insert_reference(
    tx: &mut Tx<'_>,
    reference: &[u8; 16],
    thread: ThreadId,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.late(
        sql!(
            "INSERT INTO message_reference (tenant_id, reference_index, thread_id) VALUES ($1, $2, $3) \
             ON CONFLICT DO NOTHING"
        ),
        params![tenant, reference, thread],
        Rows::Any,
    )
    .await
}

/// A file of a message.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// The file.
    pub id: AttachmentId,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its length in bytes.
    pub size: u64,
    /// Whether the markup shows it in its place.
    pub inline: bool,
    /// The identifier by which the markup names it.
    pub content_id: Option<String>,
}

/// A message, unsealed.
#[derive(Clone, Debug)]
pub struct Message {
    /// The message.
    pub id: MessageId,
    /// Its number, which is that of its live event.
    pub no: i64,
    /// The case.
    pub conversation: ConversationId,
    /// The run of messages in one channel.
    pub thread: Option<ThreadId>,
    /// The account through which it came or goes.
    pub account: Option<ChannelAccountId>,
    /// What it is.
    pub kind: MessageKind,
    /// Who wrote it.
    pub author_kind: AuthorKind,
    /// The contact, user or key.
    pub author: Uuid,
    /// What it says.
    pub content: MessageContent,
    /// Its files.
    pub attachments: Vec<Attachment>,
    /// Where it stands with each recipient.
    pub deliveries: Vec<Delivery>,
    /// Whether its source was kept.
    pub source: Option<BlobId>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When its sender wrote it, as far as known.
    pub sent_at: Option<Timestamp>,
}

impl Message {
    /// Whether any recipient has not got it.
    #[must_use]
    pub fn has_delivery_problem(&self) -> bool {
        self.deliveries
            .iter()
            .any(|delivery| matches!(delivery.state, DeliveryState::Failed | DeliveryState::Unknown))
    }
}

pub(crate) struct SealedMessage {
    pub(crate) message: Message,
    content: Vec<u8>,
    pub(crate) key: KeyId,
}

impl SealedMessage {
    /// The message, opened with its key; without files and deliveries.
    pub(crate) fn unseal(mut self, tenant: TenantId, key: &DataKey) -> Result<Message, StoreError> {
        let context = SealContext { tenant, column: columns::MESSAGE_CONTENT, row: self.message.id.uuid() };
        let opened = key.open_in_place(&context, &mut self.content)?;
        self.message.content = from_json(opened, "message.content")?;
        Ok(self.message)
    }
}

fn sealed_message(row: &Row<'_>) -> Result<SealedMessage, StoreError> {
    sealed_message_at(row, 0)
}

/// A message whose columns begin at `base`.
pub(crate) fn sealed_message_at(row: &Row<'_>, base: usize) -> Result<SealedMessage, StoreError> {
    Ok(SealedMessage {
        message: Message {
            id: row.id(base)?,
            no: row.int(base + 1)?,
            conversation: row.id(base + 2)?,
            thread: row.opt_id(base + 3)?,
            account: row.opt_id(base + 4)?,
            kind: row.name(base + 5, MessageKind::parse)?,
            author_kind: row.name(base + 6, parse_author)?,
            author: row.uuid(base + 7)?,
            content: MessageContent::default(),
            attachments: Vec::new(),
            deliveries: Vec::new(),
            source: row.opt_id(base + 10)?,
            created_at: row.time(base + 11)?,
            sent_at: row.opt_time(base + 12)?,
        },
        content: row.bytes(base + 8)?,
        key: row.id(base + 9)?,
    })
}

pub(crate) struct SealedAttachment {
    pub(crate) id: AttachmentId,
    pub(crate) message: Option<MessageId>,
    pub(crate) meta: Vec<u8>,
    pub(crate) key: KeyId,
    pub(crate) media_type: String,
    pub(crate) size: u64,
    pub(crate) inline: bool,
}

pub(crate) fn sealed_attachment(row: &Row<'_>) -> Result<SealedAttachment, StoreError> {
    Ok(SealedAttachment {
        id: row.id(0)?,
        message: row.opt_id(1)?,
        meta: row.bytes(2)?,
        key: row.id(3)?,
        media_type: row.text(4)?,
        size: u64::try_from(row.int(5)?).unwrap_or(0),
        inline: row.bool(6)?,
    })
}

/// Which messages are asked for.
enum Which {
    Conversation { id: ConversationId, before: Option<i64>, limit: i64 },
    One(MessageId),
    Numbers(Vec<i64>),
}

struct SealedMessages {
    which: Which,
    /// Accounts whose messages can be seen; the queue of the conversation is checked with it.
    access: Access,
    with_parts: bool,
}

struct Parts {
    messages: Vec<SealedMessage>,
    attachments: Vec<SealedAttachment>,
    deliveries: Vec<crate::deliveries::SealedDelivery>,
}

impl Read for SealedMessages {
    type Out = Parts;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Parts, StoreError> {
        let tenant = tx.tenant();
        let mut messages = match &self.which {
            Which::Conversation { id, before, limit } => {
                tx.query(
                    sql!(
                        "SELECT id, no, conversation_id, thread_id, channel_account_id, kind, author_kind, author_id, \
                         content, key_id, source_blob_id, created_at, sent_at FROM message \
                         WHERE tenant_id = $1 AND conversation_id = $2 AND no < $3 ORDER BY no DESC LIMIT $4"
                    ),
                    params![tenant, *id, before.unwrap_or(i64::MAX), *limit],
                    sealed_message,
                )
                .await?
            }
            Which::One(id) => {
                tx.query(
                    sql!(
                        "SELECT id, no, conversation_id, thread_id, channel_account_id, kind, author_kind, author_id, \
                         content, key_id, source_blob_id, created_at, sent_at FROM message \
                         WHERE tenant_id = $1 AND id = $2 AND conversation_id <> $3"
                    ),
                    // One that was taken back belongs to no case.
                    params![tenant, *id, Uuid::nil()],
                    sealed_message,
                )
                .await?
            }
            Which::Numbers(numbers) => {
                tx.query_each(
                    sql!(
                        "SELECT id, no, conversation_id, thread_id, channel_account_id, kind, author_kind, author_id, \
                         content, key_id, source_blob_id, created_at, sent_at FROM message \
                         WHERE tenant_id = $1 AND no = $2"
                    ),
                    numbers.iter().map(|no| [tenant.into(), (*no).into()]).collect(),
                    sealed_message,
                )
                .await?
            }
        };
        let visible = self.access.visible();
        if !visible.sees_all_cases() {
            let mut cases: HashMap<ConversationId, bool> = HashMap::new();
            let mut seen = Vec::with_capacity(messages.len());
            for message in messages {
                let id = message.message.conversation;
                let case = match cases.get(&id) {
                    Some(known) => *known,
                    None => visibility::sees_case(tx, visible, id).await?,
                };
                cases.insert(id, case);
                if case && visible.sees_message(message.message.account) {
                    seen.push(message);
                }
            }
            messages = seen;
        }
        let (mut attachments, mut deliveries) = (Vec::new(), Vec::new());
        if self.with_parts {
            for message in &messages {
                attachments.extend(
                    tx.query(
                        sql!(
                            "SELECT id, message_id, meta, key_id, media_type, size_bytes, inline FROM attachment \
                             WHERE tenant_id = $1 AND message_id = $2 ORDER BY position"
                        ),
                        params![tenant, message.message.id],
                        sealed_attachment,
                    )
                    .await?,
                );
                if message.message.kind == MessageKind::Reply {
                    deliveries.extend(crate::deliveries::of_message(tx, message.message.id).await?);
                }
            }
        }
        Ok(Parts { messages, attachments, deliveries })
    }
}

struct KeyOf(MessageId);

impl Read for KeyOf {
    type Out = Option<KeyId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let text = sql!("SELECT key_id FROM message WHERE tenant_id = $1 AND id = $2");
        tx.query_opt(text, params![tenant, self.0], |row| row.id(0)).await
    }
}

/// So many messages of a conversation are looked at for its participants.
const PARTICIPANTS: i64 = 100;

impl Store {
    /// A page of a conversation's messages, oldest first: the `limit` newest below number `before`.
    ///
    /// # Errors
    /// [`StoreError::KeyGone`] when they were erased, and the engine's errors.
    pub async fn messages(
        &self,
        access: &Access,
        conversation: ConversationId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        access.to(Use::ReadMessage)?;
        let which = Which::Conversation { id: conversation, before, limit: i64::from(limit) };
        let mask = Some(Mask::of(access.visible()));
        let mut messages = self.unsealed(access, which, true, mask).await?;
        messages.reverse();
        Ok(messages)
    }

    /// One message.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it does not exist for this access, and as [`Store::messages`].
    pub async fn message(&self, access: &Access, id: MessageId) -> Result<Message, StoreError> {
        access.to(Use::ReadMessage)?;
        let mask = Some(Mask::of(access.visible()));
        self.unsealed(access, Which::One(id), true, mask).await?.pop().ok_or(StoreError::NotFound)
    }

    /// A message that is answered: whom the answer goes to is known to the machine also when who
    /// writes it cannot see addresses. Not to be shown.
    ///
    /// # Errors
    /// As [`Store::message`].
    pub async fn message_to_answer(&self, access: &Access, id: MessageId) -> Result<Message, StoreError> {
        access.to(Use::Answer)?;
        self.unsealed(access, Which::One(id), false, None).await?.pop().ok_or(StoreError::NotFound)
    }

    /// The mail that a message came as. Nobody can take a name or an address out of its bytes, so
    /// who does not see those does not see it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the message does not exist for this access or was not kept as
    /// it came, and [`StoreError::KeyGone`] when it was erased.
    pub async fn message_source(&self, access: &Access, id: MessageId) -> Result<Vec<u8>, StoreError> {
        access.to(Use::ReadSource)?;
        if !Mask::of(access.visible()).shows_sources() {
            return Err(StoreError::NotFound);
        }
        let which = SealedMessages { which: Which::One(id), access: access.clone(), with_parts: false };
        let message = self.read(access, which).await?.messages.pop().ok_or(StoreError::NotFound)?;
        self.blob(access, message.message.source.ok_or(StoreError::NotFound)?).await
    }

    /// Messages by their numbers, in the order given, whole, for the index; those that are gone are
    /// left out.
    pub(crate) async fn messages_by_number(
        &self,
        access: &Access,
        numbers: Vec<i64>,
    ) -> Result<Vec<Message>, StoreError> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        self.unsealed(access, Which::Numbers(numbers), false, None).await
    }

    /// Who wrote in a conversation and to whom, newest first and each address once, of its newest
    /// hundred messages. A person's latest name wins over none.
    ///
    /// # Errors
    /// As [`Store::messages`].
    pub async fn participants(
        &self,
        access: &Access,
        conversation: ConversationId,
    ) -> Result<Vec<Correspondent>, StoreError> {
        access.to(Use::Look)?;
        let which = Which::Conversation { id: conversation, before: None, limit: PARTICIPANTS };
        let mut people: Vec<Correspondent> = Vec::new();
        let mask = Some(Mask::of(access.visible()));
        for message in self.unsealed(access, which, false, mask).await? {
            let content = message.content;
            for person in std::iter::once(content.from).chain(content.to).chain(content.cc) {
                let same = |known: &&mut Correspondent| known.address.eq_ignore_ascii_case(&person.address);
                match people.iter_mut().find(same) {
                    Some(known) if known.name.is_empty() => known.name = person.name,
                    Some(_) => {}
                    None if person.address.is_empty() => {}
                    None => people.push(person),
                }
            }
        }
        Ok(people)
    }

    /// The key that a message and what belongs to it are sealed under, for who has seen that it can be seen.
    pub(crate) async fn message_key(&self, access: &Access, id: MessageId) -> Result<DataKey, StoreError> {
        let key = self.read(access, KeyOf(id)).await?.ok_or(StoreError::NotFound)?;
        self.key(access.tenant(), key).await
    }

    async fn unsealed(
        &self,
        access: &Access,
        which: Which,
        with_parts: bool,
        mask: Option<Mask>,
    ) -> Result<Vec<Message>, StoreError> {
        let tenant = access.tenant();
        // One by one a message that was erased is told to be; among many it is left out, so that
        // neither the index nor a search stops at it.
        let skips = matches!(which, Which::Numbers(_));
        let parts = self.read(access, SealedMessages { which, access: access.clone(), with_parts }).await?;
        let needed = parts.messages.iter().map(|message| message.key).collect();
        let keys = self.keys_by_id(tenant, needed).await?;
        let mut out = Vec::with_capacity(parts.messages.len());
        for sealed in parts.messages {
            let key = match keys.get(&sealed.key) {
                Some(key) => key,
                None if skips => continue,
                None => return Err(StoreError::KeyGone(sealed.key)),
            };
            let mut message = sealed.unseal(tenant, key)?;
            for attachment in parts.attachments.iter().filter(|part| part.message == Some(message.id)) {
                message.attachments.push(crate::attachments::unseal(tenant, key, attachment)?);
            }
            for delivery in parts.deliveries.iter().filter(|part| part.message == message.id) {
                message.deliveries.push(delivery.unseal(tenant, key)?);
            }
            if let Some(mask) = mask {
                mask.message(&mut message);
            }
            out.push(message);
        }
        Ok(out)
    }
}
