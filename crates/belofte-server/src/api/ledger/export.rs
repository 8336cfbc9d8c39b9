// SPDX-License-Identifier: EUPL-1.2
//! POST /ledger/export: everything, to verify offline.

use belofte_model::Permission;

use crate::api::operation::{Answer, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "export_ledger",
    "/ledger/export",
    Tag::Ledger,
    "The whole ledger as an archive that `belofte ledger verify` checks offline",
)
.may(Permission::ReadLedger)
.answers(&[Answer { status: 200, meaning: "The archive", content: Content::Bytes("application/x-tar") }]);
