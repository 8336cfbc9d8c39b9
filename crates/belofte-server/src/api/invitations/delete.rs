// SPDX-License-Identifier: EUPL-1.2
//! DELETE /invitations/{id}: withdraws.

use ::http::StatusCode;
use axum::extract::State;
use belofte_model::InvitationId;
use belofte_model::Permission;

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::delete("withdraw_invitation", "/invitations/{id}", Tag::Users, "Withdraws an invitation")
        .may(Permission::ManageUsers)
        .answers(&[Answer { status: 204, meaning: "Withdrawn", content: Content::Nothing }]);

/// Answers the endpoint.
///
/// # Errors
/// 404 for one that is not open; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<InvitationId>,
) -> http::Answer<StatusCode> {
    app.core.store.revoke_invitation(&signed.access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
