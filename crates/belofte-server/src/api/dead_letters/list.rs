// SPDX-License-Identifier: EUPL-1.2
//! GET /dead-letters: what failed.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::DeadLetterList;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_dead_letters",
    "/dead-letters",
    Tag::Upkeep,
    "Background work of this tenant that failed for good",
)
.may(Permission::SeeDeadLetters)
.answers(&[Answer {
    status: 200,
    meaning: "The work, newest first",
    content: Content::json::<DeadLetterList>(),
}]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<DeadLetterList>> {
    let letters = app.core.store.dead_letters(&signed.access).await?;
    Ok(Json(DeadLetterList { items: letters.into_iter().map(Into::into).collect() }))
}
