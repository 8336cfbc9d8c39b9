// SPDX-License-Identifier: EUPL-1.2
//! The session of the browser: signing in, being signed in, signing out.

pub mod create;
pub mod delete;
pub mod get;
mod types;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[create::OPERATION, get::OPERATION, delete::OPERATION];
