// SPDX-License-Identifier: EUPL-1.2
//! POST /invitations/look: what an invitation is for.

use axum::Json as Shown;
use axum::extract::State;

use super::open;
use super::{InvitationView, LookAtInvitation};
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::app::App;
use crate::http::{self, Code, ContextOf, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "look_at_invitation",
    "/invitations/look",
    Tag::Users,
    "What an invitation is for; the token goes in the body, never in a URL",
)
.done_again()
.caller(Caller::Anyone)
.takes(Content::json::<LookAtInvitation>())
.answers(&[Answer { status: 200, meaning: "What it is for", content: Content::json::<InvitationView>() }])
.problems(&[Code::InvitationInvalid, Code::TooManyTries]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::InvitationInvalid`], [`Code::TooManyTries`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    Json(wanted): Json<LookAtInvitation>,
) -> http::Answer<Shown<InvitationView>> {
    let invitation = open(&app, &context, &wanted.token).await?;
    Ok(Shown(InvitationView {
        tenant_name: invitation.tenant_name,
        role: invitation.role,
        expires_at: invitation.expires_at.into(),
    }))
}
