// SPDX-License-Identifier: EUPL-1.2
//! POST /dead-letters/{id}/retry: tries again.

use belofte_model::Permission;

use super::DeadLetter;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("retry_dead_letter", "/dead-letters/{id}/retry", Tag::Upkeep, "Queues failed work again")
        .may(Permission::SeeDeadLetters)
        .answers(&[Answer { status: 202, meaning: "Will be tried", content: Content::json::<DeadLetter>() }])
        .problems(&[Code::Conflict]);
