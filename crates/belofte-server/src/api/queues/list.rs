// SPDX-License-Identifier: EUPL-1.2
//! GET /queues: the queues.

use belofte_model::Permission;

use super::QueueList;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_queues", "/queues", Tag::Conversations, "The queues that the caller sees")
        .may(Permission::ReadConversations)
        .answers(&[Answer {
            status: 200,
            meaning: "The queues by name",
            content: Content::json::<QueueList>(),
        }]);
