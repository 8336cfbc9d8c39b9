// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations: a page of the inbox.

use axum::Json;
use axum::extract::State;
use belofte_model::{Permission, QueueId};
use belofte_store::{Assignee, ConversationQuery, ViewKind};
use uuid::Uuid;

use super::{AssigneeFilter, ConversationPage, ListConversations};
use crate::api::cursor::ByTime;
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Query};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_conversations",
    "/conversations",
    Tag::Conversations,
    "A page of conversations, the latest message or what came back last first",
)
.may(Permission::ReadConversations)
.query::<ListConversations>()
.answers(&[Answer { status: 200, meaning: "The page", content: Content::json::<ConversationPage>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`](http::Code::Invalid) for a cursor or limit that is none, and those of the
/// store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Query(asked): Query<ListConversations>,
) -> http::Answer<Json<ConversationPage>> {
    let limit = http::page_limit(asked.limit)?;
    let after = asked.cursor.as_deref().map(|text| ByTime::read(text, "cursor")).transpose()?;
    let assignee = match (asked.assignee, signed.access.user()) {
        (AssigneeFilter::Any, _) => Assignee::Any,
        (AssigneeFilter::Nobody, _) => Assignee::Nobody,
        (AssigneeFilter::User(user), _) | (AssigneeFilter::Me, Some(user)) => Assignee::User(user),
        // Nothing is ever given to a program.
        (AssigneeFilter::Me, None) => {
            return Ok(Json(ConversationPage { items: Vec::new(), next_cursor: None }));
        }
    };
    let nobody = Uuid::nil();
    app.views.note(&signed.access, ViewKind::ConversationList, asked.queue.map_or(nobody, QueueId::uuid))?;
    let query = ConversationQuery {
        status: asked.status.status(),
        assignee,
        queue: asked.queue,
        tag: asked.tag,
        contact: None,
        after: after.map(|ByTime(at, id)| (at, id)),
        // One more than asked tells whether another page follows.
        limit: limit + 1,
    };
    let mut found = app.core.store.conversations(&signed.access, query).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let last = found.last().filter(|_| more);
    let next_cursor = last.map(|last| ByTime(last.placed_at, last.id).write());
    let names = Names::fetch(&app, &signed.access).await?;
    let items = found.into_iter().map(|conversation| names.row(conversation)).collect();
    Ok(Json(ConversationPage { items, next_cursor }))
}
