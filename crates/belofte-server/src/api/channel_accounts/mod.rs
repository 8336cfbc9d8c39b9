// SPDX-License-Identifier: EUPL-1.2
//! Channel accounts: where customers come in, and the accounting of what came.

pub mod accounting;
mod authorisation;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod recipients;
mod retrieval;
pub mod senders;
pub mod test;
mod types;
pub mod update;

pub use authorisation::{Authorisation, AuthorisationState, SetAuthorisation, SignInWith};
pub(super) use retrieval::shown_alone;
pub use retrieval::{AfterRetrieval, Retrieval, RetrievalState, RetrievalStatus, SetRetrieval};
pub use types::*;

use axum::Router;
use belofte_store::{self as store, ChannelAccountError, PasswordChange};
use belofte_vault::Pii;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::{ApiError, Checks, Code, FieldCode, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[
    list::OPERATION,
    create::OPERATION,
    get::OPERATION,
    update::OPERATION,
    delete::OPERATION,
    test::OPERATION,
    accounting::OPERATION,
    recipients::OPERATION,
    senders::OPERATION,
];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &test::OPERATION, test::handle);
    let router = route(router, &get::OPERATION, get::handle);
    let router = route(router, &update::OPERATION, update::handle);
    let router = route(router, &delete::OPERATION, delete::handle);
    let router = route(router, &accounting::OPERATION, accounting::handle);
    let router = route(router, &recipients::OPERATION, recipients::handle);
    route(router, &senders::OPERATION, senders::handle)
}

/// The longest signature, in characters.
const SIGNATURE: usize = 2_000;

/// Whether `wanted` is the server that `known` names: to no other goes the stored password.
fn same_server(wanted: &SetSubmission, known: &store::Submission) -> bool {
    wanted.host.trim() == known.host && wanted.port == known.port && wanted.username == known.username
}

/// Checks a server as an admin entered it, in the place of `known`.
fn check_server(checks: &mut Checks, server: &SetSubmission, known: Option<&store::Submission>) {
    let host = server.host.trim();
    let odd = |c: char| c.is_control() || c.is_whitespace() || "/@\"<>".contains(c);
    checks
        .text(host, "submission.host", 1, 253)
        .that(!host.contains(odd), "submission.host", FieldCode::Invalid)
        .that(server.port > 0, "submission.port", FieldCode::OutOfRange);
    if let Some(username) = &server.username {
        checks.text(username, "submission.username", 1, 254);
        let stored = known.is_some_and(|known| known.password_set && same_server(server, known));
        let given = server.password.as_ref().is_some_and(|password| !password.is_empty());
        let by_token = server.sign_in == SignInWith::Authorisation;
        checks.that(
            by_token || given || (server.password.is_none() && stored),
            "submission.password",
            FieldCode::Required,
        );
    }
    let named = server.username.is_some() || server.sign_in == SignInWith::Password;
    checks.that(named, "submission.username", FieldCode::Required);
    if let Some(password) = &server.password {
        checks.that(password.chars().count() <= 1024, "submission.password", FieldCode::TooLong);
    }
}

/// A server as the store takes it.
fn to_store(server: SetSubmission) -> store::NewSubmission {
    store::NewSubmission {
        host: server.host.trim().to_owned(),
        port: server.port,
        security: server.security.into(),
        username: server.username,
        sign_in: server.sign_in.into(),
        password: match server.password {
            Some(password) => PasswordChange::Set(Pii::new(password)),
            None => PasswordChange::Keep,
        },
    }
}

/// What a refusal of the store means to an admin.
fn refused(error: ChannelAccountError) -> ApiError {
    match error {
        ChannelAccountError::AddressTaken => Code::Conflict.into(),
        ChannelAccountError::NoSuchQueue => ApiError::field("queue_id", FieldCode::NotFound),
        ChannelAccountError::Store(error) => error.into(),
    }
}
