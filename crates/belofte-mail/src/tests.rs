// SPDX-License-Identifier: EUPL-1.2
//! Tests that look at the whole crate; those of one module stand in that module.

mod alternative;
mod compose;
mod corpus;
mod names;
mod robust;
mod thread;
