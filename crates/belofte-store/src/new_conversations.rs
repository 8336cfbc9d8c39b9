// SPDX-License-Identifier: EUPL-1.2
//! Cases that the tenant begins: the first mail, its case, its contact and its deliveries in one write.
//!
//! As when a mail is filed, what the write stands on (whose address it is) is read before it, so that
//! everything is sealed outside the transaction; the write proves that nothing has changed.

use belofte_model::{
    ActivityId, AttachmentId, ChannelAccountId, ContactId, ConversationId, ConversationStatus, Duration,
    EventKind, JobId, JobKind, KeyClass, LedgerKind, MessageId, MessageKind, QueueId, ThreadId, Timestamp,
    Use, UserId,
};
use belofte_vault::DataKey;
use serde_json::json;
use uuid::Uuid;

use crate::access::actor_columns;
use crate::attachments::GoesAlong;
use crate::contacts::NewContact;
use crate::conversations::{Summary, insert_activity};
use crate::counters::{self, Needs};
use crate::deliveries::{NewDelivery, RecipientRole};
use crate::drafts::{self, DraftPlace};
use crate::engine::{params, sql};
use crate::events::Event;
use crate::filing::message_tokens;
use crate::filing_plan::{FilingPlan, FilingQuestion};
use crate::intake::{email_index, message_id_index};
use crate::jobs::NewJob;
use crate::keys::SealedKey;
use crate::messages::{Correspondent, MessageContent, NewMessage, insert_reference, insert_thread};
use crate::{Access, NewLeaf, Rows, Store, StoreError, TenantKeys, Tx, Write, replies};

/// A case that a user or program begins by writing to somebody.
pub struct NewConversation {
    /// The case.
    pub id: ConversationId,
    /// Its first message.
    pub message: MessageId,
    /// The account that it goes out through; the case begins in its queue.
    pub account: ChannelAccountId,
    /// What the message says.
    pub content: MessageContent,
    /// Its recipients, with their roles.
    pub recipients: Vec<(RecipientRole, Correspondent)>,
    /// Whom the case is with: one of the recipients.
    pub contact: Correspondent,
    /// The address of that contact in normalised form.
    pub contact_address: String,
    /// Uploaded files of the author, and files of other messages, of which copies go along.
    pub attachments: Vec<AttachmentId>,
    /// So long it can be taken back before it goes out.
    pub wait: Duration,
    /// The version of its author's draft that it was.
    pub draft: Option<i64>,
}

struct OpenCase {
    draft: Option<i64>,
    keys: Vec<SealedKey>,
    contact: Option<NewContact>,
    conversation: ConversationId,
    of: ContactId,
    queue: QueueId,
    account: ChannelAccountId,
    thread: ThreadId,
    reference: [u8; 16],
    summary: Vec<u8>,
    assignee: Option<UserId>,
    message: NewMessage,
    deliveries: Vec<NewDelivery>,
    attachments: Vec<GoesAlong>,
    job: NewJob,
    assigned: ActivityId,
    actor: (&'static str, Uuid),
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for OpenCase {
    type Out = i64;

    fn new_keys(&self) -> &[SealedKey] {
        &self.keys
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let tenant = tx.tenant();
        if let Some(contact) = &self.contact {
            contact.insert(tx).await?;
        }
        insert_thread(tx, self.thread, self.conversation, self.account, self.now).await?;
        insert_reference(tx, &self.reference, self.thread).await?;
        for (position, attachment) in self.attachments.iter().enumerate() {
            attachment.write(tx, self.message.id, position).await?;
        }
        for delivery in &self.deliveries {
            delivery.insert(tx, self.message.id, self.message.key, self.now).await?;
        }
        if let Some(version) = self.draft {
            drafts::sent(tx, self.message.author, DraftPlace::MAIL, version).await?;
        }
        self.job.enqueue(tx, self.now).await?;
        // Who began it stands here; that a case of the customer's began is seen by its first message.
        let id = ActivityId(self.message.id.uuid());
        insert_activity(tx, self.conversation, id, "created", self.actor, None, None, self.now).await?;
        if let Some(user) = self.assignee {
            let to = user.to_string();
            let (case, id, actor) = (self.conversation, self.assigned, self.actor);
            insert_activity(tx, case, id, "assigned", actor, None, Some(&to), self.now).await?;
        }
        tx.late_sum(
            sql!(
                "INSERT INTO statistic (tenant_id, day, channel_account_id, received, resolved, conversations, replies) \
                 VALUES ($1, $2, $3, 0, 0, $4, $5) ON CONFLICT (tenant_id, day, channel_account_id) DO UPDATE SET \
                 conversations = statistic.conversations + excluded.conversations, \
                 replies = statistic.replies + excluded.replies"
            ),
            params![tenant, self.now.day(), self.account, 1_i64, 1_i64],
            2,
        )
        .await?;
        let numbers = counters::take(tx, Needs { events: 2, leaves: 1, cases: 1 }).await?;
        tx.late(
            sql!(
                "INSERT INTO conversation (tenant_id, id, no, status, contact_id, queue_id, channel_account_id, assignee_id, \
                 summary, key_id, message_count, last_message_at, last_message_kind, unread, delivery_problem, waiting_since, \
                 first_reply_at, resolved_at, created_at, version) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, 0, 0, NULL, NULL, NULL, $11, 1)"
            ),
            params![
                tenant,
                self.conversation,
                numbers.case,
                ConversationStatus::Waiting.as_str(),
                self.of,
                self.queue,
                self.account,
                self.assignee,
                &self.summary,
                self.message.key,
                self.now,
                self.message.kind.as_str()
            ],
            Rows::Any,
        )
        .await?;
        let no = numbers.event + 1;
        self.message.insert(tx, no).await?;
        self.leaf.append(tx, numbers.leaf).await?;
        let about = Event {
            conversation: Some(self.conversation),
            account: Some(self.account),
            queue: Some(self.queue),
            ..Event::new(EventKind::ConversationCreated, self.now)
        };
        about.append(tx, numbers.event).await?;
        let event = Event { kind: EventKind::MessageCreated, message: Some(self.message.id), ..about };
        event.append(tx, no).await?;
        Ok(no)
    }
}

/// A write that cannot come through after so many plans is the machine's problem, not the writer's.
const PLANS: usize = 24;

impl Store {
    /// Begins a case with a mail of the tenant's: queued for its recipients, waiting for their answer, and
    /// given to the user who writes. The contact is found by its address, or made.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an account, a queue of it or a file that this access cannot see,
    /// [`StoreError::Conflict`] when others change all the time what it stands on.
    pub async fn open_conversation(&self, access: &Access, new: &NewConversation) -> Result<(), StoreError> {
        access.to(Use::Answer)?;
        let keys = self.keys(access).await?;
        let (tokens, words) = message_tokens(&keys, &new.content);
        for _ in 0..PLANS {
            let own = new.content.message_id.as_deref();
            let own = own.ok_or(StoreError::Inconsistent { what: "a mail without an identifier" })?;
            let question = FilingQuestion {
                account: new.account,
                external: message_id_index(&keys, own),
                author: email_index(&keys, &new.contact_address),
                related: Vec::new(),
                reply_thread: None,
            };
            let reference = question.external;
            let plan = self.filing_plan(access, question).await?;
            let write = self.prepare_case(access, &keys, new, reference, plan).await?;
            let contact = write.of;
            match self.write(access, write).await {
                Ok(no) => {
                    self.index_later(access.tenant(), no, tokens, contact, words);
                    return Ok(());
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    async fn prepare_case(
        &self,
        access: &Access,
        keys: &TenantKeys,
        new: &NewConversation,
        reference: [u8; 16],
        plan: FilingPlan,
    ) -> Result<OpenCase, StoreError> {
        let (tenant, now, random) = (access.tenant(), access.clock().now(), self.random());
        let queue = plan.queue.ok_or(StoreError::NotFound)?;
        // Nobody begins what they could not read afterwards.
        if !access.visible().sees_case(queue, new.account) {
            return Err(StoreError::NotFound);
        }
        let mut minted = Vec::new();
        let contact = if plan.contact.is_none() {
            let key = keys.mint(random, KeyClass::Contact, None, 0, now);
            let index = email_index(keys, &new.contact_address);
            let Correspondent { name, address } = &new.contact;
            let address = [(address.clone(), index)];
            let contact = NewContact::seal((None, now), random, tenant, &key.key, name, &address)?;
            minted.push(SealedKey { owner: Some(contact.id.uuid()), ..key });
            Some(contact)
        } else {
            None
        };
        let of = plan.contact.or_else(|| contact.as_ref().map(|contact| contact.id));
        let of = of.ok_or(StoreError::Inconsistent { what: "a case without a contact" })?;
        let sealed = keys.mint(random, KeyClass::Conversation, Some(new.id.uuid()), 0, now);
        let key: DataKey = sealed.key.clone();
        minted.push(sealed);
        let summary = Summary {
            subject: new.content.subject.clone(),
            preview: Summary::preview_of(&new.content.text),
            name: new.contact.name.clone(),
            address: new.contact.address.clone(),
        };
        let mut deliveries = Vec::with_capacity(new.recipients.len());
        for (role, recipient) in &new.recipients {
            deliveries.push(NewDelivery::seal(random, &key, tenant, *role, recipient, now, new.wait)?);
        }
        let made: Vec<String> =
            minted.iter().map(|key| format!("{}:{}", key.class.as_str(), key.key.id())).collect();
        let none: [String; 0] = [];
        let detail = json!({ "message": new.message, "made": made, "destroyed": none });
        let (author_kind, author) = replies::author(access)?;
        let thread = ThreadId::new(now, random.bytes());
        Ok(OpenCase {
            draft: new.draft,
            contact,
            conversation: new.id,
            of,
            queue,
            account: new.account,
            thread,
            reference,
            summary: summary.seal(random, &key, tenant, new.id)?,
            assignee: access.user(),
            message: NewMessage {
                id: new.message,
                conversation: new.id,
                thread: Some(thread),
                account: Some(new.account),
                kind: MessageKind::Reply,
                author_kind,
                author,
                external: Some(reference),
                content: new.content.seal(random, &key, tenant, new.message)?,
                key: key.id(),
                source: None,
                created_at: now,
                sent_at: Some(now),
            },
            deliveries,
            attachments: self.bind(access, &new.attachments, new.content.html.as_deref(), &key).await?,
            job: NewJob {
                id: JobId::new(now, random.bytes()),
                kind: JobKind::Deliver,
                subject: new.message.uuid(),
                run_at: now + new.wait,
                lease: None,
            },
            assigned: ActivityId::new(now, random.bytes()),
            actor: actor_columns(access.actor()),
            leaf: NewLeaf::new(access, keys, random, LedgerKind::Keys, detail)?,
            keys: minted,
            now,
        })
    }
}
