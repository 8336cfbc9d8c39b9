// SPDX-License-Identifier: EUPL-1.2
//! Saved views: lists that somebody keeps under a name.

pub mod create;
pub mod delete;
pub mod list;
mod types;
pub mod update;

pub use types::*;

use axum::Router;
use belofte_model::Permission;

use crate::api::operation::Operation;
use crate::app::{App, SignedUser};
use crate::http::{self, Checks, Code, FieldCode, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] =
    &[list::OPERATION, create::OPERATION, update::OPERATION, delete::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &update::OPERATION, update::handle);
    route(router, &delete::OPERATION, delete::handle)
}

/// The longest name, in characters.
const NAME: usize = 60;

/// Refuses a name that does not hold.
fn check(name: &str) -> http::Answer<()> {
    let odd = name.chars().any(char::is_control);
    Checks::default().text(name, "name", 1, NAME).that(!odd, "name", FieldCode::Invalid).done()
}

/// Refuses who may not decide what everybody has.
fn may_share(signed: &SignedUser) -> http::Answer<()> {
    if signed.who.may(Permission::ShareViews) { Ok(()) } else { Err(Code::Forbidden.into()) }
}
