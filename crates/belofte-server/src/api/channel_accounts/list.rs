// SPDX-License-Identifier: EUPL-1.2
//! GET /channel-accounts: the accounts.

use belofte_model::Permission;

use super::ChannelAccountList;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_channel_accounts",
    "/channel-accounts",
    Tag::Channels,
    "The accounts that are not removed",
)
.may(Permission::SeeMailAccounting)
.answers(&[Answer { status: 200, meaning: "The accounts", content: Content::json::<ChannelAccountList>() }]);
