// SPDX-License-Identifier: EUPL-1.2
//! GET /messages/{id}/source: the mail as it came.

use belofte_model::Permission;

use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_message_source",
    "/messages/{id}/source",
    Tag::Conversations,
    "The bytes of the mail as received or sent",
)
.may(Permission::SeeMailAccounting)
.answers(&[Answer { status: 200, meaning: "The source", content: Content::Bytes("message/rfc822") }]);
