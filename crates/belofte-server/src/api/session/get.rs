// SPDX-License-Identifier: EUPL-1.2
//! GET /session: who is signed in.

use axum::Json;
use axum::extract::State;

use super::Session;
use super::view;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("get_session", "/session", Tag::Session, "Who is signed in, and what they may do")
        .answers(&[Answer { status: 200, meaning: "The session", content: Content::json::<Session>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: SignedUser) -> http::Answer<Json<Session>> {
    Ok(Json(view(&app, &signed.access, &signed.who).await?))
}
