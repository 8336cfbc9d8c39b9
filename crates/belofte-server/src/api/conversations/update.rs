// SPDX-License-Identifier: EUPL-1.2
//! PATCH /conversations/{id}: status, assignee, queue.

use belofte_model::Permission;

use super::{ConversationRow, UpdateConversation};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_conversation",
    "/conversations/{id}",
    Tag::Conversations,
    "Changes status, assignee or queue",
)
.may(Permission::Assign)
.takes(Content::json::<UpdateConversation>())
.answers(&[Answer {
    status: 200,
    meaning: "The conversation as it is now",
    content: Content::json::<ConversationRow>(),
}])
.problems(&[Code::Conflict]);
