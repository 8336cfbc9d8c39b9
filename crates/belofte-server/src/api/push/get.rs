// SPDX-License-Identifier: EUPL-1.2
//! GET /push: whether browsers are told when something is new, and which of one's own.

use axum::Json;
use axum::extract::State;

use super::{Push, view};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_push",
    "/push",
    Tag::Session,
    "Whether browsers are told when something is new, never what, and which of one's own are",
)
.answers(&[Answer { status: 200, meaning: "How things are", content: Content::json::<Push>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: SignedUser) -> http::Answer<Json<Push>> {
    Ok(Json(view(&app, &signed.access, signed.who.who()).await?))
}
