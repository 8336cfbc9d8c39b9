// SPDX-License-Identifier: EUPL-1.2
//! Messages and their deliveries.

pub mod retry;
pub mod source;
mod types;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[retry::OPERATION, source::OPERATION];
