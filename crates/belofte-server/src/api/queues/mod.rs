// SPDX-License-Identifier: EUPL-1.2
//! Queues: where conversations wait. Everybody who answers has the list; how a queue is set up is for who may see
//! that.

pub mod archive;
pub mod create;
pub mod get;
pub mod hours;
pub mod list;
pub mod order;
pub mod restore;
mod types;
pub mod update;

pub use types::*;

use axum::Router;
use belofte_store::QueueError;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::{ApiError, Checks, Code, FieldCode, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[
    list::OPERATION,
    create::OPERATION,
    order::OPERATION,
    get::OPERATION,
    update::OPERATION,
    hours::OPERATION,
    archive::OPERATION,
    restore::OPERATION,
];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &order::OPERATION, order::handle);
    let router = route(router, &get::OPERATION, get::handle);
    let router = route(router, &update::OPERATION, update::handle);
    let router = route(router, &hours::OPERATION, hours::handle);
    let router = route(router, &archive::OPERATION, archive::handle);
    route(router, &restore::OPERATION, restore::handle)
}

/// The longest name, in characters.
const NAME: usize = 80;
/// The longest description.
const DESCRIPTION: usize = 500;

/// Notes what does not hold about a name and a description.
fn check(checks: &mut Checks, name: Option<&str>, description: Option<&str>) {
    if let Some(name) = name {
        checks.text(name, "name", 1, NAME);
        checks.that(!name.chars().any(char::is_control), "name", FieldCode::Invalid);
    }
    if let Some(description) = description {
        checks.text(description, "description", 0, DESCRIPTION);
    }
}

/// What a refusal of the store means to the caller.
fn refused(error: QueueError) -> ApiError {
    match error {
        QueueError::TooMany => Code::TooManyQueues.into(),
        QueueError::IsDefault => Code::QueueIsDefault.into(),
        QueueError::NotEmpty => Code::QueueNotEmpty.into(),
        QueueError::NoSuchTarget => ApiError::field("into_id", FieldCode::NotFound),
        QueueError::WrongState | QueueError::NotAll => Code::Conflict.into(),
        QueueError::Store(error) => error.into(),
    }
}
