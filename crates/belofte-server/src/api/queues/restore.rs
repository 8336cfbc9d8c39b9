// SPDX-License-Identifier: EUPL-1.2
//! POST /queues/{id}/restore: an archived queue is used again.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{Permission, QueueId};

use super::{QueueDetails, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, ContextOf, Id, IdempotencyKey};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "restore_queue",
    "/queues/{id}/restore",
    Tag::Queues,
    "Takes an archived queue into use, and brings back what nobody has touched since; an instruction",
)
.may(Permission::ManageQueues)
.answers(&[Answer {
    status: 200,
    meaning: "The queue as it is now, with what is to be moved",
    content: Content::json::<QueueDetails>(),
}])
.problems(&[Code::Conflict]);

/// Answers the endpoint. Asked for again it changes nothing.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Conflict`] when somebody else changed it at the same moment; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    Id(id): Id<QueueId>,
    key: IdempotencyKey,
) -> http::Answer<Response> {
    let access = &signed.access;
    let act = async {
        let restored = app.core.store.restore_queue(access, id).await.map_err(refused)?;
        Ok(QueueDetails::of(restored, access.clock().now()))
    };
    app.once(access, &context, &key, StatusCode::OK, act).await
}
