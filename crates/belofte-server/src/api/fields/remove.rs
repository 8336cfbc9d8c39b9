// SPDX-License-Identifier: EUPL-1.2
//! DELETE /fields/{id}: an archived field goes for good.

use ::http::StatusCode;
use axum::extract::State;
use belofte_model::{FieldId, Permission};

use super::refused;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::delete(
    "remove_field",
    "/fields/{id}",
    Tag::Fields,
    "Removes an archived field with all that stands in it, for good; an instruction",
)
.may(Permission::ManageFields)
.answers(&[Answer { status: 204, meaning: "It is gone", content: Content::Nothing }])
.problems(&[Code::Conflict, Code::FieldInUse]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::FieldInUse`] when it is not archived; [`Code::NotFound`], [`Code::Conflict`]; those of the store.
pub async fn handle(State(app): State<App>, signed: Signed, Id(id): Id<FieldId>) -> http::Answer<StatusCode> {
    app.core.store.remove_field(&signed.access, id).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
