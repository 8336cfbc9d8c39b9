// SPDX-License-Identifier: EUPL-1.2
//! Mail that could not be filed; its sealed source is kept.

pub mod list;
pub mod retry;
pub mod source;
mod types;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[list::OPERATION, source::OPERATION, retry::OPERATION];
