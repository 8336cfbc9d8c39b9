// SPDX-License-Identifier: EUPL-1.2
//! GET /me/second-factor: how one's own stands.

use axum::Json;
use axum::extract::State;

use super::SecondFactor;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_second_factor",
    "/me/second-factor",
    Tag::Session,
    "Whether one has a second factor, and how many recovery codes are left",
)
.answers(&[Answer { status: 200, meaning: "How it stands", content: Content::json::<SecondFactor>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: SignedUser) -> http::Answer<Json<SecondFactor>> {
    let own = app.core.store.second_factor(&signed.access).await?;
    Ok(Json(SecondFactor {
        since: own.since.map(Into::into),
        recovery_codes: own.recovery_codes,
        asked: own.asked,
    }))
}
