// SPDX-License-Identifier: EUPL-1.2
//! Mail that could not be filed; its sealed source is kept.

pub mod list;
pub mod retry;
pub mod source;
mod types;

pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[list::OPERATION, source::OPERATION, retry::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &source::OPERATION, source::handle);
    route(router, &retry::OPERATION, retry::handle)
}
