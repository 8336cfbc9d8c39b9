// SPDX-License-Identifier: EUPL-1.2
//! PATCH /contacts/{id}: another name.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{ContactId, Permission};
use belofte_store::{ContactProfile, ViewKind};

use super::{Contact, UpdateContact};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, FieldCode, Id, Json};

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

/// The longest name, in characters.
pub(super) const NAME: usize = 200;

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`](http::Code::Invalid) for a name that is too long or holds control
/// characters, [`Code::NotFound`](http::Code::NotFound), and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ContactId>,
    Json(asked): Json<UpdateContact>,
) -> http::Answer<Body<Contact>> {
    let (store, access) = (&app.core.store, &signed.access);
    let name = asked.name.trim();
    let mut checks = Checks::default();
    checks.text(name, "name", 0, NAME);
    checks.that(!name.chars().any(char::is_control), "name", FieldCode::Invalid).done()?;
    store.change_contact(access, id, &ContactProfile { name: name.to_owned() }).await?;
    let contact = store.contact(access, id).await?;
    app.views.note(access, ViewKind::Contact, id.uuid())?;
    Ok(Body(contact.into()))
}
