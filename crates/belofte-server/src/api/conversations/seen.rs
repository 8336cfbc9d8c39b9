// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations/{id}/seen: read by me.

use ::http::StatusCode;
use axum::extract::State;
use belofte_model::{ConversationId, Permission};
use belofte_store::MarkSeen;

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id, IdempotencyKey};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "mark_seen",
    "/conversations/{id}/seen",
    Tag::Conversations,
    "Marks the conversation as read by the user",
)
// The mark is everybody's: a program that only reads must not take it away.
.may(Permission::Answer)
.answers(&[Answer { status: 204, meaning: "Marked", content: Content::Nothing }]);

/// Answers the endpoint. Marking twice is the same as once, so a key needs no remembering.
///
/// # Errors
/// [`Code::NotFound`](http::Code::NotFound), and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ConversationId>,
    _: IdempotencyKey,
) -> http::Answer<StatusCode> {
    let (store, access) = (&app.core.store, &signed.access);
    // What became part of another conversation is read there.
    let id = store.conversation_in_force(access, id).await?;
    store.write(access, MarkSeen { id, now: access.clock().now() }).await?;
    Ok(StatusCode::NO_CONTENT)
}
