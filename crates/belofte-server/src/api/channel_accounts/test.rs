// SPDX-License-Identifier: EUPL-1.2
//! POST /channel-accounts/test: tries a connection.

use belofte_model::Permission;

use super::{TestChannelAccount, TestedChannelAccount};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "test_channel_account",
    "/channel-accounts/test",
    Tag::Channels,
    "Tries to connect and sign in, step by step, without sending",
)
.may(Permission::ManageChannelAccounts)
.takes(Content::json::<TestChannelAccount>())
.answers(&[Answer {
    status: 200,
    meaning: "What each step gave",
    content: Content::json::<TestedChannelAccount>(),
}])
.problems(&[Code::TooManyTries, Code::NotFound]);
