// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations/{id}/seen: read by me.

use belofte_model::Permission;

use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "mark_seen",
    "/conversations/{id}/seen",
    Tag::Conversations,
    "Marks the conversation as read by the user",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 204, meaning: "Marked", content: Content::Nothing }]);
