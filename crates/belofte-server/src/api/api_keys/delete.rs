// SPDX-License-Identifier: EUPL-1.2
//! DELETE /api-keys/{id}: revokes.

use ::http::StatusCode;
use axum::extract::State;
use belofte_model::ApiKeyId;
use belofte_model::Permission;

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::delete(
    "revoke_api_key",
    "/api-keys/{id}",
    Tag::ApiKeys,
    "Revokes a key at once; an instruction",
)
.may(Permission::ManageApiKeys)
.answers(&[Answer { status: 204, meaning: "Revoked", content: Content::Nothing }]);

/// Answers the endpoint.
///
/// # Errors
/// 404 for one that is not there; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ApiKeyId>,
) -> http::Answer<StatusCode> {
    app.core.store.revoke_api_key(&signed.access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
