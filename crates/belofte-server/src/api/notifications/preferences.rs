// SPDX-License-Identifier: EUPL-1.2
//! GET /me/notifications: by which ways one is told of what.

use axum::Json;
use axum::extract::State;

use super::NotificationPreferences;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_notification_preferences",
    "/me/notifications",
    Tag::Session,
    "By which ways one is told of what",
)
.answers(&[Answer {
    status: 200,
    meaning: "Each kind with its ways",
    content: Content::json::<NotificationPreferences>(),
}]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: SignedUser,
) -> http::Answer<Json<NotificationPreferences>> {
    let ways = app.core.store.notification_ways(&signed.access).await?;
    Ok(Json(NotificationPreferences::of(ways)))
}
