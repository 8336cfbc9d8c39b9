// SPDX-License-Identifier: EUPL-1.2
//! POST /messages/{id}/undo: takes a message back.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{MessageId, Permission};
use belofte_store::{Access, ViewKind, WithdrawMessage};

use super::{Authors, Message};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, ContextOf, Id, IdempotencyKey};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "undo_message",
    "/messages/{id}/undo",
    Tag::Conversations,
    "Takes one's own message back that has not gone out yet, or a note of the last quarter of an hour; its files wait for \
     a message again",
)
.may(Permission::Answer)
.answers(&[Answer {
    status: 200,
    meaning: "The message as it was; nobody gets it, or sees it any more",
    content: Content::json::<Message>(),
}])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Conflict`] when it is going out or has gone, [`Code::NotFound`] also when somebody else wrote it,
/// and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    context: ContextOf,
    key: IdempotencyKey,
    Id(id): Id<MessageId>,
) -> http::Answer<Response> {
    let access = &signed.access;
    let plan = plan(&app, access, id);
    app.once_with(access, &context.0, &key, StatusCode::OK, plan).await
}

async fn plan(app: &App, access: &Access, id: MessageId) -> http::Answer<(WithdrawMessage, Message)> {
    let message = app.core.store.message(access, id).await?;
    // It shows whom the message was for.
    app.views.note(access, ViewKind::Conversation, message.conversation.uuid())?;
    let change = WithdrawMessage::prepare(&app.core.store, access, &message).await?;
    let authors = Authors::fetch(app, access, std::slice::from_ref(&message)).await?;
    Ok((change, authors.message(message)))
}
