// SPDX-License-Identifier: EUPL-1.2
//! POST /messages/{id}/retry: another try.

use belofte_model::Permission;

use super::{Message, RetryMessage};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "retry_message",
    "/messages/{id}/retry",
    Tag::Conversations,
    "Queues failed and unknown deliveries again",
)
.may(Permission::Answer)
.takes(Content::json::<RetryMessage>())
.answers(&[Answer { status: 200, meaning: "The message as it is now", content: Content::json::<Message>() }])
.problems(&[Code::Conflict]);
