// SPDX-License-Identifier: EUPL-1.2
//! GET /channel-accounts/{id}/accounting: where all mail went.

use belofte_model::Permission;

use super::Accounting;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_accounting",
    "/channel-accounts/{id}/accounting",
    Tag::Channels,
    "What was received and where it went: received = imported + duplicates + quarantined + pending",
)
.may(Permission::SeeMailAccounting)
.answers(&[Answer { status: 200, meaning: "The sums", content: Content::json::<Accounting>() }]);
