// SPDX-License-Identifier: EUPL-1.2
//! GET /live: the stream of facts, by WebSocket.

use belofte_model::Permission;

use super::Connect;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "connect_live",
    "/live",
    Tag::Live,
    "Opens the stream of facts by WebSocket (RFC 6455); resumes after `since`",
)
.may(Permission::ReadConversations)
.query::<Connect>()
.answers(&[Answer {
    status: 101,
    meaning: "The stream; each text frame is a LiveFrame",
    content: Content::Nothing,
}]);
