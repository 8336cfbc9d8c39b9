// SPDX-License-Identifier: EUPL-1.2
//! GET /quarantine/{id}/source: the bytes.

use belofte_model::Permission;

use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_quarantine_source",
    "/quarantine/{id}/source",
    Tag::Channels,
    "The bytes of a quarantined mail; the view is a leaf of the ledger",
)
.may(Permission::RetryQuarantine)
.answers(&[Answer { status: 200, meaning: "The source", content: Content::Bytes("message/rfc822") }]);
