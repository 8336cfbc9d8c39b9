// SPDX-License-Identifier: EUPL-1.2
//! POST /invitations/accept: becomes a user.

use ::http::HeaderMap;
use axum::extract::State;
use axum::response::Response;
use belofte_model::EmailAddress;
use belofte_store::{NewUser, SignInNext, StoreError};
use belofte_vault::Pii;

use super::AcceptInvitation;
use super::open;
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::api::session::{Session, SignInStep, signed_in, step_follows};
use crate::app::{App, user_agent};
use crate::http::{self, Checks, Code, ContextOf, FieldCode, Json};
use crate::passwords;

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("accept_invitation", "/invitations/accept", Tag::Users, "Becomes a user and signs in")
        .done_again()
        .caller(Caller::Anyone)
        .takes(Content::json::<AcceptInvitation>())
        .answers(&[
            Answer {
                status: 201,
                meaning: "A user, signed in; the cookie is set",
                content: Content::json::<Session>(),
            },
            Answer {
                status: 202,
                meaning: "A user, of whom a second factor is asked: it is to be set up",
                content: Content::json::<SignInStep>(),
            },
        ])
        .problems(&[Code::InvitationInvalid, Code::Conflict, Code::TooManyTries]);

/// Answers the endpoint. There is no idempotency key here: a second acceptance finds the
/// invitation used, and the user signs in.
///
/// # Errors
/// [`Code::InvitationInvalid`], [`Code::TooManyTries`], [`Code::Conflict`] when the organisation has
/// a user with this address, [`Code::Invalid`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    headers: HeaderMap,
    Json(wanted): Json<AcceptInvitation>,
) -> http::Answer<Response> {
    let email = EmailAddress::parse(&wanted.email);
    let mut checks = Checks::default();
    checks.text(&wanted.name, "name", 1, 100).that(email.is_ok(), "email", FieldCode::Invalid).that(
        wanted.email.len() <= 254,
        "email",
        FieldCode::TooLong,
    );
    passwords::check(&mut checks, "password", &wanted.password, &wanted.email);
    checks.done()?;
    let Ok(email) = email else { return Err(Code::Internal.into()) };
    // Found before the password is hashed: nobody without an invitation makes the server work.
    let invitation = open(&app, &context, &wanted.token).await?;
    let user = NewUser {
        name: Pii::new(wanted.name.trim().to_owned()),
        email,
        language: wanted.language,
        password_hash: app.passwords.hash(Pii::new(wanted.password)).await?,
        user_agent: user_agent(&headers),
    };
    match app.core.store.system().join(&invitation, &user).await {
        Ok(SignInNext::Session(session)) => signed_in(&app, &context, session).await,
        Ok(SignInNext::Step(step)) => Ok(step_follows(step)),
        Err(StoreError::NotFound) => Err(Code::InvitationInvalid.into()),
        Err(error) => Err(error.into()),
    }
}
