// SPDX-License-Identifier: EUPL-1.2
//! DELETE /api-keys/{id}: revokes.

use belofte_model::Permission;

use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::delete(
    "revoke_api_key",
    "/api-keys/{id}",
    Tag::ApiKeys,
    "Revokes a key at once; an instruction",
)
.may(Permission::ManageApiKeys)
.answers(&[Answer { status: 204, meaning: "Revoked", content: Content::Nothing }]);
