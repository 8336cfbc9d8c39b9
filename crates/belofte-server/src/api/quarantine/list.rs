// SPDX-License-Identifier: EUPL-1.2
//! GET /quarantine: a page of it.

use belofte_model::Permission;

use super::{ListQuarantine, QuarantinePage};
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_quarantine", "/quarantine", Tag::Channels, "Quarantined mail, newest first")
        .may(Permission::SeeMailAccounting)
        .query::<ListQuarantine>()
        .answers(&[Answer { status: 200, meaning: "The page", content: Content::json::<QuarantinePage>() }]);
