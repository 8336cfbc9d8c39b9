// SPDX-License-Identifier: EUPL-1.2
//! GET /contacts/{id}/conversations: the cases of one person.

use axum::Json;
use axum::extract::State;
use belofte_model::{ContactId, Permission};
use belofte_store::{Assignee, ConversationQuery, ViewKind};

use super::ListContactConversations;
use crate::api::conversations::ConversationPage;
use crate::api::cursor::ByTime;
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id, Query};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_contact_conversations",
    "/contacts/{id}/conversations",
    Tag::Contacts,
    "A page of the conversations of one person, of every status, the latest message first",
)
.may(Permission::ReadConversations)
.query::<ListContactConversations>()
.answers(&[Answer { status: 200, meaning: "The page", content: Content::json::<ConversationPage>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`](http::Code::Invalid) for a cursor or limit that is none,
/// [`Code::NotFound`](http::Code::NotFound), and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ContactId>,
    Query(asked): Query<ListContactConversations>,
) -> http::Answer<Json<ConversationPage>> {
    let (store, access) = (&app.core.store, &signed.access);
    let limit = http::page_limit(asked.limit)?;
    let after = asked.cursor.as_deref().map(|text| ByTime::read(text, "cursor")).transpose()?;
    // Whoever does not see the person is not told by an empty list that there is one.
    store.contact(access, id).await?;
    app.views.note(access, ViewKind::Contact, id.uuid())?;
    let query = ConversationQuery {
        status: None,
        assignee: Assignee::Any,
        queue: None,
        tag: None,
        contact: Some(id),
        after: after.map(|ByTime(at, id)| (at, id)),
        // One more than asked tells whether another page follows.
        limit: limit + 1,
    };
    let mut found = store.conversations(access, query).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let last = found.last().filter(|_| more);
    let next_cursor = last.map(|last| ByTime(last.last_message_at, last.id).write());
    let names = Names::fetch(&app, access).await?;
    let items = found.into_iter().map(|conversation| names.row(conversation)).collect();
    Ok(Json(ConversationPage { items, next_cursor }))
}
