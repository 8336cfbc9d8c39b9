// SPDX-License-Identifier: EUPL-1.2
//! GET /queues: the queues.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::{Queue, QueueList};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_queues", "/queues", Tag::Conversations, "The queues that the caller sees")
        .may(Permission::ReadConversations)
        .answers(&[Answer {
            status: 200,
            meaning: "The queues by name",
            content: Content::json::<QueueList>(),
        }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<QueueList>> {
    let queues = app.core.store.queues(&signed.access).await?;
    let items = queues.into_iter().map(|queue| Queue { id: queue.id, name: queue.name }).collect();
    Ok(Json(QueueList { items }))
}
