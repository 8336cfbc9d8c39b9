// SPDX-License-Identifier: EUPL-1.2
//! Queues.

pub mod list;
mod types;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[list::OPERATION];
