// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about attachments.

use belofte_model::AttachmentId;
use serde::Serialize;
use utoipa::ToSchema;

/// A file of a message.
#[derive(Serialize, ToSchema)]
pub struct Attachment {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: AttachmentId,
    /// Its name.
    pub name: String,
    /// Its media type, as its sender said.
    pub media_type: String,
    /// Its length.
    pub size_bytes: i64,
    /// Whether it is shown within the text.
    pub inline: bool,
    /// The name by which the text refers to it (RFC 2392).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
}

impl From<belofte_store::Attachment> for Attachment {
    fn from(file: belofte_store::Attachment) -> Self {
        Self {
            id: file.id,
            name: file.name,
            media_type: file.media_type,
            size_bytes: i64::try_from(file.size).unwrap_or(i64::MAX),
            inline: file.inline,
            content_id: file.content_id,
        }
    }
}
