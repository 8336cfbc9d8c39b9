// SPDX-License-Identifier: EUPL-1.2
//! DELETE /session: signs out.

use ::http::{StatusCode, header};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use belofte_store::{StoreError, Who};

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Code, Cookie};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::delete("sign_out", "/session", Tag::Session, "Signs out; the session ends on the server")
        .answers(&[Answer { status: 204, meaning: "Signed out", content: Content::Nothing }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: SignedUser) -> http::Answer<Response> {
    let Who::User { session, .. } = signed.who.who() else { return Err(Code::Forbidden.into()) };
    match app.core.store.end_session(&signed.access, *session).await {
        // Ended in another window a moment ago: what was asked for holds.
        Ok(()) | Err(StoreError::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, Cookie::User.clear())]).into_response())
}
