// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/counts: the numbers in the rail.

use belofte_model::Permission;

use super::ConversationCounts;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "count_conversations",
    "/conversations/counts",
    Tag::Conversations,
    "How many conversations there are of each kind",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The counts", content: Content::json::<ConversationCounts>() }]);
