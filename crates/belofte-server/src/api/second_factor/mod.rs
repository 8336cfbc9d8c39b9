// SPDX-License-Identifier: EUPL-1.2
//! One's own second factor, and of whom the organisation asks one.
//!
//! None of these takes part in idempotency keys: what is told once is kept nowhere, and a code is good once.

pub mod begin;
pub mod confirm;
pub mod get;
pub mod remove;
pub mod renew;
pub mod rule;
pub mod seen;
pub mod set_rule;
mod types;

pub use types::*;

use axum::Router;
use belofte_model::GivenCode;
use belofte_store::{NewRecoveryCodes, SecondFactorError};

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::{self, ApiError, Code, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[
    get::OPERATION,
    begin::OPERATION,
    confirm::OPERATION,
    renew::OPERATION,
    remove::OPERATION,
    seen::OPERATION,
    rule::OPERATION,
    set_rule::OPERATION,
];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &get::OPERATION, get::handle);
    let router = route(router, &begin::OPERATION, begin::handle);
    let router = route(router, &confirm::OPERATION, confirm::handle);
    let router = route(router, &renew::OPERATION, renew::handle);
    let router = route(router, &remove::OPERATION, remove::handle);
    let router = route(router, &seen::OPERATION, seen::handle);
    let router = route(router, &rule::OPERATION, rule::handle);
    route(router, &set_rule::OPERATION, set_rule::handle)
}

/// What `code` is by its form. What is none is as wrong as another code, and is not counted: it guesses at nothing.
///
/// # Errors
/// [`Code::WrongCode`].
pub fn given(code: &str) -> http::Answer<GivenCode> {
    GivenCode::parse(code).ok_or_else(|| Code::WrongCode.into())
}

/// What a refusal means to a caller.
#[must_use]
pub fn refused(error: SecondFactorError) -> ApiError {
    match error {
        SecondFactorError::Wrong => Code::WrongCode.into(),
        SecondFactorError::Wait(wait) => ApiError::too_many_tries(wait),
        SecondFactorError::Over => Code::StepOver.into(),
        SecondFactorError::OwnFirst => Code::SecondFactorFirst.into(),
        SecondFactorError::Own => Code::Forbidden.into(),
        SecondFactorError::Store(error) => error.into(),
    }
}

/// Recovery codes as people read them: four letters and digits at a time.
#[must_use]
pub fn told(codes: NewRecoveryCodes) -> Vec<String> {
    let spaced = |code: String| {
        let groups: Vec<_> = code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
        groups.join("-").to_lowercase()
    };
    codes.0.into_iter().map(|code| spaced(code.into_inner())).collect()
}
