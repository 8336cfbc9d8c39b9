// SPDX-License-Identifier: EUPL-1.2
//! DELETE /channel-accounts/{id}: removes an account.

use belofte_model::Permission;

use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::delete(
    "remove_channel_account",
    "/channel-accounts/{id}",
    Tag::Channels,
    "Removes an account; its history stays; an instruction",
)
.may(Permission::ManageChannelAccounts)
.answers(&[Answer { status: 204, meaning: "Removed", content: Content::Nothing }]);
