// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/numbered: the conversation that people call by its number.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;
use belofte_store::ViewKind;

use super::{ConversationRow, Numbered};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Query};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "find_conversation",
    "/conversations/numbered",
    Tag::Conversations,
    "The conversation with a number, or the one that it became part of",
)
.may(Permission::ReadConversations)
.query::<Numbered>()
.answers(&[Answer { status: 200, meaning: "The conversation", content: Content::json::<ConversationRow>() }])
.problems(&[http::Code::NotFound]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::NotFound`](http::Code::NotFound), and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Query(asked): Query<Numbered>,
) -> http::Answer<Json<ConversationRow>> {
    let (store, access) = (&app.core.store, &signed.access);
    let conversation = store.conversation_by_number(access, asked.no).await?;
    app.views.note(access, ViewKind::Conversation, conversation.id.uuid())?;
    Ok(Json(Names::fetch(&app, access).await?.row(conversation)))
}
