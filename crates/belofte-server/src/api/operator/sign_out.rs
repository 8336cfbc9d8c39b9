// SPDX-License-Identifier: EUPL-1.2
//! DELETE /operator/session: signs an operator user out.

use ::http::{StatusCode, header};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::app::{App, SignedOperator};
use crate::http::{self, Cookie};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::delete("operator_sign_out", "/operator/session", Tag::Operator, "Signs the operator user out")
        .caller(Caller::Operator)
        .answers(&[Answer { status: 204, meaning: "Signed out", content: Content::Nothing }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: SignedOperator) -> http::Answer<Response> {
    app.core.store.system().end_operator_session(signed.operator.id, signed.token.expose()).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, Cookie::Operator.clear())]).into_response())
}
