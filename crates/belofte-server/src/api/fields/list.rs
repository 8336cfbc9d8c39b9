// SPDX-License-Identifier: EUPL-1.2
//! GET /fields: how the fields of the tenant are set up.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::{Field, FieldList};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_fields", "/fields", Tag::Fields, "The tenant's own fields, archived ones too")
        .may(Permission::ManageFields)
        .answers(&[Answer { status: 200, meaning: "The fields", content: Content::json::<FieldList>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<FieldList>> {
    let now = signed.access.clock().now();
    let fields = app.core.store.field_set_ups(&signed.access).await?;
    Ok(Json(FieldList { items: fields.into_iter().map(|field| Field::of(field, now)).collect() }))
}
