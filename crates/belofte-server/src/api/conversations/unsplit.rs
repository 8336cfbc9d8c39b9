// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations/{id}/unsplit: what was taken out is put back.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{ConversationId, Permission};
use belofte_store::{MergeError, StoreError, ViewKind};

use super::ConversationRow;
use super::merging::refused;
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, ContextOf, Id, IdempotencyKey};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "unsplit_conversation",
    "/conversations/{id}/unsplit",
    Tag::Conversations,
    "Puts a conversation back that was taken out of another one; its address leads there",
)
.may(Permission::Assign)
.answers(&[Answer {
    status: 200,
    meaning: "The other conversation",
    content: Content::json::<ConversationRow>(),
}])
.problems(&[Code::Conflict, Code::UndoTooLate]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::UndoTooLate`] when something was written in it since, [`Code::NotFound`], [`Code::Conflict`], and those
/// of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    Id(id): Id<ConversationId>,
    key: IdempotencyKey,
) -> http::Answer<Response> {
    let (store, access) = (&app.core.store, &signed.access);
    let act = async |_| {
        let id = match store.unsplit_conversation(access, id).await {
            // Who asks again after a process that died finds it done.
            Err(MergeError::Store(StoreError::NotFound)) => {
                let into = store.conversation_in_force(access, id).await?;
                if into == id { Err(Code::NotFound.into()) } else { Ok(into) }
            }
            other => other.map_err(refused),
        }?;
        let conversation = store.conversation(access, id).await?;
        app.views.note(access, ViewKind::Conversation, id.uuid())?;
        Ok(Names::fetch(&app, access).await?.row(conversation))
    };
    app.once_as(access, &context, &key, StatusCode::OK, act).await
}
