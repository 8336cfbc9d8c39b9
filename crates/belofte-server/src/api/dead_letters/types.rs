// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about failed background work.

use belofte_model::{JobId, JobKind};
use belofte_store as store;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::schema;
use crate::api::time::Time;

/// Background work that failed for good.
#[derive(Serialize, ToSchema)]
pub struct DeadLetter {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: JobId,
    /// What it is.
    #[schema(value_type = schema::JobKind)]
    pub kind: JobKind,
    /// When it failed last.
    pub failed_at: Time,
    /// How often it was tried.
    pub attempts: u32,
    /// Why: a stable code.
    pub error_code: String,
}

/// Failed work.
#[derive(Serialize, ToSchema)]
pub struct DeadLetterList {
    /// Newest first.
    pub items: Vec<DeadLetter>,
}

impl From<store::DeadLetter> for DeadLetter {
    fn from(letter: store::DeadLetter) -> Self {
        Self {
            id: letter.id,
            kind: letter.kind,
            failed_at: letter.failed_at.into(),
            attempts: letter.attempts,
            error_code: letter.code.unwrap_or_else(|| "unknown".to_owned()),
        }
    }
}
