// SPDX-License-Identifier: EUPL-1.2
//! Teams: people who work together, and the queues that they serve.

pub mod create;
pub mod get;
pub mod list;
mod types;
pub mod update;

pub use types::*;

use axum::Router;
use belofte_store::TeamError;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::{ApiError, Code, FieldCode, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[list::OPERATION, create::OPERATION, get::OPERATION, update::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &get::OPERATION, get::handle);
    route(router, &update::OPERATION, update::handle)
}

/// The longest name, in characters.
const NAME: usize = 80;

/// What a refusal of the store means to the caller.
fn refused(error: TeamError) -> ApiError {
    match error {
        TeamError::TooMany => Code::TooManyTeams.into(),
        TeamError::TooManyMembers => ApiError::field("member_ids", FieldCode::TooLong),
        TeamError::NoSuchUser => ApiError::field("member_ids", FieldCode::NotFound),
        TeamError::NoSuchQueue => ApiError::field("queue_ids", FieldCode::NotFound),
        TeamError::Store(error) => error.into(),
    }
}
