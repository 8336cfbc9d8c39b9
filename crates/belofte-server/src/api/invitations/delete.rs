// SPDX-License-Identifier: EUPL-1.2
//! DELETE /invitations/{id}: withdraws.

use belofte_model::Permission;

use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::delete("withdraw_invitation", "/invitations/{id}", Tag::Users, "Withdraws an invitation")
        .may(Permission::ManageUsers)
        .answers(&[Answer { status: 204, meaning: "Withdrawn", content: Content::Nothing }]);
