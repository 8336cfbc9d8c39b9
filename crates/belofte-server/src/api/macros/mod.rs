// SPDX-License-Identifier: EUPL-1.2
//! Macros: words and changes that somebody keeps under a name, to use again. What one does in a
//! conversation is `POST /conversations/{id}/macro`.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
mod types;
pub mod update;

pub use types::*;

use axum::Router;
use belofte_model::Permission;
use belofte_store::{self as store, MacroContent, MacroError};

use crate::api::names::Names;
use crate::api::operation::Operation;
use crate::app::{App, SignedUser};
use crate::http::{self, ApiError, Checks, Code, FieldCode, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] =
    &[list::OPERATION, create::OPERATION, get::OPERATION, update::OPERATION, delete::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &get::OPERATION, get::handle);
    let router = route(router, &update::OPERATION, update::handle);
    route(router, &delete::OPERATION, delete::handle)
}

/// The longest name, in characters.
const NAME: usize = 80;

/// What is kept of `wanted`.
///
/// # Errors
/// [`Code::Invalid`] with every field that does not hold.
fn checked(wanted: SaveMacro, names: &Names) -> http::Answer<MacroContent> {
    let mut checks = Checks::default();
    let odd = wanted.name.chars().any(char::is_control);
    checks.text(&wanted.name, "name", 1, NAME).that(!odd, "name", FieldCode::Invalid);
    let stands = wanted.actions.status.is_some();
    let actions = wanted.actions.checked(&mut checks, names);
    let texts = wanted.texts.checked(&mut checks);
    // What neither says nor does anything is a mistake.
    let something =
        texts.nl.is_some() || texts.en.is_some() || stands || actions != store::MacroActions::default();
    checks.that(something, "texts", FieldCode::Required);
    checks.done()?;
    Ok(MacroContent { name: wanted.name.trim().to_owned(), actions, texts })
}

/// Refuses who may not decide what everybody has.
fn may_share(signed: &SignedUser) -> http::Answer<()> {
    if signed.who.may(Permission::ShareViews) { Ok(()) } else { Err(Code::Forbidden.into()) }
}

/// What a refusal means to who keeps a macro.
fn refused(error: MacroError) -> ApiError {
    match error {
        MacroError::TooMany => Code::TooManyMacros.into(),
        MacroError::Store(error) => error.into(),
    }
}
