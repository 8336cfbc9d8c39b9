// SPDX-License-Identifier: EUPL-1.2
//! PATCH /users/{id}: role, state, duty.

use belofte_model::Permission;

use super::{UpdateUser, User};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_user",
    "/users/{id}",
    Tag::Users,
    "Changes role, state or the duty of privacy officer; an instruction",
)
.may(Permission::ManageUsers)
.takes(Content::json::<UpdateUser>())
.answers(&[Answer { status: 200, meaning: "The user as it is now", content: Content::json::<User>() }])
.problems(&[Code::Conflict]);
