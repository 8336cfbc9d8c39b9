// SPDX-License-Identifier: EUPL-1.2
//! The session of the browser: signing in, being signed in, signing out.

pub mod create;
pub mod delete;
pub mod get;
mod types;

pub use types::*;

use ::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use belofte_model::Purpose;
use belofte_store::{Access, Authenticated, NewSession};

use crate::api::operation::Operation;
use crate::api::schema::PERMISSIONS;
use crate::app::App;
use crate::http::{self, Code, Context, Cookie, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[create::OPERATION, get::OPERATION, delete::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &create::OPERATION, create::handle);
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
    let user = store.user(access, id).await?.into();
    let tenant = store.tenant(access).await?;
    let events = store.events(access, i64::MAX, 0).await?;
    Ok(Session {
        user,
        tenant: Tenant { id: tenant.id, name: tenant.name },
        permissions: PERMISSIONS.into_iter().filter(|permission| who.may(*permission)).collect(),
        live_seq: events.newest,
    })
}

/// The answer to somebody who has just signed in: 201 with the session, and the cookie.
///
/// # Errors
/// Those of the store.
pub async fn signed_in(app: &App, context: &Context, session: NewSession) -> http::Answer<Response> {
    let clock = app.core.clock();
    let access = Access::authenticated(&session.who, Purpose::Administration, context.id, clock.clone());
    context.recognise(session.who.tenant(), session.who.language());
    let lasting = session.expires_at.since(clock.now());
    let cookie = Cookie::User.set(session.token.expose(), lasting);
    let body = Json(view(app, &access, &session.who).await?);
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], body).into_response())
}
