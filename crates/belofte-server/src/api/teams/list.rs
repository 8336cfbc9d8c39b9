// SPDX-License-Identifier: EUPL-1.2
//! GET /teams: the teams.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::TeamList;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_teams",
    "/teams",
    Tag::Queues,
    "The teams, archived ones too, without who is in them",
)
.may(Permission::SeeQueues)
.answers(&[Answer { status: 200, meaning: "The teams by name", content: Content::json::<TeamList>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<TeamList>> {
    let teams = app.core.store.teams(&signed.access).await?;
    Ok(Json(TeamList { items: teams.into_iter().map(Into::into).collect() }))
}
