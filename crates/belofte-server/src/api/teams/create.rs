// SPDX-License-Identifier: EUPL-1.2
//! POST /teams: a new team.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{Permission, TeamId};
use uuid::Uuid;

use super::{CreateTeam, NAME, TeamDetails, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, ContextOf, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("create_team", "/teams", Tag::Queues, "Makes a team; an instruction")
        .may(Permission::ManageQueues)
        .takes(Content::json::<CreateTeam>())
        .answers(&[Answer { status: 201, meaning: "The team", content: Content::json::<TeamDetails>() }])
        .problems(&[Code::TooManyTeams]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`], [`Code::TooManyTeams`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(wanted): Json<CreateTeam>,
) -> http::Answer<Response> {
    let act = async |intended: Option<Uuid>| {
        let odd = wanted.name.chars().any(char::is_control);
        Checks::default()
            .text(&wanted.name, "name", 1, NAME)
            .that(!odd, "name", FieldCode::Invalid)
            .done()?;
        let (store, intended) = (&app.core.store, intended.map(TeamId));
        let made = store.create_team(&signed.access, intended, wanted.name.trim()).await.map_err(refused)?;
        Ok(TeamDetails::from(made))
    };
    Box::pin(app.once_as(&signed.access, &context, &key, StatusCode::CREATED, act)).await
}
