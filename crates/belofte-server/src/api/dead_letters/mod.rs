// SPDX-License-Identifier: EUPL-1.2
//! Background work that failed for good.

pub mod list;
pub mod retry;
mod types;

pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[list::OPERATION, retry::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    route(router, &retry::OPERATION, retry::handle)
}
