// SPDX-License-Identifier: EUPL-1.2
//! POST /search: finds.

use belofte_model::Permission;

use super::{Search, SearchPage};
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("search", "/search", Tag::Search, "Finds conversations by the words in them")
        .may(Permission::ReadConversations)
        .takes(Content::json::<Search>())
        .answers(&[Answer {
            status: 200,
            meaning: "The hits, best first",
            content: Content::json::<SearchPage>(),
        }]);
