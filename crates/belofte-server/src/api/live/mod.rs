// SPDX-License-Identifier: EUPL-1.2
//! Live events: facts by number, never content.

pub mod connect;
mod types;

pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[connect::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    route(router, &connect::OPERATION, connect::handle)
}
