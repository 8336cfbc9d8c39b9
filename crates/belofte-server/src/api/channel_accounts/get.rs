// SPDX-License-Identifier: EUPL-1.2
//! GET /channel-accounts/{id}: one account.

use belofte_model::Permission;

use super::ChannelAccount;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("get_channel_account", "/channel-accounts/{id}", Tag::Channels, "One account")
        .may(Permission::SeeMailAccounting)
        .answers(&[Answer {
            status: 200,
            meaning: "The account",
            content: Content::json::<ChannelAccount>(),
        }]);
