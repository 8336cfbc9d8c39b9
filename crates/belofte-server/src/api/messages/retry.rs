// SPDX-License-Identifier: EUPL-1.2
//! POST /messages/{id}/retry: another try.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{DeliveryId, MessageId, Permission};
use belofte_store::{Access, RetryDeliveries, ViewKind};

use super::{Authors, Message, RetryMessage};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, ContextOf, FieldCode, Id, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "retry_message",
    "/messages/{id}/retry",
    Tag::Conversations,
    "Queues failed and unknown deliveries again",
)
.may(Permission::Answer)
.takes(Content::json::<RetryMessage>())
.answers(&[Answer { status: 200, meaning: "The message as it is now", content: Content::json::<Message>() }])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Conflict`] when nothing of it failed, [`Code::Invalid`] for a delivery of another
/// message, [`Code::NotFound`], and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    context: ContextOf,
    key: IdempotencyKey,
    Id(id): Id<MessageId>,
    Json(asked): Json<RetryMessage>,
) -> http::Answer<Response> {
    let access = &signed.access;
    let (plan, tell) = (retry(&app, access, id, asked), tell(&app, access, id));
    let answer = app.once_marked(access, &context.0, &key, StatusCode::OK, plan, tell).await?;
    // Told again it shows the message again.
    let conversation = app.core.store.message(access, id).await?.conversation;
    app.views.note(access, ViewKind::Conversation, conversation.uuid())?;
    Ok(answer)
}

async fn retry(
    app: &App,
    access: &Access,
    id: MessageId,
    asked: RetryMessage,
) -> http::Answer<RetryDeliveries> {
    let store = &app.core.store;
    let message = store.message(access, id).await?;
    let wanted = asked.delivery_ids;
    let mut checks = Checks::default();
    if let Some(wanted) = &wanted {
        checks.that(!wanted.is_empty(), "delivery_ids", FieldCode::Required);
        let own = |id: &DeliveryId| message.deliveries.iter().any(|delivery| delivery.id == *id);
        checks.that(wanted.iter().all(own), "delivery_ids", FieldCode::NotFound);
    }
    checks.done()?;
    Ok(RetryDeliveries::prepare(store, access, &message, wanted.unwrap_or_default()))
}

async fn tell(app: &App, access: &Access, id: MessageId) -> http::Answer<Message> {
    let message = app.core.store.message(access, id).await?;
    let authors = Authors::fetch(app, access, std::slice::from_ref(&message)).await?;
    Ok(authors.message(message))
}
