// SPDX-License-Identifier: EUPL-1.2
//! POST /me/second-factor: begins to set one up.

use axum::Json;
use axum::extract::State;
use belofte_store::Who;

use super::NewSecret;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Code};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "begin_second_factor",
    "/me/second-factor",
    Tag::Session,
    "Makes a secret for one's app, which is confirmed within a quarter of an hour; the last one counts",
)
.done_again()
.answers(&[Answer { status: 200, meaning: "The secret, told once", content: Content::json::<NewSecret>() }])
.problems(&[Code::Conflict]);

/// Answers the endpoint. It is not kept for who asks again with the same idempotency key: that one gets another secret.
///
/// # Errors
/// [`Code::Conflict`] when one has a second factor; those of the store.
pub async fn handle(State(app): State<App>, signed: SignedUser) -> http::Answer<Json<NewSecret>> {
    let (store, access) = (&app.core.store, &signed.access);
    let Who::User { user, session, .. } = *signed.who.who() else { return Err(Code::Forbidden.into()) };
    let email = store.user(access, user).await?.email;
    let tenant = store.tenant(access).await?.name;
    let secret = store.begin_second_factor(access, session).await?;
    Ok(Json(NewSecret::of(secret, &tenant, email.expose())))
}
