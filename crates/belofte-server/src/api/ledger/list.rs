// SPDX-License-Identifier: EUPL-1.2
//! GET /ledger: a page of leaves.

use belofte_model::Permission;

use super::{LedgerPage, ListLedger};
use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_ledger", "/ledger", Tag::Ledger, "Leaves of the ledger, newest first")
        .may(Permission::ReadLedger)
        .query::<ListLedger>()
        .answers(&[Answer { status: 200, meaning: "The page", content: Content::json::<LedgerPage>() }]);
