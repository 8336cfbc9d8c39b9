// SPDX-License-Identifier: EUPL-1.2
//! Files that come and go with messages.

pub mod create;
mod disposition;
pub mod get;
mod media_type;
mod range;
mod types;

pub use disposition::disposition;
pub use types::*;

/// The policy of bytes that others made: should a browser show them after all, they may do nothing.
pub const SANDBOX: &str = "default-src 'none'; sandbox";

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[create::OPERATION, get::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &create::OPERATION, create::handle);
    route(router, &get::OPERATION, get::handle)
}
