// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations: a page of the inbox.

use belofte_model::Permission;

use super::{ConversationPage, ListConversations};
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_conversations",
    "/conversations",
    Tag::Conversations,
    "A page of conversations, the latest message first",
)
.may(Permission::ReadConversations)
.query::<ListConversations>()
.answers(&[Answer { status: 200, meaning: "The page", content: Content::json::<ConversationPage>() }]);
