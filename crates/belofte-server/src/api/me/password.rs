// SPDX-License-Identifier: EUPL-1.2
//! POST /me/password: another password.

use super::ChangePassword;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "change_password",
    "/me/password",
    Tag::Session,
    "Changes one's own password and ends one's other sessions",
)
.takes(Content::json::<ChangePassword>())
.answers(&[Answer { status: 204, meaning: "Changed", content: Content::Nothing }])
.problems(&[Code::SignInFailed, Code::TooManyTries]);
