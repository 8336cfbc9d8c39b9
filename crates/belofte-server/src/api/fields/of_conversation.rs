// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/{id}/fields: what a case has in the tenant's own fields.

use axum::Json;
use axum::extract::State;
use belofte_model::{ConversationId, Permission};
use belofte_store::{RecordId, ViewKind};

use super::{RecordFieldList, told};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_conversation_fields",
    "/conversations/{id}/fields",
    Tag::Fields,
    "What a case has in the tenant's own fields, as far as who asks reads them",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The fields", content: Content::json::<RecordFieldList>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`http::Code::NotFound`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ConversationId>,
) -> http::Answer<Json<RecordFieldList>> {
    // What became part of another conversation is read there.
    let id = app.core.store.conversation_in_force(&signed.access, id).await?;
    let list = told(&app, &signed, RecordId::Conversation(id)).await?;
    app.views.note(&signed.access, ViewKind::Conversation, id.uuid())?;
    Ok(Json(list))
}
