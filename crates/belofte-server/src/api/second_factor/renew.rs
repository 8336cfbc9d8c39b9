// SPDX-License-Identifier: EUPL-1.2
//! POST /me/second-factor/recovery-codes: makes new ones.

use ::http::HeaderMap;
use axum::extract::State;

use super::{PasswordAndCode, RecoveryCodes, given, refused, told};
use crate::api::me::check_password;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Code, ContextOf, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "renew_recovery_codes",
    "/me/second-factor/recovery-codes",
    Tag::Session,
    "Makes ten new recovery codes, with the current password and a code; the old ones are good no more",
)
.done_again()
.takes(Content::json::<PasswordAndCode>())
.answers(&[Answer {
    status: 200,
    meaning: "The recovery codes, told once",
    content: Content::json::<RecoveryCodes>(),
}])
.problems(&[Code::SignInFailed, Code::TooManyTries, Code::WrongCode, Code::Conflict]);

/// Answers the endpoint. It is not kept for who asks again: they need another code.
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
) -> http::Answer<axum::Json<RecoveryCodes>> {
    let own = check_password(&app, &context, &headers, &signed, wanted.password).await?;
    let given = given(&wanted.code)?;
    let codes = app.core.store.renew_recovery_codes(&signed.access, &own, &given).await.map_err(refused)?;
    Ok(axum::Json(RecoveryCodes { recovery_codes: told(codes) }))
}
