// SPDX-License-Identifier: EUPL-1.2
//! GET /users: the users of the tenant.

use belofte_model::Permission;

use super::UserList;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_users",
    "/users",
    Tag::Users,
    "The users of the tenant; an admin also sees addresses and settings",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The users by name", content: Content::json::<UserList>() }]);
