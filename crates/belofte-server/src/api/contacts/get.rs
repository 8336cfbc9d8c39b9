// SPDX-License-Identifier: EUPL-1.2
//! GET /contacts/{id}: one person.

use axum::Json;
use axum::extract::State;
use belofte_model::{ContactId, Permission};
use belofte_store::ViewKind;

use super::Contact;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("get_contact", "/contacts/{id}", Tag::Contacts, "One person with their identities")
        .may(Permission::ReadConversations)
        .answers(&[Answer { status: 200, meaning: "The contact", content: Content::json::<Contact>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::NotFound`](http::Code::NotFound), and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ContactId>,
) -> http::Answer<Json<Contact>> {
    let contact = app.core.store.contact(&signed.access, id).await?;
    app.views.note(&signed.access, ViewKind::Contact, id.uuid())?;
    Ok(Json(contact.into()))
}
