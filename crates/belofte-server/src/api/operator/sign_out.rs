// SPDX-License-Identifier: EUPL-1.2
//! DELETE /operator/session: signs an operator user out.

use crate::api::operation::{Answer, Caller, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::delete("operator_sign_out", "/operator/session", Tag::Operator, "Signs the operator user out")
        .caller(Caller::Operator)
        .answers(&[Answer { status: 204, meaning: "Signed out", content: Content::Nothing }]);
