// SPDX-License-Identifier: EUPL-1.2
//! The signed-in user's own settings.

pub mod password;
mod types;
pub mod update;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[update::OPERATION, password::OPERATION];
