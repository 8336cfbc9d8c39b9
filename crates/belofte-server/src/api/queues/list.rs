// SPDX-License-Identifier: EUPL-1.2
//! GET /queues: the queues.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::{ListQueues, ListedQueue, QueueList};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Query};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_queues",
    "/queues",
    Tag::Queues,
    "The queues that the caller sees, and whether they are open",
)
.may(Permission::ReadConversations)
.query::<ListQueues>()
.answers(&[Answer {
    status: 200,
    meaning: "The queues in their order",
    content: Content::json::<QueueList>(),
}]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Query(asked): Query<ListQueues>,
) -> http::Answer<Json<QueueList>> {
    let (store, access) = (&app.core.store, &signed.access);
    let queues = store.queues(access).await?.into_iter().filter(|queue| asked.archived || !queue.archived);
    let openings = store.queue_openings(access).await?;
    let items = queues.map(|queue| {
        let opening = openings.get(&queue.id);
        ListedQueue::of(queue, opening)
    });
    Ok(Json(QueueList { items: items.collect() }))
}
