// SPDX-License-Identifier: EUPL-1.2
//! DELETE /session: signs out.

use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::delete("sign_out", "/session", Tag::Session, "Signs out; the session ends on the server")
        .answers(&[Answer { status: 204, meaning: "Signed out", content: Content::Nothing }]);
