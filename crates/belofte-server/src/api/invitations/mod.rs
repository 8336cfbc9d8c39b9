// SPDX-License-Identifier: EUPL-1.2
//! Invitations: the only way to become a user.

pub mod accept;
pub mod create;
pub mod delete;
pub mod list;
pub mod look;
mod types;

pub use types::*;

use axum::Router;
use belofte_store::OpenInvitation;

use crate::api::operation::Operation;
use crate::app::{App, network};
use crate::http::{self, ApiError, Code, Context, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] =
    &[list::OPERATION, create::OPERATION, delete::OPERATION, look::OPERATION, accept::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &delete::OPERATION, delete::handle);
    let router = route(router, &look::OPERATION, look::handle);
    route(router, &accept::OPERATION, accept::handle)
}

/// The invitation of `token`, if it can be accepted. Wrong tokens are counted for the network that
/// they come from.
///
/// # Errors
/// [`Code::InvitationInvalid`], [`Code::TooManyTries`]; those of the store.
async fn open(app: &App, context: &Context, token: &str) -> http::Answer<OpenInvitation> {
    let network = network(context);
    app.invitations.take(&network, context.at).map_err(ApiError::too_many_tries)?;
    let found = app.core.store.system().invitation_by_token(token).await?;
    if found.is_some() {
        app.invitations.forgive(&network);
    }
    found.ok_or_else(|| Code::InvitationInvalid.into())
}
