// SPDX-License-Identifier: EUPL-1.2
//! GET /invitations: the open invitations.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::Invitation;
use super::InvitationList;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_invitations",
    "/invitations",
    Tag::Users,
    "The invitations that can still be accepted",
)
.may(Permission::ManageUsers)
.answers(&[Answer {
    status: 200,
    meaning: "The invitations, newest first",
    content: Content::json::<InvitationList>(),
}]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<InvitationList>> {
    let open = app.core.store.invitations(&signed.access).await?;
    let items = open.into_iter().map(|invitation| Invitation {
        id: invitation.id,
        role: invitation.role,
        privacy_officer: invitation.privacy_officer,
        created_at: invitation.created_at.into(),
        expires_at: invitation.expires_at.into(),
    });
    Ok(Json(InvitationList { items: items.collect() }))
}
