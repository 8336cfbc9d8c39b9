// SPDX-License-Identifier: EUPL-1.2
//! GET /contacts/{id}: one person.

use belofte_model::Permission;

use super::Contact;
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("get_contact", "/contacts/{id}", Tag::Contacts, "One person with their identities")
        .may(Permission::ReadConversations)
        .answers(&[Answer { status: 200, meaning: "The contact", content: Content::json::<Contact>() }]);
