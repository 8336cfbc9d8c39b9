// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/counts: the numbers in the rail.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::ConversationCounts;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "count_conversations",
    "/conversations/counts",
    Tag::Conversations,
    "How many conversations there are of each kind",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The counts", content: Content::json::<ConversationCounts>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<ConversationCounts>> {
    let counts = app.core.store.conversation_counts(&signed.access).await?;
    Ok(Json(ConversationCounts {
        open: counts.open,
        mine: counts.mine,
        unassigned: counts.unassigned,
        waiting: counts.waiting,
        snoozed: counts.snoozed,
        resolved: counts.resolved,
    }))
}
