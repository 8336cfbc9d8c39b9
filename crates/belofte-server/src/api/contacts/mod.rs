// SPDX-License-Identifier: EUPL-1.2
//! Contacts: the people who write.

pub mod get;
mod types;
pub mod update;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[get::OPERATION, update::OPERATION];
