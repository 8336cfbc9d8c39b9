// SPDX-License-Identifier: EUPL-1.2
//! POST /api-keys: a new key.

use belofte_model::Permission;

use super::{CreateApiKey, CreatedApiKey};
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_api_key",
    "/api-keys",
    Tag::ApiKeys,
    "Makes a key; its secret is shown once; an instruction",
)
.may(Permission::ManageApiKeys)
.takes(Content::json::<CreateApiKey>())
.answers(&[Answer {
    status: 201,
    meaning: "The key with its secret",
    content: Content::json::<CreatedApiKey>(),
}]);
