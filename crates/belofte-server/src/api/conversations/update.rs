// SPDX-License-Identifier: EUPL-1.2
//! PATCH /conversations/{id}: status, assignee, queue.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{ConversationId, Permission};
use belofte_store::{ChangeConversation, ViewKind};

use super::{ConversationRow, UpdateConversation};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::api::users::UserState;
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, FieldCode, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_conversation",
    "/conversations/{id}",
    Tag::Conversations,
    "Changes status, assignee or queue",
)
.may(Permission::Assign)
.takes(Content::json::<UpdateConversation>())
.answers(&[Answer {
    status: 200,
    meaning: "The conversation as it is now",
    content: Content::json::<ConversationRow>(),
}])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Conflict`] when somebody else changed it first, [`Code::Invalid`] for a user or queue
/// that does not exist, [`Code::NotFound`], and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ConversationId>,
    Json(asked): Json<UpdateConversation>,
) -> http::Answer<Body<ConversationRow>> {
    let (store, access) = (&app.core.store, &signed.access);
    store.conversation(access, id).await?;
    let names = Names::fetch(&app, access).await?;
    let mut checks = Checks::default();
    if let Some(Some(user)) = asked.assignee_id {
        let known = names.user(user).is_some_and(|user| user.state == UserState::Active);
        checks.that(known, "assignee_id", FieldCode::NotFound);
    }
    if let Some(queue) = asked.queue_id {
        checks.that(names.queue(queue).is_some(), "queue_id", FieldCode::NotFound);
    }
    checks.done()?;
    let change = ChangeConversation::prepare(
        store,
        access,
        id,
        asked.version,
        asked.status,
        asked.assignee_id,
        asked.queue_id,
    );
    store.write(access, change).await?;
    let conversation = store.conversation(access, id).await?;
    app.views.note(access, ViewKind::Conversation, id.uuid())?;
    Ok(Body(names.row(conversation)))
}
