// SPDX-License-Identifier: EUPL-1.2
//! POST /me/password: another password.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::EmailAddress;
use belofte_store::{SignInStart, Who};
use belofte_vault::Pii;

use super::ChangePassword;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser, network};
use crate::http::{self, ApiError, Checks, Code, ContextOf, IdempotencyKey, Json};
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
        let address = EmailAddress::parse(email.expose()).map_err(|error| {
            tracing::error!(?error, "a user has an address that is none");
            ApiError::from(Code::Internal)
        })?;
        let system = store.system();
        let mut attempt = match system.begin_sign_in(&address, network(&context)).await? {
            SignInStart::Proceed(attempt) => attempt,
            SignInStart::Wait(wait) => return Err(ApiError::too_many_tries(wait)),
        };
        // The same address may belong to users of other organisations, whom this does not concern.
        attempt.candidates.retain(|one| one.tenant == access.tenant());
        let current = store.own_password(access).await?;
        let held = app.passwords.verify(Pii::new(wanted.current), vec![current]).await?;
        if held != [true] {
            system.sign_in_failed(&attempt).await?;
            return Err(Code::SignInFailed.into());
        }
        system.sign_in_undecided(&attempt).await?;
        let hash = app.passwords.hash(Pii::new(wanted.new)).await?;
        Ok((store.prepare_password(access, hash, Some(*session)).await?, ()))
    };
    app.once_with(&signed.access, &context, &key, StatusCode::NO_CONTENT, plan).await
}
