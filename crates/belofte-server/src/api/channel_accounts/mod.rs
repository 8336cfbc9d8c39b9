// SPDX-License-Identifier: EUPL-1.2
//! Channel accounts: where customers come in, and the accounting of what came.

pub mod accounting;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod test;
mod types;
pub mod update;

pub use types::*;

use crate::api::operation::Operation;

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] = &[
    list::OPERATION,
    create::OPERATION,
    get::OPERATION,
    update::OPERATION,
    delete::OPERATION,
    test::OPERATION,
    accounting::OPERATION,
];
