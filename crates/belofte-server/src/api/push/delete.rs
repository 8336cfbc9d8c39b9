// SPDX-License-Identifier: EUPL-1.2
//! DELETE /push/devices/{id}: has a device of one's own told no more.

use ::http::StatusCode;
use axum::extract::State;
use belofte_model::PushDeviceId;

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::delete(
    "remove_push_device",
    "/push/devices/{id}",
    Tag::Session,
    "Has a device of one's own told no more",
)
.answers(&[Answer { status: 204, meaning: "Removed", content: Content::Nothing }]);

/// Answers the endpoint.
///
/// # Errors
/// 404 for a device that is not one's own; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: SignedUser,
    Id(id): Id<PushDeviceId>,
) -> http::Answer<StatusCode> {
    app.core.store.remove_push_device(&signed.access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
