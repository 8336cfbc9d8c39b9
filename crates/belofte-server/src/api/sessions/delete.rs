// SPDX-License-Identifier: EUPL-1.2
//! DELETE /sessions/{id}: ends one of one's own sessions.

use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::delete("end_session", "/sessions/{id}", Tag::Session, "Ends one of one's own sessions")
        .answers(&[Answer { status: 204, meaning: "Ended", content: Content::Nothing }]);
