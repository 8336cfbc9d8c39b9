// SPDX-License-Identifier: EUPL-1.2
//! Files that come and go with messages.

pub mod create;
pub mod get;
mod types;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[create::OPERATION, get::OPERATION];
