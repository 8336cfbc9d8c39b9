// SPDX-License-Identifier: EUPL-1.2
//! GET /operator/dead-letters: failed work of the installation.

use super::OperatorDeadLetterList;
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "operator_dead_letters",
    "/operator/dead-letters",
    Tag::Operator,
    "Background work that failed for good, over all tenants, without content",
)
.caller(Caller::Operator)
.answers(&[Answer {
    status: 200,
    meaning: "The work, newest first",
    content: Content::json::<OperatorDeadLetterList>(),
}]);
