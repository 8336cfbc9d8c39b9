// SPDX-License-Identifier: EUPL-1.2
//! POST /attachments: uploads a file.

use belofte_model::Permission;

use super::Attachment;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "upload_attachment",
    "/attachments",
    Tag::Attachments,
    "Uploads a file; it waits 24 hours for the message that takes it",
)
.may(Permission::Answer)
.takes(Content::File)
.answers(&[Answer { status: 201, meaning: "The attachment", content: Content::json::<Attachment>() }]);
