// SPDX-License-Identifier: EUPL-1.2
//! POST /dead-letters/{id}/retry: tries again.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::JobId;
use belofte_model::Permission;
use belofte_store::ReviveJob;

use super::DeadLetter;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, ContextOf, Id, IdempotencyKey};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("retry_dead_letter", "/dead-letters/{id}/retry", Tag::Upkeep, "Queues failed work again")
        .may(Permission::SeeDeadLetters)
        .answers(&[Answer { status: 202, meaning: "Will be tried", content: Content::json::<DeadLetter>() }])
        .problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// 404 for work that has not failed for good; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    Id(id): Id<JobId>,
    key: IdempotencyKey,
) -> http::Answer<Response> {
    let plan = async {
        let (store, access) = (&app.core.store, &signed.access);
        let letters = store.dead_letters(access).await?;
        let letter = letters.into_iter().find(|letter| letter.id == id).ok_or(Code::NotFound)?;
        Ok((ReviveJob { id, now: context.at }, DeadLetter::from(letter)))
    };
    app.once_with(&signed.access, &context, &key, StatusCode::ACCEPTED, plan).await
}
