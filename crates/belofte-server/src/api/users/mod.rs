// SPDX-License-Identifier: EUPL-1.2
//! Users of the tenant.

pub mod list;
mod types;
pub mod update;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[list::OPERATION, update::OPERATION];
