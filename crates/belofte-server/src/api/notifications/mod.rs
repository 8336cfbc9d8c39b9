// SPDX-License-Identifier: EUPL-1.2
//! What a user is told of: mentions, conversations that they are given, what their customers write, and what was
//! refused.

pub mod choose;
pub mod list;
pub mod mark;
pub mod preferences;
mod types;

pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] =
    &[list::OPERATION, mark::OPERATION, preferences::OPERATION, choose::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &mark::OPERATION, mark::handle);
    let router = route(router, &preferences::OPERATION, preferences::handle);
    route(router, &choose::OPERATION, choose::handle)
}
