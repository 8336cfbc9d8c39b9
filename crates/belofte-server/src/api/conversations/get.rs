// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/{id}: one conversation.

use axum::Json;
use axum::extract::State;
use belofte_model::{ChannelKind, ConversationId, EmailAddress, Permission};
use belofte_store::{Assignee, ConversationQuery, ViewKind};
use uuid::Uuid;

use super::{Conversation, Mailbox, Thread};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_conversation",
    "/conversations/{id}",
    Tag::Conversations,
    "One conversation with its contact and participants",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The conversation", content: Content::json::<Conversation>() }]);

/// So many other conversations with the same person are shown.
const OTHERS: u32 = 10;

/// Answers the endpoint.
///
/// # Errors
/// [`Code::NotFound`](http::Code::NotFound), and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ConversationId>,
) -> http::Answer<Json<Conversation>> {
    let (store, access) = (&app.core.store, &signed.access);
    // What became part of another conversation is read there.
    let id = store.conversation_in_force(access, id).await?;
    let conversation = store.conversation(access, id).await?;
    app.views.note(access, ViewKind::Conversation, id.uuid())?;
    let contact = store.contact(access, conversation.contact).await?;
    let query = ConversationQuery {
        status: None,
        assignee: Assignee::Any,
        queue: None,
        tag: None,
        contact: Some(conversation.contact),
        after: None,
        limit: OTHERS + 1,
    };
    let mut others = store.conversations(access, query).await?;
    others.retain(|other| other.id != id);
    others.truncate(OTHERS as usize);
    if !others.is_empty() {
        app.views.note(access, ViewKind::ConversationList, Uuid::nil())?;
    }
    let own: Vec<String> =
        store.channel_accounts(access).await?.iter().map(|account| account.address.normalised()).collect();
    let mut participants = store.participants(access, id).await?;
    // The accounts of the tenant are where it happens, not who takes part.
    participants.retain(|person| {
        EmailAddress::parse(&person.address)
            .map_or(true, |address| !own.contains(&address.split_detail().0.normalised()))
    });
    let threads = store.threads(access, id).await?;
    let threads = threads.into_iter().map(|thread| Thread {
        id: thread.id,
        channel: ChannelKind::Email,
        channel_account_id: thread.account,
    });
    let answers_from = store.reply_thread(access, id).await?.and_then(|place| place.moved_to);
    let names = Names::fetch(&app, access).await?;
    Ok(Json(Conversation::open(
        names.row(conversation),
        contact.into(),
        answers_from,
        participants.into_iter().map(Mailbox::from).collect(),
        threads.collect(),
        others.into_iter().map(|other| names.row(other)).collect(),
    )))
}
