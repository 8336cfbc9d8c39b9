// SPDX-License-Identifier: EUPL-1.2
//! Messages and their deliveries.

mod authentication;
mod authors;
pub mod eml;
pub mod images;
mod invitation;
pub mod mentions;
pub mod retry;
pub mod source;
mod types;
pub mod undo;

pub use authentication::*;
pub use authors::Authors;
pub use images::{ImageState, ImagesFor, RemoteImage, RemoteImages};
pub use invitation::*;
pub use mentions::{Mention, Naming};
pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] =
    &[retry::OPERATION, undo::OPERATION, source::OPERATION, eml::OPERATION, images::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &retry::OPERATION, retry::handle);
    let router = route(router, &undo::OPERATION, undo::handle);
    let router = route(router, &source::OPERATION, source::handle);
    let router = route(router, &eml::OPERATION, eml::handle);
    route(router, &images::OPERATION, images::handle)
}
