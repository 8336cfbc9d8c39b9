// SPDX-License-Identifier: EUPL-1.2
//! Invitations: the only way to become a user.

pub mod accept;
pub mod create;
pub mod delete;
pub mod list;
pub mod look;
mod types;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] =
    &[list::OPERATION, create::OPERATION, delete::OPERATION, look::OPERATION, accept::OPERATION];
