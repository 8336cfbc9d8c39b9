// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about drafts.

use belofte_model::{AttachmentId, ChannelAccountId, ConversationId, DraftKind, MessageId};
use belofte_store::{self as store, Correspondent, DraftWay as Way};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::attachments::Attachment;
use crate::api::conversations::ConversationRow;
use crate::api::messages::{Naming, mentions};
use crate::api::schema;
use crate::api::time::Time;
use crate::http::{self, Checks, FieldCode};

/// The longest text, in characters; also of what is passed on.
const TEXT: usize = 200_000;
/// The longest markup, in octets.
const HTML: usize = 1_000_000;
/// The longest subject, in characters.
const SUBJECT: usize = 500;
/// The longest name or address, in characters; one may be half of one.
const PERSON: usize = 1_000;
/// The most people in one field, and the most files.
const MANY: usize = 50;

/// How a reply goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DraftWay {
    /// To the customer.
    #[default]
    Reply,
    /// To everybody.
    All,
    /// To somebody else.
    Forward,
}

/// Somebody to write to, as far as they were entered.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftPerson {
    /// The name.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub name: String,
    /// The address; not looked at before the mail is sent.
    #[schema(max_length = 1000)]
    pub address: String,
}

/// What is written so far. Nothing of it is looked at before it is sent.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftContent {
    /// The words.
    #[serde(default)]
    #[schema(max_length = 200_000)]
    pub text: String,
    /// The same with mark-up, as it was written. Only its writer gets it back, and it is sanitised when it is
    /// sent, not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1_000_000)]
    pub html: Option<String>,
    /// How it goes out.
    #[serde(default)]
    #[schema(value_type = Option<DraftWay>)]
    pub way: DraftWay,
    /// The message that it answers or passes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub answers_id: Option<MessageId>,
    /// To whom, when that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 50)]
    pub to: Option<Vec<DraftPerson>>,
    /// Who gets a copy, when that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 50)]
    pub cc: Option<Vec<DraftPerson>>,
    /// Who gets a copy that no other recipient knows of.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub bcc: Vec<DraftPerson>,
    /// The subject of a mail that begins a conversation.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub subject: String,
    /// The account that it goes out through, when that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub account_id: Option<ChannelAccountId>,
    /// Whether the signature is left out.
    #[serde(default)]
    pub unsigned: bool,
    /// What is passed on, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200_000)]
    pub quoted: Option<String>,
    /// Uploads that go along; they are kept for as long as the draft names them.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 50)]
    pub attachment_ids: Vec<AttachmentId>,
    /// Files of messages of which copies go along.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 50)]
    pub copied_attachment_ids: Vec<AttachmentId>,
    /// The colleagues who are named in a note, in the order of its text; what does not stand in it is left out.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub mentions: Vec<Naming>,
}

fn short(checks: &mut Checks, text: &str, field: &str, most: usize) {
    // As many octets hold no more characters: most are not counted.
    let fits = text.len() <= most || text.chars().count() <= most;
    checks.that(fits, &format!("content.{field}"), FieldCode::TooLong);
}

impl DraftContent {
    /// What is kept of it.
    ///
    /// # Errors
    /// [`http::Code::Invalid`] with the field that is too long.
    pub fn checked(self) -> http::Answer<store::DraftContent> {
        let mut checks = Checks::default();
        short(&mut checks, &self.text, "text", TEXT);
        short(&mut checks, self.quoted.as_deref().unwrap_or_default(), "quoted", TEXT);
        short(&mut checks, &self.subject, "subject", SUBJECT);
        let markup = self.html.as_ref().is_none_or(|html| html.len() <= HTML);
        checks.that(markup, "content.html", FieldCode::TooLong);
        for (field, files) in
            [("attachment_ids", &self.attachment_ids), ("copied_attachment_ids", &self.copied_attachment_ids)]
        {
            checks.that(files.len() <= MANY, &format!("content.{field}"), FieldCode::TooLong);
        }
        let none = Vec::new();
        let people = [
            ("to", self.to.as_ref().unwrap_or(&none)),
            ("cc", self.cc.as_ref().unwrap_or(&none)),
            ("bcc", &self.bcc),
        ];
        for (field, people) in people {
            let fits = people.len() <= MANY
                && people
                    .iter()
                    .flat_map(|person| [&person.name, &person.address])
                    .all(|text| text.chars().count() <= PERSON);
            checks.that(fits, &format!("content.{field}"), FieldCode::TooLong);
        }
        checks.done()?;
        let people = |people: Vec<DraftPerson>| {
            people
                .into_iter()
                .map(|DraftPerson { name, address }| Correspondent { name, address })
                .collect::<Vec<_>>()
        };
        Ok(store::DraftContent {
            mentions: mentions::to_draft(&self.text, &self.mentions),
            text: self.text,
            html: self.html,
            way: match self.way {
                DraftWay::Reply => Way::Reply,
                DraftWay::All => Way::All,
                DraftWay::Forward => Way::Forward,
            },
            answers: self.answers_id,
            to: self.to.map(people),
            cc: self.cc.map(people),
            bcc: people(self.bcc),
            subject: self.subject,
            account: self.account_id,
            unsigned: self.unsigned,
            quoted: self.quoted,
            attachments: self.attachment_ids,
            copied: self.copied_attachment_ids,
        })
    }
}

impl From<store::DraftContent> for DraftContent {
    fn from(content: store::DraftContent) -> Self {
        let people = |people: Vec<Correspondent>| {
            people
                .into_iter()
                .map(|Correspondent { name, address }| DraftPerson { name, address })
                .collect::<Vec<_>>()
        };
        Self {
            mentions: mentions::of_draft(&content.text, &content.mentions),
            text: content.text,
            html: content.html,
            way: match content.way {
                Way::Reply => DraftWay::Reply,
                Way::All => DraftWay::All,
                Way::Forward => DraftWay::Forward,
            },
            answers_id: content.answers,
            to: content.to.map(people),
            cc: content.cc.map(people),
            bcc: people(content.bcc),
            subject: content.subject,
            account_id: content.account,
            unsigned: content.unsigned,
            quoted: content.quoted,
            attachment_ids: content.attachments,
            copied_attachment_ids: content.copied,
        }
    }
}

/// What is written in one place.
#[derive(Serialize, ToSchema)]
pub struct Draft {
    /// What it becomes.
    #[schema(value_type = schema::DraftKind)]
    pub kind: DraftKind,
    /// The version; a later one is greater.
    pub version: i64,
    /// When it was saved.
    pub saved_at: Time,
    /// What is written.
    pub content: DraftContent,
    /// The uploads that go along and are there.
    pub attachments: Vec<Attachment>,
    /// The files of messages that go along and are there.
    pub copied_attachments: Vec<Attachment>,
}

/// Everything that is written in one place.
#[derive(Serialize, ToSchema)]
pub struct DraftList {
    /// At most one of each kind.
    pub items: Vec<Draft>,
}

/// A draft, shortly.
#[derive(Serialize, ToSchema)]
pub struct DraftRow {
    /// What it becomes.
    #[schema(value_type = schema::DraftKind)]
    pub kind: DraftKind,
    /// The version; a later one is greater.
    pub version: i64,
    /// When it was saved.
    pub saved_at: Time,
    /// The subject, of a mail that begins a conversation.
    pub subject: String,
    /// Its first words.
    pub preview: String,
    /// The conversation that it is written in; absent for a mail that begins one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationRow>,
}

/// All drafts of the one who asks.
#[derive(Serialize, ToSchema)]
pub struct DraftRows {
    /// The latest first.
    pub items: Vec<DraftRow>,
}

/// Which of the two that a conversation can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversationDraftKind {
    /// A reply, or a message that is passed on.
    Reply,
    /// A note.
    Note,
}

/// What is to be kept in a conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveDraft {
    /// Which.
    pub kind: ConversationDraftKind,
    /// The version that it was written on; 0 when there was none.
    #[schema(minimum = 0)]
    pub version: i64,
    /// What is written; null to throw it away.
    #[serde(default)]
    pub content: Option<DraftContent>,
}

/// What is to be kept of a mail that begins a conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveMailDraft {
    /// The version that it was written on; 0 when there was none.
    #[schema(minimum = 0)]
    pub version: i64,
    /// What is written; null to throw it away.
    #[serde(default)]
    pub content: Option<DraftContent>,
}

/// What is kept now.
#[derive(Serialize, ToSchema)]
pub struct SavedDraft {
    /// The version to write the next one on; 0 when nothing is kept.
    pub version: i64,
    /// When it was saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<Time>,
}

impl SaveDraft {
    /// The place of it in a conversation.
    #[must_use]
    pub const fn place(&self, conversation: ConversationId) -> store::DraftPlace {
        let kind = match self.kind {
            ConversationDraftKind::Reply => DraftKind::Reply,
            ConversationDraftKind::Note => DraftKind::Note,
        };
        store::DraftPlace { conversation: Some(conversation), kind }
    }
}
