// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations/{id}/unmerge: what became part of it is taken out again.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{ConversationId, Permission};
use belofte_store::{MergeError, StoreError, ViewKind};

use super::merging::{MOST, refused};
use super::{ConversationRow, UnmergeConversations};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, ContextOf, FieldCode, Id, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "unmerge_conversations",
    "/conversations/{id}/unmerge",
    Tag::Conversations,
    "Takes conversations out that became part of it, each as it was",
)
.may(Permission::Assign)
.takes(Content::json::<UnmergeConversations>())
.answers(&[Answer {
    status: 200,
    meaning: "The conversation as it is now",
    content: Content::json::<ConversationRow>(),
}])
.problems(&[Code::UndoTooLate]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::UndoTooLate`] when something was written since that cannot be told apart, [`Code::NotFound`], and those
/// of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    Id(id): Id<ConversationId>,
    key: IdempotencyKey,
    Json(asked): Json<UnmergeConversations>,
) -> http::Answer<Response> {
    let (store, access) = (&app.core.store, &signed.access);
    let act = async |_| {
        Checks::default()
            .that(!asked.conversation_ids.is_empty(), "conversation_ids", FieldCode::Required)
            .that(asked.conversation_ids.len() <= MOST, "conversation_ids", FieldCode::TooLong)
            .done()?;
        match store.unmerge_conversations(access, id, &asked.conversation_ids).await {
            // Who asks again after a process that died finds it done.
            Err(MergeError::Store(StoreError::NotFound)) => {
                for part in &asked.conversation_ids {
                    store.conversation(access, *part).await?;
                }
            }
            other => other.map_err(refused)?,
        }
        let conversation = store.conversation(access, id).await?;
        app.views.note(access, ViewKind::Conversation, id.uuid())?;
        Ok(Names::fetch(&app, access).await?.row(conversation))
    };
    app.once_as(access, &context, &key, StatusCode::OK, act).await
}
