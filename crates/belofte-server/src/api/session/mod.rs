// SPDX-License-Identifier: EUPL-1.2
//! The session of the browser: signing in, being signed in, signing out.

pub mod code;
pub mod create;
pub mod delete;
pub mod get;
pub mod set_up;
pub mod set_up_begin;
mod types;

pub use types::*;

use ::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use belofte_model::{EmailAddress, Purpose};
use belofte_store::{Access, Authenticated, NewSession, NewStep, OpenStep};

use crate::api::operation::Operation;
use crate::api::schema::PERMISSIONS;
use crate::app::App;
use crate::http::{self, BROWSER_LIFE, Code, Context, Cookie, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[
    create::OPERATION,
    code::OPERATION,
    set_up_begin::OPERATION,
    set_up::OPERATION,
    get::OPERATION,
    delete::OPERATION,
];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &code::OPERATION, code::handle);
    let router = route(router, &set_up_begin::OPERATION, set_up_begin::handle);
    let router = route(router, &set_up::OPERATION, set_up::handle);
    let router = route(router, &get::OPERATION, get::handle);
    route(router, &delete::OPERATION, delete::handle)
}

/// The session of `who`, as the desk gets it.
///
/// # Errors
/// Those of the store.
pub async fn view(app: &App, access: &Access, who: &Authenticated) -> http::Answer<Session> {
    let store = &app.core.store;
    let id = access.user().ok_or(Code::Forbidden)?;
    let user = store.user(access, id).await?;
    let second_factor_reset_at = user.second_factor_reset_at.map(Into::into);
    let user = user.into();
    let tenant = store.tenant(access).await?;
    let events = store.events(access, i64::MAX, 0).await?;
    Ok(Session {
        user,
        tenant: Tenant { id: tenant.id, name: tenant.name },
        permissions: PERMISSIONS.into_iter().filter(|permission| who.may(*permission)).collect(),
        live_seq: events.newest,
        second_factor_reset_at,
    })
}

/// The session that was just made, as the desk gets it, and the header that sets its cookie.
///
/// # Errors
/// Those of the store.
pub async fn begun(
    app: &App,
    context: &Context,
    session: &NewSession,
) -> http::Answer<(Session, HeaderValue)> {
    let clock = app.core.clock();
    let access = Access::authenticated(&session.who, Purpose::Administration, context.id, clock.clone());
    context.recognise(session.who.tenant(), session.who.language());
    let lasting = session.expires_at.since(clock.now());
    let cookie = Cookie::User.set(session.token.expose(), lasting);
    Ok((view(app, &access, &session.who).await?, cookie))
}

/// The answer to somebody who has just signed in: 201 with the session, and the cookie.
///
/// # Errors
/// Those of the store.
pub async fn signed_in(app: &App, context: &Context, session: NewSession) -> http::Answer<Response> {
    let (body, cookie) = begun(app, context, &session).await?;
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(body)).into_response())
}

/// The answer to a right password, or to an accepted invitation, after which more is asked: 202 with the step, and no
/// cookie.
#[must_use]
pub fn step_follows(step: NewStep) -> Response {
    let step =
        SignInStep { step: step.token.into_inner(), next: step.kind, expires_at: step.expires_at.into() };
    (StatusCode::ACCEPTED, Json(step)).into_response()
}

/// The step of `token`, if it waits.
///
/// # Errors
/// [`Code::StepOver`]; those of the store.
pub async fn open_step(app: &App, context: &Context, token: &str) -> http::Answer<OpenStep> {
    let step = app.core.store.system().step_by_token(token).await?.ok_or(Code::StepOver)?;
    context.recognise(step.tenant(), Some(step.language()));
    Ok(step)
}

/// What the answer to somebody who has shown a second factor sets beside their session: the mark of a browser that is
/// known for `email`.
///
/// # Errors
/// Those of the store.
pub async fn known_browser(app: &App, email: &str) -> http::Answer<HeaderValue> {
    let email = EmailAddress::parse(email).map_err(|_| Code::Internal)?;
    let mark = app.core.store.system().known_browser(&email).await?;
    Ok(Cookie::Browser.set(&mark, BROWSER_LIFE))
}
