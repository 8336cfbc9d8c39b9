// SPDX-License-Identifier: EUPL-1.2
//! Signing keys: what goes out is signed in the name of its domain (DKIM, RFC 6376).

pub mod check;
pub mod create;
pub mod delete;
pub mod list;
mod types;

pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] =
    &[list::OPERATION, create::OPERATION, check::OPERATION, delete::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &check::OPERATION, check::handle);
    route(router, &delete::OPERATION, delete::handle)
}
