// SPDX-License-Identifier: EUPL-1.2
//! POST /queues: a new queue.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{Permission, QueueId};
use uuid::Uuid;

use super::{CreateQueue, QueueDetails, check, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, ContextOf, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("create_queue", "/queues", Tag::Queues, "Makes a queue; an instruction")
        .may(Permission::ManageQueues)
        .takes(Content::json::<CreateQueue>())
        .answers(&[Answer { status: 201, meaning: "The queue", content: Content::json::<QueueDetails>() }])
        .problems(&[Code::TooManyQueues]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`], [`Code::TooManyQueues`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(wanted): Json<CreateQueue>,
) -> http::Answer<Response> {
    let act = async |intended: Option<Uuid>| {
        let mut checks = Checks::default();
        check(&mut checks, Some(&wanted.name), Some(&wanted.description));
        checks.done()?;
        let (store, access) = (&app.core.store, &signed.access);
        let (name, description) = (wanted.name.trim(), wanted.description.trim());
        let made = store.create_queue(access, intended.map(QueueId), name, description).await;
        Ok(QueueDetails::of(made.map_err(refused)?, access.clock().now()))
    };
    Box::pin(app.once_as(&signed.access, &context, &key, StatusCode::CREATED, act)).await
}
