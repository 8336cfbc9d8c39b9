// SPDX-License-Identifier: EUPL-1.2
//! POST /session: signs in.

use super::{Session, SignIn};
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("sign_in", "/session", Tag::Session, "Signs in with an address and a password")
        .caller(Caller::Anyone)
        .takes(Content::json::<SignIn>())
        .answers(&[Answer {
            status: 201,
            meaning: "Signed in; the cookie is set",
            content: Content::json::<Session>(),
        }])
        .problems(&[Code::SignInFailed, Code::TooManyTries, Code::ChooseOrganisation]);
