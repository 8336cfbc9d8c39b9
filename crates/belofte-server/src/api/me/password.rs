// SPDX-License-Identifier: EUPL-1.2
//! POST /me/password: another password.

use ::http::{HeaderMap, StatusCode};
use axum::extract::State;
use axum::response::Response;
use belofte_store::Who;
use belofte_vault::Pii;

use super::{ChangePassword, check_password};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Checks, Code, ContextOf, IdempotencyKey, Json};
use crate::passwords;

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "change_password",
    "/me/password",
    Tag::Session,
    "Changes one's own password and ends one's other sessions",
)
.takes(Content::json::<ChangePassword>())
.answers(&[Answer { status: 204, meaning: "Changed", content: Content::Nothing }])
.problems(&[Code::SignInFailed, Code::TooManyTries]);

/// Answers the endpoint. A wrong current password counts as a failed sign-in of the account, so
/// that somebody at an open desk cannot guess it either.
///
/// # Errors
/// [`Code::SignInFailed`], [`Code::TooManyTries`], [`Code::Invalid`] for a new password that will
/// not do; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    headers: HeaderMap,
    signed: SignedUser,
    key: IdempotencyKey,
    Json(wanted): Json<ChangePassword>,
) -> http::Answer<Response> {
    let plan = async {
        let (store, access) = (&app.core.store, &signed.access);
        let Who::User { user, session, .. } = signed.who.who() else { return Err(Code::Forbidden.into()) };
        let email = store.user(access, *user).await?.email;
        let mut checks = Checks::default();
        passwords::check(&mut checks, "new", &wanted.new, email.expose());
        checks.done()?;
        let own = check_password(&app, &context, &headers, &signed, wanted.current).await?;
        let hash = app.passwords.hash(Pii::new(wanted.new)).await?;
        Ok((store.prepare_password(access, &own, hash, Some(*session)).await?, ()))
    };
    app.once_with(&signed.access, &context, &key, StatusCode::NO_CONTENT, plan).await
}
