// SPDX-License-Identifier: EUPL-1.2
//! PATCH /channel-accounts/{id}: changes an account.

use belofte_model::Permission;

use super::{ChannelAccount, UpdateChannelAccount};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_channel_account",
    "/channel-accounts/{id}",
    Tag::Channels,
    "Changes an account; an instruction",
)
.may(Permission::ManageChannelAccounts)
.takes(Content::json::<UpdateChannelAccount>())
.answers(&[Answer {
    status: 200,
    meaning: "The account as it is now",
    content: Content::json::<ChannelAccount>(),
}])
.problems(&[Code::Conflict]);
