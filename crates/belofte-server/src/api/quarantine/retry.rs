// SPDX-License-Identifier: EUPL-1.2
//! POST /quarantine/{id}/retry: tries again.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::Permission;
use belofte_model::{IntakeId, IntakeState};
use belofte_store::RetryQuarantined;

use super::RetriedIntake;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, ContextOf, Id, IdempotencyKey};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "retry_quarantine",
    "/quarantine/{id}/retry",
    Tag::Channels,
    "Tries to file a quarantined mail again",
)
.may(Permission::RetryQuarantine)
.answers(&[Answer { status: 202, meaning: "Will be tried", content: Content::json::<RetriedIntake>() }])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// 404 for a mail that is not in quarantine; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    Id(id): Id<IntakeId>,
    key: IdempotencyKey,
) -> http::Answer<Response> {
    let plan = async {
        let (store, access) = (&app.core.store, &signed.access);
        let change = RetryQuarantined::prepare(store, access, id);
        Ok((change, RetriedIntake { id, state: IntakeState::Received }))
    };
    app.once_with(&signed.access, &context, &key, StatusCode::ACCEPTED, plan).await
}
