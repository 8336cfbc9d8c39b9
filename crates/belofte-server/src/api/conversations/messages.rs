// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/{id}/messages: the thread.

use belofte_model::Permission;

use super::ListMessages;
use crate::api::messages::MessagePage;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_messages",
    "/conversations/{id}/messages",
    Tag::Conversations,
    "A page of messages, oldest first; the page before it by its cursor",
)
.may(Permission::ReadConversations)
.query::<ListMessages>()
.answers(&[Answer { status: 200, meaning: "The page", content: Content::json::<MessagePage>() }]);
