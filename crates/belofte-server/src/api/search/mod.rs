// SPDX-License-Identifier: EUPL-1.2
//! Search over sealed text. By POST, so that what is looked for stands in no URL.

pub mod find;
mod snippet;
pub mod suggest;
mod types;

pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[find::OPERATION, suggest::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &find::OPERATION, find::handle);
    route(router, &suggest::OPERATION, suggest::handle)
}
