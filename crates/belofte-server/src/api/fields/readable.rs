// SPDX-License-Identifier: EUPL-1.2
//! GET /fields/readable: the fields that who asks reads, for lists and forms of records that are not there yet.

use axum::Json;
use axum::extract::State;
use belofte_model::{Permission, RecordKind};
use belofte_store::FieldOfRecord;

use super::{ListReadableFields, RecordField, RecordFieldList};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Query};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_readable_fields",
    "/fields/readable",
    Tag::Fields,
    "The fields of one kind of record that who asks reads, with nothing in them",
)
.may(Permission::ReadConversations)
.query::<ListReadableFields>()
.answers(&[Answer { status: 200, meaning: "The fields", content: Content::json::<RecordFieldList>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Query(asked): Query<ListReadableFields>,
) -> http::Answer<Json<RecordFieldList>> {
    let access = &signed.access;
    let (audience, now) = (access.audience(), access.clock().now());
    let language = signed.who.language().unwrap_or_default();
    let record = asked.record.unwrap_or(RecordKind::Contact);
    let fields = app.core.store.fields(access).await?.into_iter();
    let told = fields.filter(|field| field.record == record).map(|field| {
        let empty = FieldOfRecord { field, value: None, was: None, version: 0 };
        RecordField::of(empty, audience, language, now)
    });
    Ok(Json(RecordFieldList { items: told.collect() }))
}
