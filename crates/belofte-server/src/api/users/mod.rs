// SPDX-License-Identifier: EUPL-1.2
//! Users of the tenant.

pub mod list;
pub mod second_factor;
mod types;
pub mod update;

pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[list::OPERATION, update::OPERATION, second_factor::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &update::OPERATION, update::handle);
    route(router, &second_factor::OPERATION, second_factor::handle)
}
