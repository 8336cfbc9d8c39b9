// SPDX-License-Identifier: EUPL-1.2
//! POST /fields/order: the order in which fields are shown.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{MOST_FIELDS, Permission};

use super::{OrderFields, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, ContextOf, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "order_fields",
    "/fields/order",
    Tag::Fields,
    "Puts the fields of one kind of record in order; an instruction",
)
.may(Permission::ManageFields)
.takes(Content::json::<OrderFields>())
.answers(&[Answer { status: 204, meaning: "In order", content: Content::Nothing }])
.problems(&[Code::Conflict, Code::NotFound]);

/// Answers the endpoint. Asked for again it changes nothing.
///
/// # Errors
/// [`Code::Invalid`] for too many; [`Code::NotFound`]; [`Code::Conflict`] when not every field in use is named once: somebody made or
/// archived one; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(asked): Json<OrderFields>,
) -> http::Answer<Response> {
    let access = &signed.access;
    let act = async {
        Checks::default().that(asked.ids.len() <= MOST_FIELDS, "ids", FieldCode::TooLong).done()?;
        app.core.store.order_fields(access, asked.record, asked.ids).await.map_err(refused)
    };
    app.once(access, &context, &key, StatusCode::NO_CONTENT, act).await
}
