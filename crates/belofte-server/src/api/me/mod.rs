// SPDX-License-Identifier: EUPL-1.2
//! The signed-in user's own settings.

pub mod password;
mod types;
pub mod update;

pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[update::OPERATION, password::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &update::OPERATION, update::handle);
    route(router, &password::OPERATION, password::handle)
}
