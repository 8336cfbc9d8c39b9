// SPDX-License-Identifier: EUPL-1.2
//! POST /invitations/accept: becomes a user.

use super::AcceptInvitation;
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::api::session::Session;
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("accept_invitation", "/invitations/accept", Tag::Users, "Becomes a user and signs in")
        .caller(Caller::Anyone)
        .takes(Content::json::<AcceptInvitation>())
        .answers(&[Answer {
            status: 201,
            meaning: "A user, signed in; the cookie is set",
            content: Content::json::<Session>(),
        }])
        .problems(&[Code::InvitationInvalid, Code::Conflict, Code::TooManyTries]);
