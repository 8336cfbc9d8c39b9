// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/{id}/drafts: what one has written in a conversation and not sent.

use axum::Json;
use axum::extract::State;
use belofte_model::{ConversationId, Permission};
use belofte_store::ViewKind;

use super::DraftList;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_conversation_drafts",
    "/conversations/{id}/drafts",
    Tag::Conversations,
    "The reply and the note that the one who asks is writing in a conversation",
)
.may(Permission::Answer)
.answers(&[Answer {
    status: 200,
    meaning: "The drafts: none, one or both",
    content: Content::json::<DraftList>(),
}]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::NotFound`](http::Code::NotFound), and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ConversationId>,
) -> http::Answer<Json<DraftList>> {
    let mut items = Vec::new();
    for draft in app.core.store.drafts_in(&signed.access, Some(id)).await? {
        items.push(super::told(&app, &signed.access, draft).await?);
    }
    // A message that is passed on stands in it in the customer's words.
    app.views.note(&signed.access, ViewKind::Conversation, id.uuid())?;
    Ok(Json(DraftList { items }))
}
