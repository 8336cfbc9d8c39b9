// SPDX-License-Identifier: EUPL-1.2
//! POST /fields: a new field.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{FieldId, Permission};
use uuid::Uuid;

use super::{CreateField, Field, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, ContextOf, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_field",
    "/fields",
    Tag::Fields,
    "Makes a field of the tenant's own; an instruction",
)
.may(Permission::ManageFields)
.takes(Content::json::<CreateField>())
.answers(&[Answer { status: 201, meaning: "The field", content: Content::json::<Field>() }])
.problems(&[Code::TooManyFields]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`], [`Code::TooManyFields`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(wanted): Json<CreateField>,
) -> http::Answer<Response> {
    let (record, settings) = (wanted.record, wanted.settings.read()?);
    let act = async |intended: Option<Uuid>| {
        let (store, access, intended) = (&app.core.store, &signed.access, intended.map(FieldId));
        let made = store.create_field(access, intended, record, settings.clone()).await.map_err(refused)?;
        Ok(Field::of(made, access.clock().now()))
    };
    Box::pin(app.once_as(&signed.access, &context, &key, StatusCode::CREATED, act)).await
}
