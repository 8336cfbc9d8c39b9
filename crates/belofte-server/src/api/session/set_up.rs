// SPDX-License-Identifier: EUPL-1.2
//! POST /session/second-factor/confirm: sets a second factor up, and signs in.

use ::http::header::SET_COOKIE;
use ::http::{HeaderMap, StatusCode};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use belofte_store::SecondStep;

use super::{SetUpSession, ShowCode, begun, known_browser, open_step};
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::api::second_factor::{given, refused, told};
use crate::app::{App, network, user_agent};
use crate::http::{self, Code, ContextOf, Cookie, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "confirm_second_factor_at_sign_in",
    "/session/second-factor/confirm",
    Tag::Session,
    "Sets up the second factor that is asked, with the first code of the app, and signs in",
)
.done_again()
.caller(Caller::Anyone)
.takes(Content::json::<ShowCode>())
.answers(&[Answer {
    status: 201,
    meaning: "Signed in, with recovery codes that are told once; the cookie is set",
    content: Content::json::<SetUpSession>(),
}])
.problems(&[Code::WrongCode, Code::StepOver]);

/// Answers the endpoint. It is not kept for who asks again: they sign in with a code, and make new recovery codes.
///
/// # Errors
/// [`Code::StepOver`], [`Code::WrongCode`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    headers: HeaderMap,
    Json(wanted): Json<ShowCode>,
) -> http::Answer<Response> {
    let step = open_step(&app, &context, &wanted.step).await?;
    let given = given(&wanted.code)?;
    let (user_agent, known) = (user_agent(&headers), Cookie::Browser.read(&headers));
    let from = SecondStep { user_agent: &user_agent, network: network(&context), known };
    let system = app.core.store.system();
    let (session, codes) = system.confirm_step_set_up(&step, &given, &from).await.map_err(refused)?;
    let mark = known_browser(&app, step.email.expose()).await?;
    let (session, cookie) = begun(&app, &context, &session).await?;
    let body = axum::Json(SetUpSession { session, recovery_codes: told(codes) });
    let mut response = (StatusCode::CREATED, [(SET_COOKIE, cookie)], body).into_response();
    response.headers_mut().append(SET_COOKIE, mark);
    Ok(response)
}
