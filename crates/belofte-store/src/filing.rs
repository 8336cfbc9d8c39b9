// SPDX-License-Identifier: EUPL-1.2
//! Filing: a received mail becomes a message of a conversation, in one write.
//!
//! What the write needs to know (is it a copy, who wrote it, which thread does it belong to) is
//! read before, so that everything can be sealed outside the transaction. The write proves that
//! nothing of it has changed; otherwise it is a [`StoreError::Conflict`], and the caller plans
//! again.
//!
//! A mail comes from the door, stored nowhere yet, or from the spool, where it was made durable when
//! it could not be filed at once. The write is the same but for its source.

use belofte_model::{
    ActivityId, AuthorKind, ChannelAccountId, ContactId, ConversationId, ConversationStatus, EventKind,
    Incoming, IntakeId, KeyClass, KeyId, LedgerKind, MessageId, MessageKind, NotificationId,
    NotificationKind, QueueId, ThreadId, Timestamp, Use, on_incoming,
};
use belofte_vault::{DataKey, MessageWords, TokenField, Tokens};
use serde_json::json;

use crate::access::ClaimedJob;
use crate::attachments::{NewAttachment, NewFile};
use crate::blob_rows::{Rewrap, SealedBlob};
use crate::contacts::NewContact;
use crate::conversation_changes::follow_message;
use crate::conversations::{Summary, insert_activity};
use crate::counters::{self, Needs};
use crate::delivery_reports::DeliveryReport;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::filing_plan::{FilingPlan, FilingQuestion};
use crate::intake::{Arrival, IntakeSource, email_index, message_id_index};
use crate::keys::SealedKey;
use crate::messages::{MessageContent, NewMessage, insert_reference, insert_thread};
use crate::notifications::{self, News, Standing};
use crate::{Access, NewLeaf, Rows, Store, StoreError, TenantKeys, Tx, Write};

/// A mail as it is to be filed.
pub struct IncomingMail {
    /// What it says.
    pub content: MessageContent,
    /// Its author's address in normalised form.
    pub author: String,
    /// The identifier by which copies are recognised: the Message-ID, or a hash of the content
    /// where there is none.
    pub external_id: String,
    /// Identifiers of mails that it speaks of, nearest first.
    pub related: Vec<String>,
    /// The thread named by a signed reply address whose signature was verified.
    pub reply_thread: Option<ThreadId>,
    /// Whether a person or a machine wrote it.
    pub incoming: Incoming,
    /// Its files.
    pub files: Vec<NewFile>,
    /// When its sender says that it was written.
    pub sent_at: Option<Timestamp>,
    /// What it reports of a message of ours.
    pub report: Option<DeliveryReport>,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filed {
    /// It is a message now.
    Message {
        /// The message.
        message: MessageId,
        /// Its case.
        conversation: ConversationId,
        /// Its number.
        no: i64,
        /// Whether the case began with it.
        opened: bool,
    },
    /// Nothing was done: this message has the same identifier. A copy of it ends with
    /// [`Store::file_copy`]; whatever says something else is filed under another identifier.
    Known(MessageId),
    /// It was erased before, and stays so.
    Erased,
}

/// The case of a message: a new one, or one that goes on.
enum Case {
    New { conversation: ConversationId, queue: QueueId, contact: ContactId },
    Known { conversation: ConversationId, queue: QueueId, version: i64, before: ConversationStatus },
}

/// What stands in the place of what the transport said, once a mail is filed: that is needed to file
/// it and not kept any longer.
const NO_ENVELOPE: &[u8] = &[];

/// From where a mail is filed.
#[derive(Clone, Copy)]
enum From<'a> {
    /// From the spool, where it was made durable before.
    Spool { job: &'a ClaimedJob, source: &'a IntakeSource },
    /// From the door: this write is its first.
    Door(&'a Arrival),
}

impl From<'_> {
    const fn account(self) -> ChannelAccountId {
        match self {
            Self::Spool { source, .. } => source.account,
            Self::Door(arrival) => arrival.account,
        }
    }
}

/// How the source of a mail comes into its conversation.
enum Origin {
    /// It lies in the spool: its job ends, its key is wrapped anew, its spool key dies.
    Spool { job: ClaimedJob, intake: IntakeId, source: Rewrap },
    /// It comes with this write.
    Door { intake: IntakeId, at: Timestamp, source: SealedBlob },
}

struct File {
    origin: Origin,
    account: ChannelAccountId,
    keys: Vec<SealedKey>,
    dead: Vec<KeyId>,
    contact: Option<NewContact>,
    case: Case,
    thread: ThreadId,
    new_thread: bool,
    summary: Vec<u8>,
    status: ConversationStatus,
    message: NewMessage,
    references: Vec<[u8; 16]>,
    attachments: Vec<NewAttachment>,
    leaf: NewLeaf,
    report: Option<DeliveryReport>,
    /// Told to whose case it is.
    news: Option<(News, Standing)>,
    now: Timestamp,
}

impl Write for File {
    type Out = i64;

    fn new_keys(&self) -> &[SealedKey] {
        &self.keys
    }

    fn dead_keys(&self) -> &[KeyId] {
        &self.dead
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let tenant = tx.tenant();
        if let Origin::Spool { job, .. } = &self.origin {
            crate::jobs::finish(tx, job).await?;
        }
        if let Some(contact) = &self.contact {
            contact.insert(tx).await?;
        }
        let (conversation, queue) = match self.case {
            Case::New { conversation, queue, .. } | Case::Known { conversation, queue, .. } => {
                (conversation, queue)
            }
        };
        if self.new_thread {
            insert_thread(tx, self.thread, conversation, self.account, self.now).await?;
        }
        for reference in &self.references {
            insert_reference(tx, reference, self.thread).await?;
        }
        for (position, attachment) in self.attachments.iter().enumerate() {
            attachment.insert(tx, Some(self.message.id), position).await?;
        }
        match &self.origin {
            Origin::Spool { intake, source, .. } => {
                source.update(tx).await?;
                tx.late(
                    sql!(
                        "UPDATE intake SET state = 'imported', reason = NULL, envelope = $5, key_id = $6, \
                         processed_at = $3, message_id = $4 WHERE tenant_id = $1 AND id = $2 AND state = 'received'"
                    ),
                    params![tenant, *intake, self.now, self.message.id, NO_ENVELOPE, self.message.key],
                    Rows::One,
                )
                .await?;
            }
            Origin::Door { intake, at, source } => {
                source.insert(tx, *at).await?;
                tx.late(
                    sql!(
                        "INSERT INTO intake (tenant_id, id, account_id, state, reason, blob_id, envelope, key_id, \
                         size_bytes, received_at, processed_at, retried_at, message_id) \
                         VALUES ($1, $2, $3, 'imported', NULL, $4, $5, $6, $7, $8, $9, NULL, $10)"
                    ),
                    params![
                        tenant,
                        *intake,
                        self.account,
                        source.id,
                        NO_ENVELOPE,
                        self.message.key,
                        source.size,
                        *at,
                        self.now,
                        self.message.id
                    ],
                    Rows::Any,
                )
                .await?;
            }
        }
        let opened = matches!(self.case, Case::New { .. });
        count(tx, self.now, self.account, opened).await?;

        let reports = i64::from(self.report.is_some());
        let told = i64::from(self.news.is_some());
        let needs =
            Needs { events: 1 + i64::from(opened) + reports + told, leaves: 1, cases: i64::from(opened) };
        let numbers = counters::take(tx, needs).await?;
        let no = numbers.event + i64::from(opened);
        match self.case {
            Case::New { contact, .. } => {
                self.open_case(tx, conversation, queue, contact, numbers.case).await?
            }
            Case::Known { version, before, .. } => {
                self.continue_case(tx, conversation, version, before).await?
            }
        }
        // A conflict when somebody filed a copy since the plan was made.
        self.message.insert(tx, no).await?;
        self.leaf.append(tx, numbers.leaf).await?;
        let about = Event {
            conversation: Some(conversation),
            account: Some(self.account),
            queue: Some(queue),
            ..Event::new(EventKind::ConversationCreated, self.now)
        };
        if opened {
            about.append(tx, numbers.event).await?;
        }
        let event = Event { kind: EventKind::MessageCreated, message: Some(self.message.id), ..about };
        event.append(tx, no).await?;
        if let Some((news, standing)) = &self.news {
            notifications::tell(tx, news, *standing, no + 1 + reports).await?;
        }
        if let Some(report) = &self.report {
            report.apply(tx, no + 1).await?;
        }
        Ok(no)
    }
}

impl File {
    async fn open_case(
        &self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        queue: QueueId,
        contact: ContactId,
        no: i64,
    ) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let waiting = (self.status == ConversationStatus::Open).then_some(self.now);
        tx.late(
            sql!(
                "INSERT INTO conversation (tenant_id, id, no, status, contact_id, queue_id, channel_account_id, assignee_id, \
                 summary, key_id, message_count, last_message_at, last_message_kind, unread, delivery_problem, waiting_since, \
                 first_reply_at, resolved_at, created_at, version, placed_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, $8, $9, 1, $10, $11, 1, 0, $12, NULL, NULL, $10, 1, $10)"
            ),
            params![
                tenant,
                conversation,
                no,
                self.status.as_str(),
                contact,
                queue,
                self.account,
                &self.summary,
                self.message.key,
                self.now,
                self.message.kind.as_str(),
                waiting
            ],
            Rows::Any,
        )
        .await
    }

    async fn continue_case(
        &self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        version: i64,
        before: ConversationStatus,
    ) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.late(
            sql!(
                "UPDATE conversation SET status = $4, summary = $5, message_count = message_count + 1, \
                 last_message_at = $6, placed_at = $6, last_message_kind = $7, unread = 1, \
                 snoozed_until = CASE WHEN $4 = 'snoozed' THEN snoozed_until ELSE NULL END, \
                 woken_at = CASE WHEN $7 = 'incoming' THEN NULL ELSE woken_at END, \
                 waiting_since = CASE WHEN $4 = 'open' THEN coalesce(waiting_since, $6) ELSE waiting_since END, \
                 resolved_at = CASE WHEN $4 = 'resolved' THEN resolved_at ELSE NULL END, version = version + 1 \
                 WHERE tenant_id = $1 AND id = $2 AND version = $3"
            ),
            params![
                tenant,
                conversation,
                version,
                self.status.as_str(),
                &self.summary,
                self.now,
                self.message.kind.as_str()
            ],
            Rows::One,
        )
        .await?;
        follow_message(tx, conversation, before, self.status, self.now).await?;
        if before != self.status {
            let actor = ("channel", self.account.uuid());
            // Named after its message, so that trying again writes the same row.
            let id = ActivityId(self.message.id.uuid());
            let (from, to) = (Some(before.as_str()), Some(self.status.as_str()));
            insert_activity(tx, conversation, id, "status", actor, from, to, self.now).await?;
        }
        Ok(())
    }
}

/// Counts a received message, and a case when it opened one, without a person.
async fn count(
    tx: &mut Tx<'_>,
    now: Timestamp,
    account: ChannelAccountId,
    opened: bool,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.late_sum(
        sql!(
            "INSERT INTO statistic (tenant_id, day, channel_account_id, replies, resolved, received, conversations) \
             VALUES ($1, $2, $3, 0, 0, $4, $5) ON CONFLICT (tenant_id, day, channel_account_id) DO UPDATE SET \
             received = statistic.received + excluded.received, \
             conversations = statistic.conversations + excluded.conversations"
        ),
        params![tenant, now.day(), account, 1_i64, opened],
        2,
    )
    .await
}

/// Why a mail becomes no message of its own.
enum Instead {
    Duplicate(MessageId),
    Erased,
}

/// A write that cannot come through after so many plans is the machine's problem, not the mail's.
const PLANS: usize = 24;

/// A mail at the door is planned again so often; after that it takes the way over the spool, where
/// its sender need not wait.
const PLANS_AT_DOOR: usize = 4;

impl Store {
    /// Files a received mail, planning again as often as others change what it stands on.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the lease of `job` was lost, and the engine's errors.
    pub async fn file(
        &self,
        access: &Access,
        job: &ClaimedJob,
        source: &IntakeSource,
        mail: &IncomingMail,
    ) -> Result<Filed, StoreError> {
        access.to(Use::Receive)?;
        let from = From::Spool { job, source };
        match self.plan_and_write(access, from, mail, PLANS).await? {
            Ok(filed) => Ok(filed),
            Err(Instead::Duplicate(message)) => Ok(Filed::Known(message)),
            Err(Instead::Erased) => {
                // The message id of what was erased is gone with it; the intake names itself.
                self.file_copy(access, job, source, MessageId(source.id.uuid())).await?;
                Ok(Filed::Erased)
            }
        }
    }

    /// Ends the filing of a mail that is a copy of `message`; its source is destroyed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the lease of `job` was lost, and the engine's errors.
    pub async fn file_copy(
        &self,
        access: &Access,
        job: &ClaimedJob,
        source: &IntakeSource,
        message: MessageId,
    ) -> Result<(), StoreError> {
        access.to(Use::Receive)?;
        let now = access.clock().now();
        self.write(access, crate::FileDuplicate::prepare(job.clone(), source, message, now)).await
    }

    /// Files a mail that is stored nowhere yet, in one write: when this answers
    /// [`Filed::Message`], the mail is durable and may be acknowledged. `None` is for what this
    /// way does not do, with nothing stored: a copy, what was erased, and a mail whose
    /// conversation others change faster than it can be planned. Those go over the spool.
    ///
    /// # Errors
    /// [`StoreError::Full`] and the engine's errors; nothing is stored then.
    pub async fn file_at_door(
        &self,
        access: &Access,
        arrival: &Arrival,
        mail: &IncomingMail,
    ) -> Result<Option<Filed>, StoreError> {
        access.to(Use::Receive)?;
        match self.plan_and_write(access, From::Door(arrival), mail, PLANS_AT_DOOR).await {
            Ok(Ok(filed)) => Ok(Some(filed)),
            Ok(Err(_)) | Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn plan_and_write(
        &self,
        access: &Access,
        from: From<'_>,
        mail: &IncomingMail,
        plans: usize,
    ) -> Result<Result<Filed, Instead>, StoreError> {
        let keys = self.keys(access).await?;
        let external = message_id_index(&keys, &mail.external_id);
        let (tokens, words) = message_tokens(&keys, &mail.content);
        for _ in 0..plans {
            let question = FilingQuestion {
                account: from.account(),
                external,
                author: email_index(&keys, &mail.author),
                related: mail.related.iter().take(20).map(|id| message_id_index(&keys, id)).collect(),
                reply_thread: mail.reply_thread,
            };
            let plan = self.filing_plan(access, question).await?;
            if let Some(message) = plan.duplicate {
                return Ok(Err(Instead::Duplicate(message)));
            }
            if plan.erased {
                return Ok(Err(Instead::Erased));
            }
            let known = plan.thread.as_ref().map(|thread| thread.contact);
            let write = self.prepare_file(access, &keys, from, mail, external, plan).await?;
            let contact = match write.case {
                Case::New { contact, .. } => contact,
                Case::Known { .. } => {
                    known.ok_or(StoreError::Inconsistent { what: "a case without a contact" })?
                }
            };
            let (message, conversation) = (write.message.id, write.message.conversation);
            let opened = matches!(write.case, Case::New { .. });
            match self.write(access, write).await {
                Ok(no) => {
                    self.index_later(access.tenant(), no, tokens, contact, words);
                    return Ok(Ok(Filed::Message { message, conversation, no, opened }));
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    async fn prepare_file(
        &self,
        access: &Access,
        keys: &TenantKeys,
        from: From<'_>,
        mail: &IncomingMail,
        external: [u8; 16],
        plan: FilingPlan,
    ) -> Result<File, StoreError> {
        let (tenant, now, random) = (access.tenant(), access.clock().now(), self.random());
        let queue = plan.queue.ok_or(StoreError::NotFound)?;
        let mut minted = Vec::new();
        let author = plan.contact;
        let contact = if author.is_none() {
            let key = keys.mint(random, KeyClass::Contact, None, 0, now);
            let index = email_index(keys, &mail.author);
            let from = &mail.content.from;
            let address = [(from.address.clone(), index)];
            let contact = NewContact::seal((None, now), random, tenant, &key.key, &from.name, &address)?;
            let key = SealedKey { owner: Some(contact.id.uuid()), ..key };
            minted.push(key);
            Some(contact)
        } else {
            None
        };
        let author = author.or_else(|| contact.as_ref().map(|contact| contact.id));
        let author = author.ok_or(StoreError::Inconsistent { what: "a mail without an author" })?;

        let message = MessageId::new(now, random.bytes());
        // A mail to another account of the tenant continues the case in a thread of its own.
        let same_account = plan.thread.as_ref().is_some_and(|known| known.account == from.account());
        let (case, key, status, mut summary): (Case, DataKey, ConversationStatus, Summary) =
            match &plan.thread {
                Some(known) => {
                    let key = self.key(tenant, known.key).await?;
                    let summary = Summary::unseal(&key, tenant, known.conversation, &known.summary)?;
                    let case = Case::Known {
                        conversation: known.conversation,
                        queue: known.queue,
                        version: known.version,
                        before: known.status,
                    };
                    (case, key, on_incoming(known.status, mail.incoming), summary)
                }
                None => {
                    let conversation = ConversationId::new(now, random.bytes());
                    let key = keys.mint(random, KeyClass::Conversation, Some(conversation.uuid()), 0, now);
                    let data_key = key.key.clone();
                    minted.push(key);
                    let summary = Summary {
                        subject: mail.content.subject.clone(),
                        name: mail.content.from.name.clone(),
                        address: mail.content.from.address.clone(),
                        ..Summary::default()
                    };
                    let case = Case::New { conversation, queue, contact: author };
                    (case, data_key, ConversationStatus::Open, summary)
                }
            };
        let conversation = match case {
            Case::New { conversation, .. } | Case::Known { conversation, .. } => conversation,
        };
        summary.preview = Summary::preview_of(&mail.content.text);
        let news = plan.thread.as_ref().filter(|_| mail.incoming == Incoming::Person).and_then(|known| {
            let place = (known.queue, known.case_account);
            let (user, standing) =
                notifications::customer_wrote(known.assignee, known.standing, place, from.account())?;
            let news = News {
                id: NotificationId::new(now, random.bytes()),
                user,
                kind: NotificationKind::CustomerMessage,
                conversation: known.conversation,
                message: Some(message),
                by: None,
                at: now,
            };
            Some((news, standing))
        });
        let (thread, new_thread) = match &plan.thread {
            Some(known) if same_account => (known.thread, false),
            _ => (ThreadId::new(now, random.bytes()), true),
        };
        let mut attachments = Vec::with_capacity(mail.files.len());
        for file in &mail.files {
            attachments.push(NewAttachment::seal(self, access, &key, file.clone()).await?);
        }
        let mut destroyed = Vec::new();
        let (origin, source_blob) = match from {
            From::Spool { job, source } => {
                let spool = self.key(tenant, source.key).await?;
                let rewrap = source.blob.rewrap(self, tenant, &spool, &key)?;
                destroyed.push(source.key);
                (Origin::Spool { job: job.clone(), intake: source.id, source: rewrap }, source.blob.id)
            }
            From::Door(arrival) => {
                let bound = arrival.blob.bind(self, tenant, &key);
                let blob = bound.id;
                (Origin::Door { intake: arrival.intake, at: arrival.at, source: bound }, blob)
            }
        };
        let mut references = vec![external];
        for id in mail.related.iter().take(20) {
            let index = message_id_index(keys, id);
            if !references.contains(&index) {
                references.push(index);
            }
        }
        let names = |keys: &[SealedKey]| -> Vec<String> {
            keys.iter().map(|key| format!("{}:{}", key.class.as_str(), key.key.id())).collect()
        };
        let gone: Vec<String> = destroyed.iter().map(|key| format!("spool:{key}")).collect();
        let detail = json!({ "message": message, "made": names(&minted), "destroyed": gone });
        let leaf = NewLeaf::new(access, keys, random, LedgerKind::Keys, detail)?;
        let kind = match mail.incoming {
            Incoming::Person => MessageKind::Incoming,
            Incoming::Automatic => MessageKind::Automatic,
        };
        Ok(File {
            origin,
            account: from.account(),
            dead: destroyed,
            contact,
            thread,
            new_thread,
            summary: summary.seal(random, &key, tenant, conversation)?,
            status,
            message: NewMessage {
                id: message,
                conversation,
                thread: Some(thread),
                account: Some(from.account()),
                kind,
                author_kind: AuthorKind::Contact,
                author: author.uuid(),
                external: Some(external),
                content: mail.content.seal(random, &key, tenant, message)?,
                key: key.id(),
                source: Some(source_blob),
                created_at: now,
                sent_at: mail.sent_at,
            },
            case,
            references,
            attachments,
            leaf,
            report: mail.report.clone(),
            news,
            keys: minted,
            now,
        })
    }
}

/// The search tokens of a message, and its words for the lexicon.
pub(crate) fn message_tokens(keys: &TenantKeys, content: &MessageContent) -> (Tokens, MessageWords) {
    let (own, quoted) =
        content.quoted_from.and_then(|at| content.text.split_at_checked(at)).unwrap_or((&content.text, ""));
    let mut parts: Vec<(TokenField, &str)> = vec![
        (TokenField::Body, own),
        (TokenField::Quoted, quoted),
        (TokenField::Subject, &content.subject),
        (TokenField::Name, &content.from.name),
        (TokenField::Address, &content.from.address),
    ];
    for other in content.to.iter().chain(&content.cc) {
        parts.push((TokenField::Name, &other.name));
        parts.push((TokenField::Address, &other.address));
    }
    keys.search.tokens_and_words(&parts)
}
