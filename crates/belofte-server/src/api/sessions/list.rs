// SPDX-License-Identifier: EUPL-1.2
//! GET /sessions: one's own sessions.

use super::SessionList;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_sessions", "/sessions", Tag::Session, "One's own sessions").answers(&[Answer {
        status: 200,
        meaning: "The sessions, newest first",
        content: Content::json::<SessionList>(),
    }]);
