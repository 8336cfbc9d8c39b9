// SPDX-License-Identifier: EUPL-1.2
//! POST /me/second-factor/confirm: sets up what was begun.

use ::http::HeaderMap;
use axum::extract::State;
use belofte_store::Who;

use super::{PasswordAndCode, RecoveryCodes, given, refused, told};
use crate::api::me::check_password;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Code, ContextOf, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "confirm_second_factor",
    "/me/second-factor/confirm",
    Tag::Session,
    "Sets one's second factor up with the current password and the first code of the app, and ends one's other sessions",
)
.done_again()
.takes(Content::json::<PasswordAndCode>())
.answers(&[Answer {
    status: 200,
    meaning: "Set up; the recovery codes are told once",
    content: Content::json::<RecoveryCodes>(),
}])
.problems(&[Code::SignInFailed, Code::TooManyTries, Code::WrongCode, Code::StepOver, Code::Conflict]);

/// Answers the endpoint. It is not kept for who asks again: they make new recovery codes.
///
/// # Errors
/// [`Code::SignInFailed`], [`Code::TooManyTries`], [`Code::WrongCode`], [`Code::StepOver`] when nothing was begun in
/// this session, [`Code::Conflict`] when one has a second factor; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    headers: HeaderMap,
    signed: SignedUser,
    Json(wanted): Json<PasswordAndCode>,
) -> http::Answer<axum::Json<RecoveryCodes>> {
    let Who::User { session, .. } = *signed.who.who() else { return Err(Code::Forbidden.into()) };
    let own = check_password(&app, &context, &headers, &signed, wanted.password).await?;
    let given = given(&wanted.code)?;
    let store = &app.core.store;
    let codes = store.confirm_second_factor(&signed.access, session, &own, &given).await.map_err(refused)?;
    Ok(axum::Json(RecoveryCodes { recovery_codes: told(codes) }))
}
