// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/{id}: one conversation.

use belofte_model::Permission;

use super::Conversation;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_conversation",
    "/conversations/{id}",
    Tag::Conversations,
    "One conversation with its contact and participants",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The conversation", content: Content::json::<Conversation>() }]);
