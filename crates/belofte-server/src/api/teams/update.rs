// SPDX-License-Identifier: EUPL-1.2
//! PATCH /teams/{id}: another name, other members or queues, archived or not.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{Permission, TeamId};
use belofte_store::{MOST_MEMBERS, MOST_QUEUES, TeamChange};

use super::{NAME, TeamDetails, UpdateTeam, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, FieldCode, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_team",
    "/teams/{id}",
    Tag::Queues,
    "Renames or archives a team, or says who is in it and what it serves; an instruction",
)
.may(Permission::ManageQueues)
.takes(Content::json::<UpdateTeam>())
.answers(&[Answer { status: 200, meaning: "The team as it is now", content: Content::json::<TeamDetails>() }])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`], also for a user who is not active and a queue that is not in use; [`Code::NotFound`],
/// [`Code::Conflict`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<TeamId>,
    Json(asked): Json<UpdateTeam>,
) -> http::Answer<Body<TeamDetails>> {
    let mut checks = Checks::default();
    if let Some(name) = &asked.name {
        checks.text(name, "name", 1, NAME);
        checks.that(!name.chars().any(char::is_control), "name", FieldCode::Invalid);
    }
    let fits = |len: Option<usize>, most: usize| len.is_none_or(|len| len <= most);
    checks.that(
        fits(asked.member_ids.as_ref().map(Vec::len), MOST_MEMBERS),
        "member_ids",
        FieldCode::TooLong,
    );
    checks.that(fits(asked.queue_ids.as_ref().map(Vec::len), MOST_QUEUES), "queue_ids", FieldCode::TooLong);
    checks.done()?;
    let change = TeamChange {
        version: asked.version,
        name: asked.name.map(|name| name.trim().to_owned()),
        archived: asked.archived,
        members: asked.member_ids,
        queues: asked.queue_ids,
    };
    let changed = app.core.store.change_team(&signed.access, id, change).await.map_err(refused)?;
    Ok(Body(changed.into()))
}
