// SPDX-License-Identifier: EUPL-1.2
//! PATCH /contacts/{id}: another name.

use belofte_model::Permission;

use super::{Contact, UpdateContact};
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::patch("update_contact", "/contacts/{id}", Tag::Contacts, "Changes the name of a person")
        .may(Permission::Answer)
        .takes(Content::json::<UpdateContact>())
        .answers(&[Answer {
            status: 200,
            meaning: "The contact as it is now",
            content: Content::json::<Contact>(),
        }]);
