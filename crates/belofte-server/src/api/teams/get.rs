// SPDX-License-Identifier: EUPL-1.2
//! GET /teams/{id}: a team with who is in it.

use axum::Json;
use axum::extract::State;
use belofte_model::{Permission, TeamId};

use super::TeamDetails;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("get_team", "/teams/{id}", Tag::Queues, "A team with who is in it, and what it serves")
        .may(Permission::SeeQueues)
        .answers(&[Answer { status: 200, meaning: "The team", content: Content::json::<TeamDetails>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`http::Code::NotFound`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<TeamId>,
) -> http::Answer<Json<TeamDetails>> {
    Ok(Json(app.core.store.team_set_up(&signed.access, id).await?.into()))
}
