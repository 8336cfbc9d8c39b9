// SPDX-License-Identifier: EUPL-1.2
//! POST /invitations: invites.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::Permission;

use super::{CreateInvitation, CreatedInvitation};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, ContextOf, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_invitation",
    "/invitations",
    Tag::Users,
    "Makes a single-use link with which somebody becomes a user",
)
.may(Permission::ManageUsers)
.takes(Content::json::<CreateInvitation>())
.answers(&[Answer {
    status: 201,
    meaning: "The link, shown once",
    content: Content::json::<CreatedInvitation>(),
}])
.problems(&[Code::PrivacyOfficerOnly]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::PrivacyOfficerOnly`] for an invitation with the duty by who does not have it; those of the
/// store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(wanted): Json<CreateInvitation>,
) -> http::Answer<Response> {
    let plan = async {
        let (store, access) = (&app.core.store, &signed.access);
        let (change, made) = store.prepare_invitation(access, wanted.role, wanted.privacy_officer).await?;
        let told = CreatedInvitation {
            id: made.id,
            link: format!("{}/invitation#{}", app.public_url.as_str(), made.token.expose()),
            expires_at: made.expires_at.into(),
        };
        Ok((change, told))
    };
    app.once_with(&signed.access, &context, &key, StatusCode::CREATED, plan).await
}
