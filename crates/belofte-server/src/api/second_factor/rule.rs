// SPDX-License-Identifier: EUPL-1.2
//! GET /second-factor-rule: of whom one is asked.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::SecondFactorRule;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_second_factor_rule",
    "/second-factor-rule",
    Tag::Users,
    "Of which roles the organisation asks a second factor",
)
.may(Permission::ManageTenant)
.answers(&[Answer { status: 200, meaning: "The rule", content: Content::json::<SecondFactorRule>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<SecondFactorRule>> {
    Ok(Json(app.core.store.second_factor_rule(&signed.access).await?.into()))
}
