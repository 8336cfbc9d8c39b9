// SPDX-License-Identifier: EUPL-1.2
//! POST /quarantine/{id}/retry: tries again.

use belofte_model::Permission;

use super::RetriedIntake;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::http::Code;

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "retry_quarantine",
    "/quarantine/{id}/retry",
    Tag::Channels,
    "Tries to file a quarantined mail again",
)
.may(Permission::RetryQuarantine)
.answers(&[Answer { status: 202, meaning: "Will be tried", content: Content::json::<RetriedIntake>() }])
.problems(&[Code::Conflict]);
