// SPDX-License-Identifier: EUPL-1.2
//! GET /dead-letters: what failed.

use belofte_model::Permission;

use super::DeadLetterList;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_dead_letters",
    "/dead-letters",
    Tag::Upkeep,
    "Background work of this tenant that failed for good",
)
.may(Permission::SeeDeadLetters)
.answers(&[Answer {
    status: 200,
    meaning: "The work, newest first",
    content: Content::json::<DeadLetterList>(),
}]);
