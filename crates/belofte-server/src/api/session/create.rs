// SPDX-License-Identifier: EUPL-1.2
//! POST /session: signs in.

use std::time::Duration;

use ::http::HeaderMap;
use ::http::header::SET_COOKIE;
use axum::extract::State;
use axum::response::Response;
use belofte_model::EmailAddress;
use belofte_store::{SignInNext, SignInStart, StoreError};
use belofte_vault::Pii;

use super::{Session, SignIn, SignInStep};
use super::{known_browser, signed_in, step_follows};
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::app::{App, network, user_agent};
use crate::http::{self, ApiError, Code, ContextOf, Cookie, FieldCode, Json, Organisation};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("sign_in", "/session", Tag::Session, "Signs in with an address and a password")
        .done_again()
        .caller(Caller::Anyone)
        .takes(Content::json::<SignIn>())
        .answers(&[
            Answer {
                status: 201,
                meaning: "Signed in; the cookie is set",
                content: Content::json::<Session>(),
            },
            Answer {
                status: 202,
                meaning: "The password is right, and a second factor is asked or to be set up",
                content: Content::json::<SignInStep>(),
            },
        ])
        .problems(&[Code::SignInFailed, Code::TooManyTries, Code::ChooseOrganisation]);

/// Refusals are answered at multiples of this time, so that how long one took does not tell
/// whether the account exists.
const STEP: Duration = Duration::from_millis(250);

/// How long to wait after `took` for the next multiple of [`STEP`].
fn until_step(took: Duration) -> Duration {
    let over = took.as_micros() % STEP.as_micros();
    STEP - Duration::from_micros(u64::try_from(over).unwrap_or_default())
}

/// Answers the endpoint. A try is taken before the password is looked at; whether the address is
/// known, blocked or has another password is the same answer after the same work, and so is whether it
/// has a second factor; between organisations one chooses only with a password that holds.
///
/// # Errors
/// [`Code::TooManyTries`], [`Code::SignInFailed`], [`Code::ChooseOrganisation`], those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    headers: HeaderMap,
    Json(wanted): Json<SignIn>,
) -> http::Answer<Response> {
    let email =
        EmailAddress::parse(&wanted.email).map_err(|_| ApiError::field("email", FieldCode::Invalid))?;
    let system = app.core.store.system();
    let known = Cookie::Browser.read(&headers);
    let attempt = match system.begin_sign_in_with(&email, network(&context), known).await? {
        SignInStart::Proceed(attempt) => attempt,
        SignInStart::Wait(wait) => return Err(ApiError::too_many_tries(wait)),
    };
    let asked: Vec<_> = attempt
        .candidates
        .iter()
        .filter(|one| wanted.organisation_id.is_none_or(|organisation| organisation == one.tenant))
        .collect();
    let hashes = asked.iter().map(|one| one.password.clone()).collect();
    let held = app.passwords.verify(Pii::new(wanted.password), hashes).await?;
    let mut opened = asked
        .into_iter()
        .zip(held)
        .filter(|(one, held)| *held && one.state == belofte_model::UserState::Active)
        .map(|(one, _)| one);
    let Some(first) = opened.next() else {
        system.sign_in_failed(&attempt).await?;
        // A known account costs a write and more than one a hash each; nobody is to see which.
        tokio::time::sleep(until_step(app.core.clock().now().since(context.at))).await;
        return Err(Code::SignInFailed.into());
    };
    let others: Vec<_> = opened.collect();
    if !others.is_empty() {
        let organisations = std::iter::once(first)
            .chain(others)
            .map(|one| Organisation { id: one.tenant, name: one.tenant_name.clone() })
            .collect();
        system.sign_in_undecided(&attempt).await?;
        return Err(ApiError::choose_organisation(organisations));
    }
    match system.after_password(&attempt, first.tenant, &user_agent(&headers)).await {
        Ok(SignInNext::Session(session)) => {
            let mark = known_browser(&app, &wanted.email).await?;
            let mut response = signed_in(&app, &context, session).await?;
            response.headers_mut().append(SET_COOKIE, mark);
            Ok(response)
        }
        // The browser is known once everything that is asked was given.
        Ok(SignInNext::Step(step)) => Ok(step_follows(step)),
        // Blocked, or given a second factor, between the look-up and now.
        Err(StoreError::NotFound) => Err(Code::SignInFailed.into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_end_on_a_step() {
        for (took, wait) in [(0, 250), (1, 249), (249, 1), (250, 250), (251, 249), (1_010, 240)] {
            assert_eq!(until_step(Duration::from_millis(took)), Duration::from_millis(wait), "{took}");
        }
    }
}
