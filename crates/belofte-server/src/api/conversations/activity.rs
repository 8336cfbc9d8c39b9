// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/{id}/activity: what happened.

use belofte_model::Permission;

use super::ActivityList;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_activity",
    "/conversations/{id}/activity",
    Tag::Conversations,
    "What happened to the conversation, oldest first",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The activity", content: Content::json::<ActivityList>() }]);
