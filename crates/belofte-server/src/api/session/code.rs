// SPDX-License-Identifier: EUPL-1.2
//! POST /session/code: shows a second factor.

use ::http::HeaderMap;
use ::http::header::SET_COOKIE;
use axum::extract::State;
use axum::response::Response;
use belofte_store::SecondStep;

use super::{Session, ShowCode, known_browser, open_step, signed_in};
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::api::second_factor::{given, refused};
use crate::app::{App, network, user_agent};
use crate::http::{self, Code, ContextOf, Cookie, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "show_second_factor",
    "/session/code",
    Tag::Session,
    "Goes on signing in with a code of one's app, or a recovery code",
)
.done_again()
.caller(Caller::Anyone)
.takes(Content::json::<ShowCode>())
.answers(&[Answer {
    status: 201,
    meaning: "Signed in; the cookie is set",
    content: Content::json::<Session>(),
}])
.problems(&[Code::WrongCode, Code::StepOver, Code::TooManyTries]);

/// Answers the endpoint. What is wrong is counted for the account, whatever it comes from; there is no idempotency key:
/// a code is good once.
///
/// # Errors
/// [`Code::StepOver`], [`Code::WrongCode`], [`Code::TooManyTries`]; those of the store.
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
    let session = system.show_second_factor(&step, &given, &from).await.map_err(refused)?;
    let mark = known_browser(&app, step.email.expose()).await?;
    let mut response = signed_in(&app, &context, session).await?;
    response.headers_mut().append(SET_COOKIE, mark);
    Ok(response)
}
