// SPDX-License-Identifier: EUPL-1.2
//! GET /queues/{id}: how a queue is set up.

use axum::Json;
use axum::extract::State;
use belofte_model::{Permission, QueueId};

use super::QueueDetails;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("get_queue", "/queues/{id}", Tag::Queues, "A queue with its hours, and what moves")
        .may(Permission::SeeQueues)
        .answers(&[Answer { status: 200, meaning: "The queue", content: Content::json::<QueueDetails>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`http::Code::NotFound`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<QueueId>,
) -> http::Answer<Json<QueueDetails>> {
    let access = &signed.access;
    let set_up = app.core.store.queue_set_up(access, id).await?;
    Ok(Json(QueueDetails::of(set_up, access.clock().now())))
}
