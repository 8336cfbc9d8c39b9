// SPDX-License-Identifier: EUPL-1.2
//! PATCH /conversations/{id}/fields: other values in the tenant's own fields.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{ConversationId, Permission};
use belofte_store::{RecordId, ViewKind};

use super::{ChangeRecordFields, RecordFieldList, change};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_conversation_fields",
    "/conversations/{id}/fields",
    Tag::Fields,
    "Changes what a case has in some of the tenant's own fields: all of them, or none",
)
.may(Permission::Answer)
.takes(Content::json::<ChangeRecordFields>())
.answers(&[Answer {
    status: 200,
    meaning: "What it has in them now",
    content: Content::json::<RecordFieldList>(),
}])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`] for what a field does not take, or who asks does not write; [`Code::NotFound`];
/// [`Code::Conflict`] when somebody else changed a value first; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ConversationId>,
    Json(asked): Json<ChangeRecordFields>,
) -> http::Answer<Body<RecordFieldList>> {
    // What became part of another conversation is filled in there.
    let id = app.core.store.conversation_in_force(&signed.access, id).await?;
    let list = change(&app, &signed, RecordId::Conversation(id), asked).await?;
    app.views.note(&signed.access, ViewKind::Conversation, id.uuid())?;
    Ok(Body(list))
}
