// SPDX-License-Identifier: EUPL-1.2
//! Search over sealed text. By POST, so that what is looked for stands in no URL.

pub mod find;
pub mod suggest;
mod types;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[find::OPERATION, suggest::OPERATION];
