// SPDX-License-Identifier: EUPL-1.2
//! DELETE /signing-keys/{id}: takes a key back.

use ::http::StatusCode;
use axum::extract::State;
use belofte_model::{Permission, SigningKeyId};

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::delete(
    "withdraw_signing_key",
    "/signing-keys/{id}",
    Tag::Channels,
    "Takes a key back: one that signs ends and is kept as a former one, any other is gone; an instruction",
)
.may(Permission::ManageChannelAccounts)
.answers(&[Answer { status: 204, meaning: "Taken back", content: Content::Nothing }])
.problems(&[Code::Conflict, Code::NotFound]);

/// Answers the endpoint.
///
/// # Errors
/// 404; [`Code::Conflict`] when it changed at the same moment; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<SigningKeyId>,
) -> http::Answer<StatusCode> {
    app.core.store.withdraw_signing_key(&signed.access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
