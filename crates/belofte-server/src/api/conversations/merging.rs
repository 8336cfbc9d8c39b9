// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about conversations that become one, are taken apart and stand beside each
//! other, and what their refusals mean.

use belofte_model::{ConversationId, MessageId};
use belofte_store::{MergeError, SplitError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ConversationRow;
use crate::http::{ApiError, Code, FieldCode};

/// So many become part of one at once.
pub(super) const MOST: usize = 20;

/// Conversations that are to become part of another one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeConversations {
    /// Which ones.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 20)]
    pub conversation_ids: Vec<ConversationId>,
    /// Whether it is meant that some of them are with other contacts.
    #[serde(default)]
    pub other_contacts: bool,
}

/// Conversations that are to be taken out of another one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnmergeConversations {
    /// Which ones.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 20)]
    pub conversation_ids: Vec<ConversationId>,
}

/// Messages that are to become a conversation of their own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitConversation {
    /// Which ones; one of them at least is no note.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 200)]
    pub message_ids: Vec<MessageId>,
    /// What it is about; as the one that they lie in without it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    pub subject: Option<String>,
}

/// A conversation that is to stand beside another one, or no more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkConversation {
    /// Which one.
    #[schema(value_type = Uuid)]
    pub conversation_id: ConversationId,
    /// Whether it is to stand there.
    pub linked: bool,
}

/// Which conversation.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Numbered {
    /// Its number.
    #[param(minimum = 1)]
    pub no: i64,
}

/// What belongs to a conversation.
#[derive(Serialize, ToSchema)]
pub struct RelatedConversations {
    /// Those that stand beside it, newest first.
    pub linked: Vec<ConversationRow>,
    /// Those that became part of it, by number.
    pub merged: Vec<MergedConversation>,
}

/// A conversation that became part of another one.
#[derive(Serialize, ToSchema)]
pub struct MergedConversation {
    /// Its id, which leads to the other one.
    #[schema(value_type = Uuid)]
    pub id: ConversationId,
    /// The number that it had.
    pub no: i64,
    /// What it was about.
    pub subject: String,
    /// With whom it was: a name, or an address; empty where neither is seen.
    pub contact: String,
    /// The conversation that it became part of, which may have become part of a third one.
    #[schema(value_type = Uuid)]
    pub into_id: ConversationId,
}

/// What a refused merge is called.
pub(super) fn refused(error: MergeError) -> ApiError {
    match error {
        MergeError::OtherContact => Code::OtherContact.into(),
        MergeError::Itself => ApiError::field("conversation_ids", FieldCode::Invalid),
        MergeError::TooLate => Code::UndoTooLate.into(),
        MergeError::Store(error) => error.into(),
    }
}

/// What a refused split is called.
pub(super) fn not_split(error: SplitError) -> ApiError {
    match error {
        SplitError::NoSuchMessage => ApiError::field("message_ids", FieldCode::NotFound),
        SplitError::NothingLeft => ApiError::field("message_ids", FieldCode::Invalid),
        SplitError::OnItsWay => Code::MessageOnItsWay.into(),
        SplitError::Store(error) => error.into(),
    }
}
