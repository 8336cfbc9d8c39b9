// SPDX-License-Identifier: EUPL-1.2
//! The operator's own view of the installation: metadata, never content.

pub mod dead_letters;
pub mod session;
pub mod sign_in;
pub mod sign_out;
pub mod tenants;
mod types;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[
    sign_in::OPERATION,
    session::OPERATION,
    sign_out::OPERATION,
    tenants::OPERATION,
    dead_letters::OPERATION,
];
