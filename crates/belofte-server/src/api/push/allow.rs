// SPDX-License-Identifier: EUPL-1.2
//! PATCH /push: allows browser push for the organisation, or forbids it.

use axum::extract::State;
use belofte_model::Permission;

use super::{AllowPush, Push, view};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "allow_push",
    "/push",
    Tag::Session,
    "Allows that browsers of the organisation are told by push services, or forbids it and forgets every device; an \
     instruction",
)
.may(Permission::ManageTenant)
.takes(Content::json::<AllowPush>())
.answers(&[Answer { status: 200, meaning: "How things are now", content: Content::json::<Push>() }])
.problems(&[Code::PushNotAllowed]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::PushNotAllowed`] when this installation tells no browser anything; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Json(wanted): Json<AllowPush>,
) -> http::Answer<axum::Json<Push>> {
    // Taking it back is always possible.
    if wanted.allowed && !app.pushing.is_on() {
        return Err(Code::PushNotAllowed.into());
    }
    let services = app.pushing.services();
    app.core.store.allow_push(&signed.access, wanted.allowed, &services).await?;
    Ok(axum::Json(view(&app, &signed.access, signed.who.who()).await?))
}
