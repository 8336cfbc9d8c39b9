// SPDX-License-Identifier: EUPL-1.2
//! Background work that failed for good.

pub mod list;
pub mod retry;
mod types;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[list::OPERATION, retry::OPERATION];
