// SPDX-License-Identifier: EUPL-1.2
//! POST /channel-accounts: a new account.

use belofte_model::Permission;

use super::{ChannelAccount, CreateChannelAccount};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_channel_account",
    "/channel-accounts",
    Tag::Channels,
    "Adds an account; an instruction",
)
.may(Permission::ManageChannelAccounts)
.takes(Content::json::<CreateChannelAccount>())
.answers(&[Answer { status: 201, meaning: "The account", content: Content::json::<ChannelAccount>() }])
.problems(&[Code::Conflict]);
