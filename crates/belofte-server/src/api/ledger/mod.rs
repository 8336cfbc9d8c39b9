// SPDX-License-Identifier: EUPL-1.2
//! The tenant's ledger, for its privacy officer alone.

pub mod export;
pub mod list;
mod summary;
mod types;

pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[list::OPERATION, export::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    route(router, &export::OPERATION, export::handle)
}
