// SPDX-License-Identifier: EUPL-1.2
//! Authorisations: an admin signs in at the provider of a mailbox, and lets it be used (OAuth 2.0, RFC 6749).

pub mod begin;
pub mod complete;
pub mod forget;
mod types;

pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The path of the desk at which people come back from a provider, below its public address.
pub const RETURN_PATH: &str = "/settings/authorised";

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[begin::OPERATION, complete::OPERATION, forget::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &begin::OPERATION, begin::handle);
    let router = route(router, &complete::OPERATION, complete::handle);
    route(router, &forget::OPERATION, forget::handle)
}

/// Where people come back to: the provider has it on its list, and is told it again with the code.
pub(super) fn redirect_uri(app: &App) -> String {
    format!("{}{RETURN_PATH}", app.public_url.as_str())
}
