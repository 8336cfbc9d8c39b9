// SPDX-License-Identifier: EUPL-1.2
//! POST /contacts: somebody whom the tenant adds itself.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{ContactId, EmailAddress, Permission};
use belofte_store::{AddError, Added, MOST_NEW_ADDRESSES, NewPerson, ViewKind};
use uuid::Uuid;

use super::update::NAME;
use super::{Contact, ContactField, CreateContact};
use crate::api::fields::code_of_value;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Checks, ContextOf, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("create_contact", "/contacts", Tag::Contacts, "Adds a person whom nobody has met yet")
        .may(Permission::Answer)
        .takes(Content::json::<CreateContact>())
        .answers(&[Answer { status: 201, meaning: "The contact", content: Content::json::<Contact>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`](http::Code::Invalid) with what does not hold: `taken` for an address that somebody has;
/// [`Code::NotFound`](http::Code::NotFound) for who sees no names or addresses; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(asked): Json<CreateContact>,
) -> http::Answer<Response> {
    let (store, access) = (&app.core.store, &signed.access);
    let act = async |intended: Option<Uuid>| {
        let person = read(&asked, intended)?;
        let added = store.add_contacts(access, std::slice::from_ref(&person)).await;
        let added = added.map_err(|error| refused(error, &asked.values))?;
        let Some(Added::Made(id)) = added.first() else {
            return Err(ApiError::field("addresses", FieldCode::Taken));
        };
        let contact = store.contact(access, *id).await?;
        app.views.note(access, ViewKind::Contact, id.uuid())?;
        Ok(Contact::from(contact))
    };
    app.once_as(access, &context, &key, StatusCode::CREATED, act).await
}

fn read(asked: &CreateContact, intended: Option<Uuid>) -> http::Answer<NewPerson> {
    let name = asked.name.trim();
    let mut checks = Checks::default();
    checks.text(name, "name", 0, NAME);
    checks.that(!name.chars().any(char::is_control), "name", FieldCode::Invalid);
    checks.that(!name.is_empty() || !asked.addresses.is_empty(), "name", FieldCode::Required);
    checks.that(asked.addresses.len() <= MOST_NEW_ADDRESSES, "addresses", FieldCode::TooLong);
    let mut addresses: Vec<(String, String)> = Vec::with_capacity(asked.addresses.len());
    for (place, written) in asked.addresses.iter().enumerate() {
        let path = format!("addresses[{place}]");
        match EmailAddress::parse(written) {
            Ok(address) => {
                let twice = addresses.iter().any(|(_, known)| *known == address.normalised());
                checks.that(!twice, &path, FieldCode::Taken);
                addresses.push((written.trim().to_owned(), address.normalised()));
            }
            Err(_) => {
                checks.that(false, &path, FieldCode::Invalid);
            }
        }
    }
    checks.done()?;
    let values = asked.values.iter().map(|one| (one.field_id, one.value.clone().into()));
    Ok(NewPerson { id: intended.map(ContactId), name: name.to_owned(), addresses, values: values.collect() })
}

fn refused(error: AddError, values: &[ContactField]) -> ApiError {
    let place = |field| values.iter().position(|one| one.field_id == field).unwrap_or(0);
    match error {
        AddError::Value(_, field, fault) => {
            ApiError::field(format!("values[{}].value", place(field)), code_of_value(fault))
        }
        AddError::NoSuchField(_, field) => {
            ApiError::field(format!("values[{}].field_id", place(field)), FieldCode::NotFound)
        }
        AddError::TooMany | AddError::Nobody(_) => ApiError::field("name", FieldCode::Required),
        AddError::Twice(_) => ApiError::field("addresses", FieldCode::Taken),
        AddError::Store(error) => error.into(),
    }
}
