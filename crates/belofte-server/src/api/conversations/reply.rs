// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations/{id}/messages: a reply or a note.

use belofte_model::Permission;

use super::CreateMessage;
use crate::api::messages::Message;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_message",
    "/conversations/{id}/messages",
    Tag::Conversations,
    "Sends a reply or writes a note",
)
.may(Permission::Answer)
.takes(Content::json::<CreateMessage>())
.answers(&[Answer {
    status: 201,
    meaning: "The message; deliveries are queued",
    content: Content::json::<Message>(),
}])
.problems(&[Code::Conflict]);
