// SPDX-License-Identifier: EUPL-1.2
//! GET /operator/dead-letters: failed work of the installation.

use axum::Json;
use axum::extract::State;

use super::OperatorDeadLetter;
use super::OperatorDeadLetterList;
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::app::{App, SignedOperator};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "operator_dead_letters",
    "/operator/dead-letters",
    Tag::Operator,
    "Background work that failed for good, over all tenants, without content",
)
.caller(Caller::Operator)
.answers(&[Answer {
    status: 200,
    meaning: "The work, newest first",
    content: Content::json::<OperatorDeadLetterList>(),
}]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, _: SignedOperator) -> http::Answer<Json<OperatorDeadLetterList>> {
    let letters = app.core.store.system().all_dead_letters().await?;
    let items = letters.into_iter().map(|(tenant, letter)| OperatorDeadLetter {
        id: letter.id,
        tenant_id: tenant,
        kind: letter.kind,
        failed_at: letter.failed_at.into(),
        attempts: letter.attempts,
        error_code: letter.code.unwrap_or_else(|| "unknown".to_owned()),
    });
    Ok(Json(OperatorDeadLetterList { items: items.collect() }))
}
