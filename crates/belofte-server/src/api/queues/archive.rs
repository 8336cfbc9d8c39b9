// SPDX-License-Identifier: EUPL-1.2
//! POST /queues/{id}/archive: nothing comes into a queue any more.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{Permission, QueueId};

use super::{ArchiveQueue, QueueDetails, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, ContextOf, Id, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "archive_queue",
    "/queues/{id}/archive",
    Tag::Queues,
    "Archives a queue, and moves its open conversations in the background; an instruction",
)
.may(Permission::ManageQueues)
.takes(Content::json::<ArchiveQueue>())
.answers(&[Answer {
    status: 200,
    meaning: "The queue as it is now, with what is to be moved",
    content: Content::json::<QueueDetails>(),
}])
.problems(&[Code::Conflict, Code::QueueIsDefault, Code::QueueNotEmpty]);

/// Answers the endpoint. Asked for again it changes nothing.
///
/// # Errors
/// [`Code::QueueIsDefault`]; [`Code::QueueNotEmpty`] without a queue that takes what lies in it;
/// [`Code::Invalid`] for one that cannot; [`Code::NotFound`], [`Code::Conflict`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    Id(id): Id<QueueId>,
    key: IdempotencyKey,
    Json(asked): Json<ArchiveQueue>,
) -> http::Answer<Response> {
    let access = &signed.access;
    let act = async {
        let archived = app.core.store.archive_queue(access, id, asked.into_id).await.map_err(refused)?;
        Ok(QueueDetails::of(archived, access.clock().now()))
    };
    app.once(access, &context, &key, StatusCode::OK, act).await
}
