// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about queues.

use belofte_model::QueueId;
use serde::Serialize;
use utoipa::ToSchema;

/// A queue.
#[derive(Clone, Serialize, ToSchema)]
pub struct Queue {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: QueueId,
    /// Its name.
    pub name: String,
}

/// The queues.
#[derive(Serialize, ToSchema)]
pub struct QueueList {
    /// By name.
    pub items: Vec<Queue>,
}
