// SPDX-License-Identifier: EUPL-1.2
//! POST /operator/session: signs an operator user in.

use ::http::{HeaderMap, StatusCode, header};
use axum::Json as Shown;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use belofte_model::EmailAddress;
use belofte_store::SignInStart;
use belofte_vault::Pii;

use super::{OperatorSession, OperatorSignIn};
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::app::{App, network};
use crate::http::{self, ApiError, BROWSER_LIFE, Code, ContextOf, Cookie, FieldCode, Json};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("operator_sign_in", "/operator/session", Tag::Operator, "Signs an operator user in")
        .done_again()
        .caller(Caller::Anyone)
        .takes(Content::json::<OperatorSignIn>())
        .answers(&[Answer {
            status: 201,
            meaning: "Signed in; the operator's cookie is set",
            content: Content::json::<OperatorSession>(),
        }])
        .problems(&[Code::SignInFailed, Code::TooManyTries]);

/// Answers the endpoint; as the sign-in of users, with counts of its own.
///
/// # Errors
/// [`Code::TooManyTries`], [`Code::SignInFailed`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    headers: HeaderMap,
    Json(wanted): Json<OperatorSignIn>,
) -> http::Answer<Response> {
    let email =
        EmailAddress::parse(&wanted.email).map_err(|_| ApiError::field("email", FieldCode::Invalid))?;
    let system = app.core.store.system();
    let known = Cookie::OperatorBrowser.read(&headers);
    let attempt = match system.begin_operator_sign_in_with(&email, network(&context), known).await? {
        SignInStart::Proceed(attempt) => attempt,
        SignInStart::Wait(wait) => return Err(ApiError::too_many_tries(wait)),
    };
    let hashes = attempt.candidate.iter().map(|one| one.password.clone()).collect();
    let held = app.passwords.verify(Pii::new(wanted.password), hashes).await?;
    if held != [true] {
        system.operator_sign_in_failed(&attempt).await?;
        tracing::warn!("a sign-in of the operator was refused");
        return Err(Code::SignInFailed.into());
    }
    let session = system.operator_sign_in(&attempt).await?;
    let operator = system.operator_by_token(session.token.expose()).await?.ok_or(Code::Internal)?;
    tracing::info!(operator = %operator.id, "somebody of the operator signed in");
    let lasting = session.expires_at.since(app.core.clock().now());
    let cookie = Cookie::Operator.set(session.token.expose(), lasting);
    let mark = system.known_operator_browser(&email).await?;
    let browser = Cookie::OperatorBrowser.set(&mark, BROWSER_LIFE);
    let body = Shown(OperatorSession::from(operator));
    let cookies = AppendHeaders([(header::SET_COOKIE, cookie), (header::SET_COOKIE, browser)]);
    Ok((StatusCode::CREATED, cookies, body).into_response())
}
