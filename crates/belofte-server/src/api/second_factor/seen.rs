// SPDX-License-Identifier: EUPL-1.2
//! POST /me/second-factor/reset-seen: one knows that an admin took one's second factor away.

use ::http::StatusCode;
use axum::extract::State;

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "second_factor_reset_seen",
    "/me/second-factor/reset-seen",
    Tag::Session,
    "Says that one has seen that an admin took one's second factor away",
)
.done_again()
.answers(&[Answer { status: 204, meaning: "Noted", content: Content::Nothing }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: SignedUser) -> http::Answer<StatusCode> {
    app.core.store.second_factor_reset_seen(&signed.access).await?;
    Ok(StatusCode::NO_CONTENT)
}
