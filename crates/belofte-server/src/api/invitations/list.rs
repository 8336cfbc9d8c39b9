// SPDX-License-Identifier: EUPL-1.2
//! GET /invitations: the open invitations.

use belofte_model::Permission;

use super::InvitationList;
use crate::api::operation::{Answer, Content, Operation, Tag};

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
