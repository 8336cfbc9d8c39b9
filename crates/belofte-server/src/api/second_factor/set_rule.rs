// SPDX-License-Identifier: EUPL-1.2
//! PATCH /second-factor-rule: asks one of roles, or no more.

use axum::extract::State;
use belofte_model::Permission;
use belofte_store::SecondFactorRuleChange;

use super::{SecondFactorRule, UpdateSecondFactorRule, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_second_factor_rule",
    "/second-factor-rule",
    Tag::Users,
    "Asks a second factor of roles, or no more; who has none is signed out and sets one up when they sign in. An \
     instruction",
)
.may(Permission::ManageTenant)
.takes(Content::json::<UpdateSecondFactorRule>())
.answers(&[Answer { status: 200, meaning: "The rule as it is now", content: Content::json::<SecondFactorRule>() }])
.problems(&[Code::SecondFactorFirst]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::SecondFactorFirst`] when it is asked of one's own role and one has none; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Json(wanted): Json<UpdateSecondFactorRule>,
) -> http::Answer<axum::Json<SecondFactorRule>> {
    let (store, access) = (&app.core.store, &signed.access);
    let UpdateSecondFactorRule { admin, supervisor, agent } = wanted;
    let change = SecondFactorRuleChange { admin, supervisor, agent };
    let rule = store.set_second_factor_rule(access, change).await.map_err(refused)?;
    Ok(axum::Json(rule.into()))
}
