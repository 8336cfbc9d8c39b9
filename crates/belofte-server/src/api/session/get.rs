// SPDX-License-Identifier: EUPL-1.2
//! GET /session: who is signed in.

use super::Session;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("get_session", "/session", Tag::Session, "Who is signed in, and what they may do")
        .answers(&[Answer { status: 200, meaning: "The session", content: Content::json::<Session>() }]);
