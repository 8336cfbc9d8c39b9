// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about conversations.

use belofte_model::{
    ActivityId, AttachmentId, ChannelAccountId, ChannelKind, ContactId, ConversationId, ConversationStatus,
    MessageId, MessageKind, QueueId, TagId, ThreadId, UserId,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::contacts::Contact;
use crate::api::messages::Naming;
use crate::api::queues::Queue;
use crate::api::schema;
use crate::api::serde_help::present;
use crate::api::tags::TagRef;
use crate::api::time::Time;
use crate::api::users::UserRef;

/// One row of the inbox.
#[derive(Serialize, ToSchema)]
pub struct ConversationRow {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: ConversationId,
    /// The number of the case within the tenant.
    pub no: i64,
    /// Where it stands.
    #[schema(value_type = schema::ConversationStatus)]
    pub status: ConversationStatus,
    /// With whom.
    pub contact: ContactRef,
    /// The subject of its first message.
    pub subject: String,
    /// The first words of its latest message.
    pub preview: String,
    /// How its latest message came or went.
    #[schema(value_type = schema::ChannelKind)]
    pub channel: ChannelKind,
    /// The account of its latest message.
    #[schema(value_type = Uuid)]
    pub channel_account_id: ChannelAccountId,
    /// The queue it lies in.
    pub queue: Queue,
    /// Who answers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<UserRef>,
    /// Whether something came that the asking user has not seen.
    pub unread: bool,
    /// How many messages and notes it holds.
    pub message_count: i64,
    /// When the latest message came or went.
    pub last_message_at: Time,
    /// What the latest message is.
    #[schema(value_type = schema::MessageKind)]
    pub last_message_kind: MessageKind,
    /// When it began.
    pub created_at: Time,
    /// Since when the customer waits for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Time>,
    /// Goes up by one with each change; send it along to notice a change by somebody else.
    pub version: i64,
    /// Whether a reply did not reach somebody.
    pub delivery_problem: bool,
    /// Its place in the lists: when its latest message came or went, or when it came back.
    pub placed_at: Time,
    /// When it comes back, while it is put off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Time>,
    /// When it came back, until somebody answers it or it stands elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub woken_at: Option<Time>,
    /// Its tags, by name.
    pub tags: Vec<TagRef>,
}

/// A person, shortly.
#[derive(Serialize, ToSchema)]
pub struct ContactRef {
    /// Their id.
    #[schema(value_type = Uuid)]
    pub id: ContactId,
    /// Their name; empty where it is not known.
    pub name: String,
    /// The address that they last wrote from.
    pub address: String,
}

/// A name and an address.
#[derive(Clone, Serialize, ToSchema)]
pub struct Mailbox {
    /// The name; empty where there is none.
    pub name: String,
    /// The address.
    pub address: String,
}

impl From<belofte_store::Correspondent> for Mailbox {
    fn from(person: belofte_store::Correspondent) -> Self {
        Self { name: person.name, address: person.address }
    }
}

/// A run of messages in one channel.
#[derive(Serialize, ToSchema)]
pub struct Thread {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: ThreadId,
    /// The kind of channel.
    #[schema(value_type = schema::ChannelKind)]
    pub channel: ChannelKind,
    /// The account.
    #[schema(value_type = Uuid)]
    pub channel_account_id: ChannelAccountId,
}

/// A conversation, opened: the row of the inbox with the whole person, and what is around it.
#[derive(Serialize, ToSchema)]
pub struct Conversation {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: ConversationId,
    /// The number of the case within the tenant.
    pub no: i64,
    /// Where it stands.
    #[schema(value_type = schema::ConversationStatus)]
    pub status: ConversationStatus,
    /// With whom, with all their identities.
    pub contact: Contact,
    /// The subject of its first message.
    pub subject: String,
    /// The first words of its latest message.
    pub preview: String,
    /// How its latest message came or went.
    #[schema(value_type = schema::ChannelKind)]
    pub channel: ChannelKind,
    /// The account of its latest message.
    #[schema(value_type = Uuid)]
    pub channel_account_id: ChannelAccountId,
    /// The queue it lies in.
    pub queue: Queue,
    /// Who answers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<UserRef>,
    /// Whether something came that the asking user has not seen.
    pub unread: bool,
    /// How many messages and notes it holds.
    pub message_count: i64,
    /// When the latest message came or went.
    pub last_message_at: Time,
    /// What the latest message is.
    #[schema(value_type = schema::MessageKind)]
    pub last_message_kind: MessageKind,
    /// When it began.
    pub created_at: Time,
    /// Since when the customer waits for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Time>,
    /// Goes up by one with each change; send it along to notice a change by somebody else.
    pub version: i64,
    /// Whether a reply did not reach somebody.
    pub delivery_problem: bool,
    /// Its place in the lists: when its latest message came or went, or when it came back.
    pub placed_at: Time,
    /// When it comes back, while it is put off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Time>,
    /// When it came back, until somebody answers it or it stands elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub woken_at: Option<Time>,
    /// Its tags, by name.
    pub tags: Vec<TagRef>,
    /// The account that answers go out through, of one that was moved to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub answers_from: Option<ChannelAccountId>,
    /// Everybody who wrote or was written to.
    pub participants: Vec<Mailbox>,
    /// The runs of messages, one per channel and account.
    pub threads: Vec<Thread>,
    /// Other conversations with the same person, newest first; at most ten.
    pub other_conversations: Vec<ConversationRow>,
}

impl Conversation {
    /// Opens `row`: its short contact gives way to the whole one.
    #[must_use]
    pub fn open(
        row: ConversationRow,
        contact: Contact,
        answers_from: Option<ChannelAccountId>,
        participants: Vec<Mailbox>,
        threads: Vec<Thread>,
        other_conversations: Vec<ConversationRow>,
    ) -> Self {
        Self {
            id: row.id,
            no: row.no,
            status: row.status,
            contact,
            subject: row.subject,
            preview: row.preview,
            channel: row.channel,
            channel_account_id: row.channel_account_id,
            queue: row.queue,
            assignee: row.assignee,
            unread: row.unread,
            message_count: row.message_count,
            last_message_at: row.last_message_at,
            last_message_kind: row.last_message_kind,
            created_at: row.created_at,
            waiting_since: row.waiting_since,
            version: row.version,
            delivery_problem: row.delivery_problem,
            placed_at: row.placed_at,
            snoozed_until: row.snoozed_until,
            woken_at: row.woken_at,
            tags: row.tags,
            answers_from,
            participants,
            threads,
            other_conversations,
        }
    }
}

/// Which conversations to list, and from where.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListConversations {
    /// Which status; all without it.
    #[serde(default)]
    #[param(inline)]
    pub status: StatusFilter,
    /// Whose: `me`, `none`, `any` or the id of a user; `any` without it.
    #[serde(default)]
    #[param(value_type = Option<String>, pattern = "^(me|none|any|[0-9a-fA-F-]{36})$")]
    pub assignee: AssigneeFilter,
    /// Only this queue.
    #[serde(default)]
    #[param(value_type = Option<Uuid>)]
    pub queue: Option<QueueId>,
    /// Only with this tag.
    #[serde(default)]
    #[param(value_type = Option<Uuid>)]
    pub tag: Option<TagId>,
    /// Where the page before ended.
    #[serde(default)]
    #[param(max_length = 200)]
    pub cursor: Option<String>,
    /// How many at most; 50 without it.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// Which status a list is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusFilter {
    /// Every status.
    #[default]
    All,
    /// Somebody of the tenant has to act.
    Open,
    /// The customer may act.
    Waiting,
    /// Put off until a moment that somebody chose.
    Snoozed,
    /// Done.
    Resolved,
}

impl From<Option<ConversationStatus>> for StatusFilter {
    fn from(status: Option<ConversationStatus>) -> Self {
        match status {
            None => Self::All,
            Some(ConversationStatus::Open) => Self::Open,
            Some(ConversationStatus::Waiting) => Self::Waiting,
            Some(ConversationStatus::Snoozed) => Self::Snoozed,
            Some(ConversationStatus::Resolved) => Self::Resolved,
        }
    }
}

impl StatusFilter {
    /// The one status to list; `None` is all of them.
    #[must_use]
    pub const fn status(self) -> Option<ConversationStatus> {
        match self {
            Self::All => None,
            Self::Open => Some(ConversationStatus::Open),
            Self::Waiting => Some(ConversationStatus::Waiting),
            Self::Snoozed => Some(ConversationStatus::Snoozed),
            Self::Resolved => Some(ConversationStatus::Resolved),
        }
    }
}

/// Whose conversations a list is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssigneeFilter {
    /// Anybody's and nobody's.
    #[default]
    Any,
    /// The asking user's.
    Me,
    /// Nobody's.
    Nobody,
    /// This user's.
    User(UserId),
}

impl Serialize for AssigneeFilter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str("any"),
            Self::Me => serializer.serialize_str("me"),
            Self::Nobody => serializer.serialize_str("none"),
            Self::User(user) => serializer.collect_str(user),
        }
    }
}

impl<'de> Deserialize<'de> for AssigneeFilter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "any" => Self::Any,
            "me" => Self::Me,
            "none" => Self::Nobody,
            id => {
                Self::User(id.parse().map_err(|_| {
                    serde::de::Error::custom("neither `me`, `none`, `any` nor the id of a user")
                })?)
            }
        })
    }
}

/// A page of the inbox.
#[derive(Serialize, ToSchema)]
pub struct ConversationPage {
    /// The latest message, or what came back last, first.
    pub items: Vec<ConversationRow>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The numbers in the rail.
#[derive(Serialize, ToSchema)]
pub struct ConversationCounts {
    /// Open.
    pub open: i64,
    /// Open and the asking user's.
    pub mine: i64,
    /// Open and nobody's.
    pub unassigned: i64,
    /// Waiting for the customer.
    pub waiting: i64,
    /// Put off.
    pub snoozed: i64,
    /// Resolved.
    pub resolved: i64,
}

/// Changes of a conversation; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateConversation {
    /// Where it stands.
    #[serde(default)]
    #[schema(value_type = Option<schema::ConversationStatus>)]
    pub status: Option<ConversationStatus>,
    /// Who answers it; null is nobody.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    pub assignee_id: Option<Option<UserId>>,
    /// The queue it lies in.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub queue_id: Option<QueueId>,
    /// The account that it goes on in: answers go out through it from now on. It lies in the queue of that
    /// account then, unless `queue_id` names another.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub channel_account_id: Option<ChannelAccountId>,
    /// When it comes back by itself; with the status `snoozed`, and only with that.
    #[serde(default)]
    pub snoozed_until: Option<Time>,
    /// Tags that it is to have.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 20)]
    pub add_tag_ids: Vec<TagId>,
    /// Tags that it is not to have.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 20)]
    pub remove_tag_ids: Vec<TagId>,
    /// The version that the change was made on; a later one is a conflict.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Changes of many conversations.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateConversations {
    /// Each with its own change, which may be the same for all.
    #[schema(min_items = 1, max_items = 200)]
    pub items: Vec<UpdateOne>,
}

/// The change of one of many conversations.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateOne {
    /// Which one.
    #[schema(value_type = Uuid)]
    pub id: ConversationId,
    /// What is to become of it.
    pub change: UpdateConversation,
}

/// What became of each.
#[derive(Serialize, ToSchema)]
pub struct UpdatedConversations {
    /// In the order in which they were asked for.
    pub items: Vec<UpdatedOne>,
}

/// What became of one of many conversations.
#[derive(Serialize, ToSchema)]
pub struct UpdatedOne {
    /// Which one.
    #[schema(value_type = Uuid)]
    pub id: ConversationId,
    /// What became of it.
    pub outcome: UpdateOutcome,
    /// Its version now, where it is as was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// What becomes of one of many conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateOutcome {
    /// It is changed.
    Changed,
    /// It was as was asked for already.
    Unchanged,
    /// It does not exist, or is not seen.
    NotFound,
    /// Somebody else changed it first.
    Conflict,
}

/// Which messages to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListMessages {
    /// The cursor of the page after: older messages come.
    #[serde(default)]
    #[param(max_length = 200)]
    pub before: Option<String>,
    /// How many at most; 50 without it.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// A reply, a note, or a message to pass on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateMessage {
    /// Which of them.
    pub kind: CreateMessageKind,
    /// The words. Made of the mark-up when empty; neither is needed where files go with it.
    #[serde(default)]
    #[schema(max_length = 200_000)]
    pub text: String,
    /// The same with mark-up; it is sanitised. An image whose address is `cid:`, the id of one of the files
    /// and `@inline` shows that file.
    #[serde(default)]
    #[schema(max_length = 1_000_000)]
    pub html: Option<String>,
    /// To whom, each an address or a name with the address in angle brackets; without it a reply goes to
    /// the author of the message that it answers. At most 50 recipients in all.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub to: Option<Vec<String>>,
    /// Who gets a copy.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub cc: Option<Vec<String>>,
    /// Who gets a copy that no other recipient knows of.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub bcc: Option<Vec<String>>,
    /// The message that is answered or passed on; the newest of the customer without it.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub answers_id: Option<MessageId>,
    /// The account that it goes out through; the one that the answered message came through without it.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub account_id: Option<ChannelAccountId>,
    /// The files that go with it, uploaded before.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 50)]
    pub attachment_ids: Vec<AttachmentId>,
    /// Files of messages, of which copies go with it.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 50)]
    pub copied_attachment_ids: Vec<AttachmentId>,
    /// So many seconds it waits before it goes out, and can be taken back; it goes at once without them.
    #[serde(default)]
    #[schema(maximum = 60)]
    pub undo_seconds: Option<u32>,
    /// Whether the case is done with it.
    #[serde(default)]
    pub resolve: bool,
    /// The newest message that its writer has seen. A reply is refused when a colleague's went out after it,
    /// and goes out when it is sent again with that one.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub seen_message_id: Option<MessageId>,
    /// The version of the draft that it was; that draft is gone once it is sent.
    #[serde(default)]
    pub draft_version: Option<i64>,
    /// The colleagues who are named in a note, in the order of its text. They are told, except for its writer. Each
    /// has to be one of those who can be named in the conversation.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub mentions: Vec<Naming>,
}

/// The colleagues who can be named in a note.
#[derive(Serialize, ToSchema)]
pub struct Mentionable {
    /// By name.
    pub items: Vec<UserRef>,
}

/// A mail that begins a conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateConversation {
    /// The account that it goes out through; the conversation begins in its queue.
    #[schema(value_type = Uuid)]
    pub account_id: ChannelAccountId,
    /// To whom, each an address or a name with the address in angle brackets; the conversation is with the
    /// first. At most 50 recipients in all.
    #[schema(min_items = 1, max_items = 50)]
    pub to: Vec<String>,
    /// Who gets a copy.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub cc: Option<Vec<String>>,
    /// Who gets a copy that no other recipient knows of.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub bcc: Option<Vec<String>>,
    /// What it is about.
    #[schema(min_length = 1, max_length = 500)]
    pub subject: String,
    /// The words. Made of the mark-up when empty; neither is needed where files go with it.
    #[serde(default)]
    #[schema(max_length = 200_000)]
    pub text: String,
    /// The same with mark-up; it is sanitised. An image whose address is `cid:`, the id of one of the files
    /// and `@inline` shows that file.
    #[serde(default)]
    #[schema(max_length = 1_000_000)]
    pub html: Option<String>,
    /// The files that go with it, uploaded before.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 50)]
    pub attachment_ids: Vec<AttachmentId>,
    /// Files of messages, of which copies go with it.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 50)]
    pub copied_attachment_ids: Vec<AttachmentId>,
    /// So many seconds it waits before it goes out, and can be taken back; it goes at once without them.
    #[serde(default)]
    #[schema(maximum = 60)]
    pub undo_seconds: Option<u32>,
    /// The version of the draft that it was; that draft is gone once it is sent.
    #[serde(default)]
    pub draft_version: Option<i64>,
}

/// What an agent can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreateMessageKind {
    /// The customer gets it.
    Reply,
    /// Others get it; the customer waits as before.
    Forward,
    /// The customer never sees it.
    Note,
}

/// What happened to a conversation.
#[derive(Serialize, ToSchema)]
pub struct ActivityList {
    /// Oldest first.
    pub items: Vec<Activity>,
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
pub struct Activity {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: ActivityId,
    /// What.
    pub kind: ActivityKind,
    /// Who did it.
    pub actor: ActivityActor,
    /// When.
    pub at: Time,
    /// What it was before: a status, the state of a delivery, the name of a user, queue or tag, an address,
    /// or the number of another conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The kinds of things that happen to a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// It began.
    Created,
    /// Somebody got it.
    Assigned,
    /// Nobody has it any more.
    Unassigned,
    /// It stands elsewhere.
    Status,
    /// It lies in another queue.
    Queue,
    /// It was put off; `to` is the moment.
    Snoozed,
    /// It came back by itself.
    Woken,
    /// It got a tag.
    Tagged,
    /// It lost a tag.
    Untagged,
    /// A mail system reported of an answer: `failed` or `delayed`.
    Delivery,
    /// It goes on in another account; `from` and `to` are addresses.
    Account,
    /// Another conversation became part of it; `from` is its number.
    Merged,
    /// It was part of another one, or another one of it; `from` is the number of that.
    Unmerged,
    /// Messages were taken out of it; `to` is the number of the conversation that they are now.
    Split,
    /// It was taken out of another one; `from` is the number of that.
    SplitFrom,
    /// What was taken out of it was put back; `from` is the number that it had.
    Unsplit,
    /// Another one was put beside it; `to` is its number.
    Linked,
    /// Another one stands beside it no more; `from` is its number.
    Unlinked,
    /// Somebody looked.
    Viewed,
}

/// Who did something.
#[derive(Serialize, ToSchema)]
pub struct ActivityActor {
    /// What they are.
    pub kind: ActorKind,
    /// Their name; empty for the system.
    pub name: String,
}

/// What somebody who acts is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A user of the tenant.
    User,
    /// A program of the tenant.
    ApiKey,
    /// The customer, through a channel.
    Contact,
    /// Background work or the installation itself.
    System,
    /// Somebody of the operator.
    Operator,
}
