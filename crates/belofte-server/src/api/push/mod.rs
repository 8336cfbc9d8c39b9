// SPDX-License-Identifier: EUPL-1.2
//! Browsers that are told when something is new: whether there is that, one's own, and what the organisation allows.

pub mod allow;
pub mod create;
pub mod delete;
pub mod get;
pub mod test;
mod types;

pub use types::*;

use axum::Router;
use belofte_store::{Access, Who};

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::{self, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] =
    &[get::OPERATION, allow::OPERATION, create::OPERATION, delete::OPERATION, test::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &get::OPERATION, get::handle);
    let router = route(router, &allow::OPERATION, allow::handle);
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &delete::OPERATION, delete::handle);
    route(router, &test::OPERATION, test::handle)
}

/// How things are for `who`.
///
/// # Errors
/// Those of the store.
pub async fn view(app: &App, access: &Access, who: &Who) -> http::Answer<Push> {
    let own = match who {
        Who::User { session, .. } => Some(*session),
        Who::ApiKey { .. } => None,
    };
    let store = &app.core.store;
    let setting = store.push_setting(access).await?;
    let items = store.push_devices(access).await?.into_iter();
    Ok(Push {
        offered: app.pushing.is_on(),
        allowed: setting.is_some(),
        public_key: setting.filter(|_| app.pushing.is_on()).map(|setting| setting.public_key),
        services: app.pushing.services(),
        devices: items.map(|device| PushDevice::of(device, own)).collect(),
    })
}
