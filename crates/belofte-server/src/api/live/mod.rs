// SPDX-License-Identifier: EUPL-1.2
//! Live events: facts by number, never content.

pub mod connect;
mod types;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[connect::OPERATION];
