// SPDX-License-Identifier: EUPL-1.2
//! GET /api-keys: the keys.

use belofte_model::Permission;

use super::ApiKeyList;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_api_keys", "/api-keys", Tag::ApiKeys, "The keys, without their secret")
        .may(Permission::ManageApiKeys)
        .answers(&[Answer {
            status: 200,
            meaning: "The keys, newest first",
            content: Content::json::<ApiKeyList>(),
        }]);
