// SPDX-License-Identifier: EUPL-1.2
//! GET /operator/session: which operator user is signed in.

use axum::Json;

use super::OperatorSession;
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::app::SignedOperator;
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_operator_session",
    "/operator/session",
    Tag::Operator,
    "Which operator user is signed in",
)
.caller(Caller::Operator)
.answers(&[Answer { status: 200, meaning: "The session", content: Content::json::<OperatorSession>() }]);

/// Answers the endpoint.
///
/// # Errors
/// None of its own.
pub async fn handle(signed: SignedOperator) -> http::Answer<Json<OperatorSession>> {
    Ok(Json(signed.operator.into()))
}
