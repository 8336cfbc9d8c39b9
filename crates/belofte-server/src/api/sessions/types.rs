// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about one's own sessions.

use belofte_model::SessionId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::time::Time;

/// One's own sessions.
#[derive(Serialize, ToSchema)]
pub struct SessionList {
    /// Newest first.
    pub items: Vec<OwnSession>,
}

/// One signed-in browser.
#[derive(Serialize, ToSchema)]
pub struct OwnSession {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: SessionId,
    /// When it signed in.
    pub created_at: Time,
    /// When it was last used.
    pub last_seen_at: Time,
    /// Whether it is the one that asks.
    pub current: bool,
    /// What the browser called itself when it signed in.
    pub user_agent: String,
}
