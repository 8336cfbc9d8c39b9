// SPDX-License-Identifier: EUPL-1.2
//! The operator's own view of the installation: metadata, never content.

pub mod dead_letters;
pub mod log;
pub mod recipients;
pub mod session;
pub mod sign_in;
pub mod sign_out;
pub mod tenants;
mod types;

pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[
    sign_in::OPERATION,
    session::OPERATION,
    sign_out::OPERATION,
    tenants::OPERATION,
    dead_letters::OPERATION,
    log::OPERATION,
    recipients::OPERATION,
];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &sign_in::OPERATION, sign_in::handle);
    let router = route(router, &session::OPERATION, session::handle);
    let router = route(router, &sign_out::OPERATION, sign_out::handle);
    let router = route(router, &tenants::OPERATION, tenants::handle);
    let router = route(router, &dead_letters::OPERATION, dead_letters::handle);
    let router = route(router, &log::OPERATION, log::handle);
    route(router, &recipients::OPERATION, recipients::handle)
}
