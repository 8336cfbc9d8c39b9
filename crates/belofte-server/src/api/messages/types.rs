// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about messages.

use belofte_model::{
    AuthorKind, ConversationId, DeliveryId, DeliveryState, MailCover, MailSort, MessageId, MessageKind,
    ThreadId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Appointment, Authentication, ImagesFor, Mention};
use crate::api::attachments::Attachment;
use crate::api::conversations::Mailbox;
use crate::api::schema;
use crate::api::time::Time;

/// A message or a note.
#[derive(Serialize, ToSchema)]
pub struct Message {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: MessageId,
    /// Its number within the tenant; later messages have higher ones.
    pub no: i64,
    /// The conversation it belongs to.
    #[schema(value_type = Uuid)]
    pub conversation_id: ConversationId,
    /// The thread it belongs to; a note has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub thread_id: Option<ThreadId>,
    /// What it is.
    #[schema(value_type = schema::MessageKind)]
    pub kind: MessageKind,
    /// Who wrote it.
    pub author: Author,
    /// Its subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// To whom.
    pub to: Vec<Mailbox>,
    /// Who got a copy.
    pub cc: Vec<Mailbox>,
    /// Where answers should go, when not to the author.
    pub reply_to: Vec<Mailbox>,
    /// The words, always there.
    pub text: String,
    /// The same with mark-up, sanitised; remote images stand in `data-remote-src`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Where in `text` the quoted history begins, in UTF-16 units as JavaScript counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_from: Option<u32>,
    /// Where in what stands before the quoted history of an incoming `text` the signature begins, in UTF-16 units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_from: Option<u32>,
    /// Whether showing everything would ask other servers for pictures.
    pub has_remote_images: bool,
    /// The files that came or go with it.
    pub attachments: Vec<Attachment>,
    /// How it goes with each recipient.
    pub deliveries: Vec<Delivery>,
    /// When it was written or came.
    pub created_at: Time,
    /// When it was sent: what came, as its sender says; a reply, when its last recipient had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Time>,
    /// Whether the mail as it came or went is kept.
    pub source_available: bool,
    /// What was found out about who sent it; absent for what did not come as a mail, or came before that was
    /// found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// What sort of mail it is; absent for a letter of one person to another.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::MailSort>)]
    pub sort: Option<MailSort>,
    /// Whether it is signed or encrypted, as far as its form tells. Nothing of it was checked or opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::MailCover>)]
    pub cover: Option<MailCover>,
    /// The appointment that it speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Appointment>,
    /// For whom it was chosen that the remote images of its author are shown without asking; absent when they are
    /// to be asked for, and for a mail that the author's domain disowns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_images_for: Option<ImagesFor>,
    /// The colleagues who are named in it, of a note.
    pub mentions: Vec<Mention>,
    /// Until when its writer can take it back, of a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<Time>,
}

/// Who wrote a message.
#[derive(Serialize, ToSchema)]
pub struct Author {
    /// What they are.
    #[schema(value_type = AuthorKindName)]
    pub kind: AuthorKind,
    /// The id of the contact, user or key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Their name.
    pub name: String,
    /// Their address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What an author is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AuthorKind)]
pub enum AuthorKindName {
    /// The customer.
    Contact,
    /// A user of the tenant.
    User,
    /// A program of the tenant.
    ApiKey,
}

/// How it goes with one recipient.
#[derive(Serialize, ToSchema)]
pub struct Delivery {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: DeliveryId,
    /// To whom.
    pub recipient: Mailbox,
    /// In which place of the header.
    pub role: RecipientRole,
    /// Where it stands.
    #[schema(value_type = schema::DeliveryState)]
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it will be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<Time>,
    /// Why it failed or waits: a stable code with words in the catalogue; `delayed` for what was sent
    /// and, by the report of a server on the way, is not delivered yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the other server said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_reply: Option<String>,
    /// When it last changed.
    pub updated_at: Time,
    /// When the recipient reported it as spam, by the word of their provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complained_at: Option<Time>,
}

/// A place in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecipientRole {
    /// `To`.
    To,
    /// `Cc`.
    Cc,
    /// In no header.
    Bcc,
}

/// A page of messages.
#[derive(Serialize, ToSchema)]
pub struct MessagePage {
    /// Oldest first.
    pub items: Vec<Message>,
    /// The cursor of the older page; absent on the oldest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Which deliveries to try again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryMessage {
    /// Only these; without it all that failed or are unknown.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 200)]
    pub delivery_ids: Option<Vec<DeliveryId>>,
}
