// SPDX-License-Identifier: EUPL-1.2
//! PATCH /queues/{id}: another name or description, or the queue in which conversations begin.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{Permission, QueueId};
use belofte_store::QueueChange;

use super::{QueueDetails, UpdateQueue, check, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_queue",
    "/queues/{id}",
    Tag::Queues,
    "Renames or describes a queue, or has conversations begin there; an instruction",
)
.may(Permission::ManageQueues)
.takes(Content::json::<UpdateQueue>())
.answers(&[Answer {
    status: 200,
    meaning: "The queue as it is now",
    content: Content::json::<QueueDetails>(),
}])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`], [`Code::NotFound`]; [`Code::Conflict`] when somebody else changed it first, and for an
/// archived one in which conversations would begin; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<QueueId>,
    Json(asked): Json<UpdateQueue>,
) -> http::Answer<Body<QueueDetails>> {
    let mut checks = Checks::default();
    check(&mut checks, asked.name.as_deref(), asked.description.as_deref());
    checks.done()?;
    let trimmed = |text: Option<String>| text.map(|text| text.trim().to_owned());
    let change = QueueChange {
        version: asked.version,
        name: trimmed(asked.name),
        description: trimmed(asked.description),
        make_default: asked.make_default,
    };
    let access = &signed.access;
    let changed = app.core.store.change_queue(access, id, change).await.map_err(refused)?;
    Ok(Body(QueueDetails::of(changed, access.clock().now())))
}
