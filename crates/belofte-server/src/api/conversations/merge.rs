// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations/{id}/merge: others become part of it.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{ConversationId, Permission};
use belofte_store::ViewKind;

use super::merging::{MOST, refused};
use super::{ConversationRow, MergeConversations};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, ContextOf, FieldCode, Id, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "merge_conversations",
    "/conversations/{id}/merge",
    Tag::Conversations,
    "Makes other conversations part of it; their addresses lead to it",
)
.may(Permission::Assign)
.takes(Content::json::<MergeConversations>())
.answers(&[Answer {
    status: 200,
    meaning: "The conversation as it is now",
    content: Content::json::<ConversationRow>(),
}])
.problems(&[Code::Conflict, Code::OtherContact]);

/// Answers the endpoint. Asked for again, it finds done what was done.
///
/// # Errors
/// [`Code::OtherContact`] when some are with others and nobody said that this is meant, [`Code::Conflict`] when
/// others change them all the time, [`Code::NotFound`], and those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    Id(id): Id<ConversationId>,
    key: IdempotencyKey,
    Json(asked): Json<MergeConversations>,
) -> http::Answer<Response> {
    let (store, access) = (&app.core.store, &signed.access);
    let act = async |_| {
        Checks::default()
            .that(!asked.conversation_ids.is_empty(), "conversation_ids", FieldCode::Required)
            .that(asked.conversation_ids.len() <= MOST, "conversation_ids", FieldCode::TooLong)
            .done()?;
        // Of one that became part of another one meanwhile, that one is meant.
        let id = store.conversation_in_force(access, id).await?;
        let (others, meant) = (&asked.conversation_ids, asked.other_contacts);
        store.merge_conversations(access, id, others, meant).await.map_err(refused)?;
        let conversation = store.conversation(access, id).await?;
        app.views.note(access, ViewKind::Conversation, id.uuid())?;
        Ok(Names::fetch(&app, access).await?.row(conversation))
    };
    app.once_as(access, &context, &key, StatusCode::OK, act).await
}
