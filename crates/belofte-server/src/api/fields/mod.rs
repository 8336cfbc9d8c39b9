// SPDX-License-Identifier: EUPL-1.2
//! The tenant's own fields: how they are set up, and what people and cases have in them.

pub mod create;
pub mod list;
pub mod of_contact;
pub mod of_conversation;
pub mod order;
pub mod preview;
pub mod readable;
pub mod remove;
mod types;
pub mod update;
pub mod update_of_contact;
pub mod update_of_conversation;

pub use types::*;

use axum::Router;
use belofte_model::{FieldFault, MOST_FIELDS, ValueFault};
use belofte_store::{FieldError, RecordId, ValueChange, ValueError};

use crate::api::operation::Operation;
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Checks, Code, FieldCode, FieldProblem, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[
    list::OPERATION,
    readable::OPERATION,
    create::OPERATION,
    order::OPERATION,
    update::OPERATION,
    remove::OPERATION,
    preview::OPERATION,
    of_contact::OPERATION,
    update_of_contact::OPERATION,
    of_conversation::OPERATION,
    update_of_conversation::OPERATION,
];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &readable::OPERATION, readable::handle);
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &order::OPERATION, order::handle);
    let router = route(router, &update::OPERATION, update::handle);
    let router = route(router, &remove::OPERATION, remove::handle);
    let router = route(router, &preview::OPERATION, preview::handle);
    let router = route(router, &of_contact::OPERATION, of_contact::handle);
    let router = route(router, &update_of_contact::OPERATION, update_of_contact::handle);
    let router = route(router, &of_conversation::OPERATION, of_conversation::handle);
    route(router, &update_of_conversation::OPERATION, update_of_conversation::handle)
}

const fn code_of(fault: FieldFault) -> FieldCode {
    match fault {
        FieldFault::Required => FieldCode::Required,
        FieldFault::Invalid => FieldCode::Invalid,
        FieldFault::TooLong => FieldCode::TooLong,
        FieldFault::OutOfRange => FieldCode::OutOfRange,
        FieldFault::Taken => FieldCode::Taken,
        FieldFault::NotFound => FieldCode::NotFound,
    }
}

/// Why a value is not taken.
pub(in crate::api) const fn code_of_value(fault: ValueFault) -> FieldCode {
    match fault {
        ValueFault::Invalid => FieldCode::Invalid,
        ValueFault::TooShort => FieldCode::TooShort,
        ValueFault::TooLong => FieldCode::TooLong,
        ValueFault::OutOfRange => FieldCode::OutOfRange,
        ValueFault::NotFound => FieldCode::NotFound,
    }
}

/// What a refusal of the store means to the caller.
fn refused(error: FieldError) -> ApiError {
    match error {
        FieldError::TooMany => Code::TooManyFields.into(),
        FieldError::Settings(faults) => {
            let problem =
                |(path, fault)| FieldProblem { field: format!("settings.{path}"), code: code_of(fault) };
            ApiError::fields(faults.into_iter().map(problem).collect())
        }
        FieldError::NoSuchQueue => ApiError::field("settings.queue_ids", FieldCode::NotFound),
        FieldError::HoldsRefused => Code::FieldHoldsRefused.into(),
        FieldError::NotArchived => Code::FieldInUse.into(),
        FieldError::NotAll => Code::Conflict.into(),
        FieldError::Store(error) => error.into(),
    }
}

/// What a person or a case has in the fields that who asks reads.
async fn told(app: &App, signed: &Signed, id: RecordId) -> http::Answer<RecordFieldList> {
    let access = &signed.access;
    let (audience, now) = (access.audience(), access.clock().now());
    let language = signed.who.language().unwrap_or_default();
    let all = app.core.store.fields_of(access, id).await?;
    let told = all.into_iter().map(|one| RecordField::of(one, audience, language, now));
    Ok(RecordFieldList { items: told.collect() })
}

/// Changes what a person or a case has in some fields, and gives what they have then.
async fn change(
    app: &App,
    signed: &Signed,
    id: RecordId,
    asked: ChangeRecordFields,
) -> http::Answer<RecordFieldList> {
    Checks::default().that(asked.values.len() <= MOST_FIELDS, "values", FieldCode::TooLong).done()?;
    let places: Vec<_> = asked.values.iter().map(|change| change.field_id).collect();
    let changes = asked.values.into_iter().map(|change| ValueChange {
        field: change.field_id,
        field_version: change.field_version,
        version: change.version,
        value: change.value.map(Into::into),
    });
    let place = |field| places.iter().position(|one| *one == field).unwrap_or(0);
    let done = app.core.store.change_fields_of(&signed.access, id, changes.collect()).await;
    done.map_err(|error| match error {
        ValueError::Value(field, fault) => {
            ApiError::field(format!("values[{}].value", place(field)), code_of_value(fault))
        }
        ValueError::Required(field) => {
            ApiError::field(format!("values[{}].value", place(field)), FieldCode::Required)
        }
        ValueError::NoSuchField(field) => {
            ApiError::field(format!("values[{}].field_id", place(field)), FieldCode::NotFound)
        }
        ValueError::Changed(_) => Code::Conflict.into(),
        ValueError::Store(error) => error.into(),
    })?;
    told(app, signed, id).await
}
