// SPDX-License-Identifier: EUPL-1.2
//! Conversations: cases with their messages.

pub mod activity;
pub mod counts;
pub mod get;
pub mod list;
pub mod messages;
pub mod reply;
pub mod seen;
mod types;
pub mod update;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[
    list::OPERATION,
    counts::OPERATION,
    get::OPERATION,
    update::OPERATION,
    seen::OPERATION,
    messages::OPERATION,
    activity::OPERATION,
    reply::OPERATION,
];
