// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/{id}/mentionable: who can be named in a note.

use axum::Json;
use axum::extract::State;
use belofte_model::{ConversationId, Permission};

use super::Mentionable;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::api::users::{UserRef, UserState};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_mentionable",
    "/conversations/{id}/mentionable",
    Tag::Conversations,
    "The colleagues who can be named in a note of the conversation: those who can sign in and see it",
)
.may(Permission::Answer)
.answers(&[Answer {
    status: 200,
    meaning: "The colleagues by name, without the one who asks",
    content: Content::json::<Mentionable>(),
}]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::NotFound`](http::Code::NotFound), and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ConversationId>,
) -> http::Answer<Json<Mentionable>> {
    let (store, access) = (&app.core.store, &signed.access);
    // Who writes while the conversation became part of another one goes on there.
    let id = store.conversation_in_force(access, id).await?;
    let users = store.mentionable(access, id).await?.into_iter().map(|user| UserRef {
        id: user.id,
        name: user.name.into_inner(),
        role: user.role,
        state: UserState::from(user.state),
    });
    Ok(Json(Mentionable { items: users.collect() }))
}
