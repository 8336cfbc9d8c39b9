// SPDX-License-Identifier: EUPL-1.2
//! PATCH /me: one's own settings.

use super::UpdateMe;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::api::users::User;

/// The endpoint.
pub const OPERATION: Operation =
    Operation::patch("update_me", "/me", Tag::Session, "Changes one's own name and settings")
        .takes(Content::json::<UpdateMe>())
        .answers(&[Answer {
            status: 200,
            meaning: "The user as it is now",
            content: Content::json::<User>(),
        }]);
