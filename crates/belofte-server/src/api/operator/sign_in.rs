// SPDX-License-Identifier: EUPL-1.2
//! POST /operator/session: signs an operator user in.

use super::{OperatorSession, OperatorSignIn};
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("operator_sign_in", "/operator/session", Tag::Operator, "Signs an operator user in")
        .caller(Caller::Anyone)
        .takes(Content::json::<OperatorSignIn>())
        .answers(&[Answer {
            status: 201,
            meaning: "Signed in; the operator's cookie is set",
            content: Content::json::<OperatorSession>(),
        }])
        .problems(&[Code::SignInFailed, Code::TooManyTries]);
