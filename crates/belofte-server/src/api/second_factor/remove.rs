// SPDX-License-Identifier: EUPL-1.2
//! POST /me/second-factor/remove: takes one's own away.

use ::http::{HeaderMap, StatusCode};
use axum::extract::State;
use belofte_store::Who;

use super::{PasswordAndCode, given, refused};
use crate::api::me::check_password;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Code, ContextOf, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "remove_second_factor",
    "/me/second-factor/remove",
    Tag::Session,
    "Takes one's second factor away, with the current password and a code, and ends one's other sessions; where the \
     organisation asks one, this session ends too, and another one is set up at the next sign-in",
)
.done_again()
.takes(Content::json::<PasswordAndCode>())
.answers(&[Answer { status: 204, meaning: "Taken away", content: Content::Nothing }])
.problems(&[Code::SignInFailed, Code::TooManyTries, Code::WrongCode, Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::SignInFailed`], [`Code::TooManyTries`], [`Code::WrongCode`], [`Code::Conflict`] when one has no second
/// factor; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    headers: HeaderMap,
    signed: SignedUser,
    Json(wanted): Json<PasswordAndCode>,
) -> http::Answer<StatusCode> {
    let Who::User { session, .. } = *signed.who.who() else { return Err(Code::Forbidden.into()) };
    let own = check_password(&app, &context, &headers, &signed, wanted.password).await?;
    let given = given(&wanted.code)?;
    let store = &app.core.store;
    store.remove_second_factor(&signed.access, session, &own, &given).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
