// SPDX-License-Identifier: EUPL-1.2
//! DELETE /sessions/{id}: ends one of one's own sessions.

use ::http::StatusCode;
use axum::extract::State;
use belofte_model::SessionId;

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::delete("end_session", "/sessions/{id}", Tag::Session, "Ends one of one's own sessions")
        .answers(&[Answer { status: 204, meaning: "Ended", content: Content::Nothing }]);

/// Answers the endpoint.
///
/// # Errors
/// 404 for a session that is not one's own; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: SignedUser,
    Id(id): Id<SessionId>,
) -> http::Answer<StatusCode> {
    app.core.store.end_session(&signed.access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
