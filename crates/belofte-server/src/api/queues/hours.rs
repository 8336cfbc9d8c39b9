// SPDX-License-Identifier: EUPL-1.2
//! PATCH /queues/{id}/hours: when a queue is open.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{Permission, QueueId};

use super::{QueueDetails, SetBusinessHours, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "set_business_hours",
    "/queues/{id}/hours",
    Tag::Queues,
    "Sets when a queue is open, as a whole; an instruction",
)
.may(Permission::ManageQueues)
.takes(Content::json::<SetBusinessHours>())
.answers(&[Answer {
    status: 200,
    meaning: "The queue as it is now",
    content: Content::json::<QueueDetails>(),
}])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`] with every place of the calendar that does not hold; [`Code::NotFound`],
/// [`Code::Conflict`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<QueueId>,
    Json(asked): Json<SetBusinessHours>,
) -> http::Answer<Body<QueueDetails>> {
    let mut checks = Checks::default();
    let hours = asked.hours.and_then(|hours| hours.checked(&mut checks));
    checks.done()?;
    let access = &signed.access;
    let changed = app.core.store.set_business_hours(access, id, asked.version, hours).await;
    Ok(Body(QueueDetails::of(changed.map_err(refused)?, access.clock().now())))
}
