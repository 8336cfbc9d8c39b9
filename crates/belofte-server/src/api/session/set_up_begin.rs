// SPDX-License-Identifier: EUPL-1.2
//! POST /session/second-factor: begins to set a second factor up, which is asked before anything else.

use axum::extract::State;

use super::{NamedStep, open_step};
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::api::second_factor::{NewSecret, refused};
use crate::app::App;
use crate::http::{self, Code, ContextOf, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "begin_second_factor_at_sign_in",
    "/session/second-factor",
    Tag::Session,
    "Makes a secret for the app of who signs in and is asked to set a second factor up; the last one counts",
)
.done_again()
.caller(Caller::Anyone)
.takes(Content::json::<NamedStep>())
.answers(&[Answer { status: 200, meaning: "The secret, told once", content: Content::json::<NewSecret>() }])
.problems(&[Code::StepOver]);

/// Answers the endpoint. It is not kept for who asks again with the same idempotency key: that one gets another secret.
///
/// # Errors
/// [`Code::StepOver`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    Json(wanted): Json<NamedStep>,
) -> http::Answer<axum::Json<NewSecret>> {
    let step = open_step(&app, &context, &wanted.step).await?;
    let secret = app.core.store.system().begin_step_set_up(&step).await.map_err(refused)?;
    Ok(axum::Json(NewSecret::of(secret, &step.tenant_name, step.email.expose())))
}
