// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about the ledger.

use std::collections::BTreeMap;

use belofte_model::LedgerKind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::conversations::ActivityActor;
use crate::api::schema;
use crate::api::time::Time;

/// Which leaves to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListLedger {
    /// Only leaves before this number.
    #[serde(default)]
    #[param(minimum = 0)]
    pub before: Option<i64>,
    /// How many at most; 50 without it.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// A page of leaves.
#[derive(Serialize, ToSchema)]
pub struct LedgerPage {
    /// Newest first.
    pub items: Vec<LedgerEntry>,
    /// How many leaves there are in all.
    pub size: i64,
    /// The newest signed checkpoint (C2SP `tlog-checkpoint`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

/// One leaf.
#[derive(Serialize, ToSchema)]
pub struct LedgerEntry {
    /// Its number, from 0.
    pub no: i64,
    /// When.
    pub at: Time,
    /// What it tells.
    #[schema(value_type = schema::LedgerKind)]
    pub kind: LedgerKind,
    /// Who acted.
    pub actor: ActivityActor,
    /// What happened, in words that the catalogue holds.
    pub summary: Summary,
}

/// A sentence of the catalogue with what to fill in.
#[derive(Serialize, ToSchema)]
pub struct Summary {
    /// The key of the sentence is `ledger.<code>`.
    pub code: String,
    /// What to fill in, by name.
    pub params: BTreeMap<String, String>,
}
