// SPDX-License-Identifier: EUPL-1.2
//! PATCH /fields/{id}: another label, kind, place or audience; archived or not.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{FieldId, Permission};
use belofte_store::FieldChange;

use super::{Field, UpdateField, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_field",
    "/fields/{id}",
    Tag::Fields,
    "Changes how a field is set up, archives it or takes it into use again; an instruction",
)
.may(Permission::ManageFields)
.takes(Content::json::<UpdateField>())
.answers(&[Answer { status: 200, meaning: "The field as it is now", content: Content::json::<Field>() }])
.problems(&[Code::Conflict, Code::FieldHoldsRefused]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`], [`Code::NotFound`], [`Code::Conflict`]; [`Code::FieldHoldsRefused`] when it would no longer be
/// data that needs a signature, and such data stands in it; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<FieldId>,
    Json(asked): Json<UpdateField>,
) -> http::Answer<Body<Field>> {
    let access = &signed.access;
    let change = FieldChange {
        version: asked.version,
        settings: asked.settings.map(super::FieldSettings::read).transpose()?,
        archived: asked.archived,
    };
    let changed = app.core.store.change_field(access, id, change).await.map_err(refused)?;
    Ok(Body(Field::of(changed, access.clock().now())))
}
