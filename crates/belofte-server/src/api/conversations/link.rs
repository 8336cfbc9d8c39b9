// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations/{id}/links: another one stands beside it, or no more.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{ConversationId, Permission};
use belofte_store::LinkConversations;

use super::LinkConversation;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, ContextOf, FieldCode, Id, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "link_conversation",
    "/conversations/{id}/links",
    Tag::Conversations,
    "Puts another conversation beside it, or takes it away",
)
.may(Permission::Assign)
.takes(Content::json::<LinkConversation>())
.answers(&[Answer { status: 204, meaning: "It is so", content: Content::Nothing }])
.problems(&[Code::Conflict]);

/// Answers the endpoint. What is so already stays so.
///
/// # Errors
/// [`Code::Invalid`] for itself, [`Code::Conflict`] when fifty stand beside one of them, [`Code::NotFound`], and
/// those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    Id(id): Id<ConversationId>,
    key: IdempotencyKey,
    Json(asked): Json<LinkConversation>,
) -> http::Answer<Response> {
    let (store, access) = (&app.core.store, &signed.access);
    let act = async |_| {
        let one = store.conversation_in_force(access, id).await?;
        let other = store.conversation_in_force(access, asked.conversation_id).await?;
        Checks::default().that(one != other, "conversation_id", FieldCode::Invalid).done()?;
        let link = LinkConversations::prepare(store, access, (one, other), asked.linked);
        store.write(access, link).await?;
        Ok(())
    };
    app.once_as(access, &context, &key, StatusCode::NO_CONTENT, act).await
}
