// SPDX-License-Identifier: EUPL-1.2
//! GET /attachments/{id}: the bytes.

use belofte_model::Permission;

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_attachment",
    "/attachments/{id}",
    Tag::Attachments,
    "The bytes of a file, whole or a range",
)
.may(Permission::ReadConversations)
.answers(&[
    Answer { status: 200, meaning: "The file", content: Content::Bytes("application/octet-stream") },
    Answer {
        status: 206,
        meaning: "The range asked for",
        content: Content::Bytes("application/octet-stream"),
    },
])
.problems(&[Code::RangeNotSatisfiable]);
