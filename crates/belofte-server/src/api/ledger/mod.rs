// SPDX-License-Identifier: EUPL-1.2
//! The tenant's ledger, for its privacy officer alone.

pub mod export;
pub mod list;
mod types;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[list::OPERATION, export::OPERATION];
