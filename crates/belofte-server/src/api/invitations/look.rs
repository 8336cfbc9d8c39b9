// SPDX-License-Identifier: EUPL-1.2
//! POST /invitations/look: what an invitation is for.

use super::{InvitationView, LookAtInvitation};
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "look_at_invitation",
    "/invitations/look",
    Tag::Users,
    "What an invitation is for; the token goes in the body, never in a URL",
)
.caller(Caller::Anyone)
.takes(Content::json::<LookAtInvitation>())
.answers(&[Answer { status: 200, meaning: "What it is for", content: Content::json::<InvitationView>() }])
.problems(&[Code::InvitationInvalid, Code::TooManyTries]);
