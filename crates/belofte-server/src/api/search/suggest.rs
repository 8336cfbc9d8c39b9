// SPDX-License-Identifier: EUPL-1.2
//! POST /search/suggest: completes.

use belofte_model::Permission;

use super::{Suggest, Suggestions};
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("suggest", "/search/suggest", Tag::Search, "Completes what is being typed")
        .may(Permission::ReadConversations)
        .takes(Content::json::<Suggest>())
        .answers(&[Answer {
            status: 200,
            meaning: "Words and people",
            content: Content::json::<Suggestions>(),
        }]);
