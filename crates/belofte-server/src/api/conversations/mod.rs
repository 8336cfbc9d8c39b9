// SPDX-License-Identifier: EUPL-1.2
//! Conversations: cases with their messages.

pub mod activity;
pub mod bulk;
pub mod counts;
pub mod create;
pub mod get;
pub mod link;
pub mod list;
pub mod mentionable;
pub mod merge;
pub mod merging;
pub mod messages;
pub mod numbered;
pub mod related;
pub mod reply;
pub mod seen;
pub mod split;
mod types;
pub mod unmerge;
pub mod unsplit;
pub mod update;
pub mod use_macro;
mod writing;

pub use merging::*;
pub use types::*;

use axum::Router;

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::mount as route;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[
    list::OPERATION,
    create::OPERATION,
    counts::OPERATION,
    get::OPERATION,
    update::OPERATION,
    bulk::OPERATION,
    seen::OPERATION,
    messages::OPERATION,
    activity::OPERATION,
    reply::OPERATION,
    numbered::OPERATION,
    related::OPERATION,
    merge::OPERATION,
    unmerge::OPERATION,
    split::OPERATION,
    unsplit::OPERATION,
    link::OPERATION,
    mentionable::OPERATION,
    use_macro::OPERATION,
];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &create::OPERATION, create::handle);
    let router = route(router, &counts::OPERATION, counts::handle);
    let router = route(router, &get::OPERATION, get::handle);
    let router = route(router, &update::OPERATION, update::handle);
    let router = route(router, &bulk::OPERATION, bulk::handle);
    let router = route(router, &seen::OPERATION, seen::handle);
    let router = route(router, &messages::OPERATION, messages::handle);
    let router = route(router, &activity::OPERATION, activity::handle);
    let router = route(router, &reply::OPERATION, reply::handle);
    let router = route(router, &numbered::OPERATION, numbered::handle);
    let router = route(router, &related::OPERATION, related::handle);
    let router = route(router, &merge::OPERATION, merge::handle);
    let router = route(router, &unmerge::OPERATION, unmerge::handle);
    let router = route(router, &split::OPERATION, split::handle);
    let router = route(router, &unsplit::OPERATION, unsplit::handle);
    let router = route(router, &link::OPERATION, link::handle);
    let router = route(router, &mentionable::OPERATION, mentionable::handle);
    route(router, &use_macro::OPERATION, use_macro::handle)
}
