// SPDX-License-Identifier: EUPL-1.2
//! The signed-in user's own settings.

pub mod password;
mod types;
pub mod update;

pub use types::*;

use ::http::HeaderMap;
use axum::Router;
use belofte_model::EmailAddress;
use belofte_store::{OwnPassword, SignInStart};
use belofte_vault::Pii;

use crate::api::operation::Operation;
use crate::app::{App, SignedUser, network};
use crate::http::{self, ApiError, Code, Context, Cookie, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[update::OPERATION, password::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &update::OPERATION, update::handle);
    route(router, &password::OPERATION, password::handle)
}

/// Checks that `given` is the password of the user who asks. A wrong one counts as a failed sign-in of the account, so
/// that somebody at an open desk cannot guess it either.
///
/// # Errors
/// [`Code::SignInFailed`], [`Code::TooManyTries`]; those of the store.
pub async fn check_password(
    app: &App,
    context: &Context,
    headers: &HeaderMap,
    signed: &SignedUser,
    given: String,
) -> http::Answer<OwnPassword> {
    let (store, access) = (&app.core.store, &signed.access);
    let user = access.user().ok_or(Code::Forbidden)?;
    let email = store.user(access, user).await?.email;
    let address = EmailAddress::parse(email.expose()).map_err(|error| {
        tracing::error!(?error, "a user has an address that is none");
        ApiError::from(Code::Internal)
    })?;
    let system = store.system();
    // As at the sign-in: who is known here does not wait for what strangers guess.
    let known = Cookie::Browser.read(headers);
    let mut attempt = match system.begin_sign_in_with(&address, network(context), known).await? {
        SignInStart::Proceed(attempt) => attempt,
        SignInStart::Wait(wait) => return Err(ApiError::too_many_tries(wait)),
    };
    // The same address may belong to users of other organisations, whom this does not concern.
    attempt.candidates.retain(|one| one.tenant == access.tenant());
    let own = store.own_password(access).await?;
    let held = app.passwords.verify(Pii::new(given), vec![own.hash.clone()]).await?;
    if held != [true] {
        system.sign_in_failed(&attempt).await?;
        return Err(Code::SignInFailed.into());
    }
    system.sign_in_undecided(&attempt).await?;
    Ok(own)
}
