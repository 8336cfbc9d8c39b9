// SPDX-License-Identifier: EUPL-1.2
//! Contacts: the people who write.

pub mod conversations;
pub mod create;
pub mod export;
pub mod find;
pub mod get;
pub mod images;
mod sheet;
mod types;
pub mod update;
mod vcard;

pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[
    find::OPERATION,
    export::OPERATION,
    create::OPERATION,
    get::OPERATION,
    update::OPERATION,
    conversations::OPERATION,
    images::OPERATION,
];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &find::OPERATION, find::handle);
    let router = route(router, &export::OPERATION, export::handle);
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &get::OPERATION, get::handle);
    let router = route(router, &update::OPERATION, update::handle);
    let router = route(router, &conversations::OPERATION, conversations::handle);
    route(router, &images::OPERATION, images::handle)
}
