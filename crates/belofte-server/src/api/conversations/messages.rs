// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/{id}/messages: the thread.

use axum::Json;
use axum::extract::State;
use belofte_model::{ConversationId, Permission};
use belofte_store::ViewKind;

use super::ListMessages;
use crate::api::cursor;
use crate::api::messages::{Authors, MessagePage};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id, Query};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_messages",
    "/conversations/{id}/messages",
    Tag::Conversations,
    "A page of messages, oldest first; the page before it by its cursor",
)
.may(Permission::ReadConversations)
.query::<ListMessages>()
.answers(&[Answer { status: 200, meaning: "The page", content: Content::json::<MessagePage>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`](http::Code::Invalid) for a cursor or limit that is none,
/// [`Code::NotFound`](http::Code::NotFound), and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ConversationId>,
    Query(asked): Query<ListMessages>,
) -> http::Answer<Json<MessagePage>> {
    let (store, access) = (&app.core.store, &signed.access);
    let limit = http::page_limit(asked.limit)?;
    let before = asked.before.as_deref().map(|text| cursor::read_number(text, "before")).transpose()?;
    // What became part of another conversation is read there.
    let id = store.conversation_in_force(access, id).await?;
    app.views.note(access, ViewKind::Conversation, id.uuid())?;
    // One more than asked tells whether an older page follows.
    let mut found = store.messages(access, id, before, limit + 1).await?;
    let more = found.len() > limit as usize;
    if more {
        found.remove(0);
    }
    let next_cursor = found.first().filter(|_| more).map(|first| cursor::write_number(first.no));
    let authors = Authors::fetch(&app, access, &found).await?;
    let items = found.into_iter().map(|message| authors.message(message)).collect();
    Ok(Json(MessagePage { items, next_cursor }))
}
