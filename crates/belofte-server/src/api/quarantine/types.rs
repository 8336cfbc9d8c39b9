// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about quarantined mail.

use belofte_model::{ChannelAccountId, IntakeId, IntakeState, QuarantineReason};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::schema;
use crate::api::time::Time;

/// Which quarantined mail to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuarantine {
    /// Only of this account.
    #[serde(default)]
    #[param(value_type = Option<Uuid>)]
    pub account: Option<ChannelAccountId>,
    /// Where the page before ended.
    #[serde(default)]
    #[param(max_length = 200)]
    pub cursor: Option<String>,
    /// How many at most; 50 without it.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// A page of quarantined mail.
#[derive(Serialize, ToSchema)]
pub struct QuarantinePage {
    /// Newest first.
    pub items: Vec<Quarantined>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A quarantined mail.
#[derive(Serialize, ToSchema)]
pub struct Quarantined {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: IntakeId,
    /// The account it came to.
    #[schema(value_type = Uuid)]
    pub channel_account_id: ChannelAccountId,
    /// When it came.
    pub received_at: Time,
    /// How long it is.
    pub size_bytes: i64,
    /// Why it lies here.
    #[schema(value_type = schema::QuarantineReason)]
    pub reason: QuarantineReason,
    /// What a scanner found in it, by the name of its signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// When it was last tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retried_at: Option<Time>,
}

/// A mail that is tried again.
#[derive(Serialize, ToSchema)]
pub struct RetriedIntake {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: IntakeId,
    /// Where it stands.
    #[schema(value_type = schema::IntakeState)]
    pub state: IntakeState,
}
