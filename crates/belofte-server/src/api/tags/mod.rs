// SPDX-License-Identifier: EUPL-1.2
//! Tags: the tenant's own words for its conversations.

pub mod create;
pub mod list;
pub mod merge;
mod types;
pub mod update;

pub use types::*;

use axum::Router;
use belofte_store::TagError;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::{ApiError, FieldCode, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] =
    &[list::OPERATION, create::OPERATION, update::OPERATION, merge::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &update::OPERATION, update::handle);
    route(router, &merge::OPERATION, merge::handle)
}

/// The longest name, in characters.
const NAME: usize = 40;

/// What a refusal of the store means to the caller.
fn refused(error: TagError) -> ApiError {
    match error {
        TagError::NameTaken => ApiError::field("name", FieldCode::Taken),
        TagError::NoSuchTag => ApiError::field("into_id", FieldCode::NotFound),
        TagError::Store(error) => error.into(),
    }
}
