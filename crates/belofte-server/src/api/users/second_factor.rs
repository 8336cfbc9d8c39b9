// SPDX-License-Identifier: EUPL-1.2
//! DELETE /users/{id}/second-factor: takes the second factor of a colleague away.

use ::http::StatusCode;
use axum::extract::State;
use belofte_model::{Permission, UserId};

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::api::second_factor::refused;
use crate::app::{App, Signed};
use crate::http::{self, Code, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::delete(
    "reset_second_factor",
    "/users/{id}/second-factor",
    Tag::Users,
    "Takes the second factor of a colleague away, who has lost it, and ends their sessions; an instruction",
)
.may(Permission::ManageUsers)
.answers(&[Answer { status: 204, meaning: "Taken away", content: Content::Nothing }])
.problems(&[Code::Conflict]);

/// Answers the endpoint. Nobody takes their own away like this: that takes the password and a code.
///
/// # Errors
/// [`Code::Forbidden`] for one's own, [`Code::Conflict`] when they have none; those of the store.
pub async fn handle(State(app): State<App>, signed: Signed, Id(id): Id<UserId>) -> http::Answer<StatusCode> {
    app.core.store.reset_second_factor(&signed.access, id).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
