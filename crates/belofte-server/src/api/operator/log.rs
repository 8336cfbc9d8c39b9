// SPDX-License-Identifier: EUPL-1.2
//! GET /operator/log: what the operator's people and commands did.

use axum::Json;
use axum::extract::State;

use super::{ListOperatorLog, OperatorLog, OperatorLogEntry};
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::app::{App, SignedOperator};
use crate::http::{self, ApiError, FieldCode, Query, page_limit};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "operator_log",
    "/operator/log",
    Tag::Operator,
    "The installation's ledger, newest first: sign-ins of the operator, and what its commands did",
)
.caller(Caller::Operator)
.query::<ListOperatorLog>()
.answers(&[Answer { status: 200, meaning: "The page", content: Content::json::<OperatorLog>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`http::Code::Invalid`] for parameters that are none; those of the store.
pub async fn handle(
    State(app): State<App>,
    _: SignedOperator,
    Query(asked): Query<ListOperatorLog>,
) -> http::Answer<Json<OperatorLog>> {
    let limit = page_limit(asked.limit)?;
    let out_of_range = |_| ApiError::field("before", FieldCode::OutOfRange);
    let before = asked.before.map(u64::try_from).transpose().map_err(out_of_range)?;
    let store = &app.core.store;
    let page = store.ledger_page(&store.system().installation(), before, limit).await?;
    let checkpoint = page.checkpoint.map(|checkpoint| String::from_utf8_lossy(&checkpoint.note).into_owned());
    Ok(Json(OperatorLog {
        items: page.entries.iter().map(OperatorLogEntry::from).collect(),
        size: i64::try_from(page.size).unwrap_or(i64::MAX),
        checkpoint,
    }))
}
