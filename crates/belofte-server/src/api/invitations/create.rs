// SPDX-License-Identifier: EUPL-1.2
//! POST /invitations: invites.

use belofte_model::Permission;

use super::{CreateInvitation, CreatedInvitation};
use crate::api::operation::{Answer, Content, Operation, Tag};

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
}]);
