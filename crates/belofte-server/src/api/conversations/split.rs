// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations/{id}/split: messages become a conversation of their own.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{ConversationId, Permission};
use belofte_store::{NewSplit, ViewKind};
use uuid::Uuid;

use super::merging::not_split;
use super::{ConversationRow, SplitConversation};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, ContextOf, FieldCode, Id, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "split_conversation",
    "/conversations/{id}/split",
    Tag::Conversations,
    "Makes messages of it a conversation of their own",
)
.may(Permission::Assign)
.takes(Content::json::<SplitConversation>())
.answers(&[Answer {
    status: 201,
    meaning: "The new conversation",
    content: Content::json::<ConversationRow>(),
}])
.problems(&[Code::Conflict, Code::MessageOnItsWay]);

/// The longest subject, in characters.
const SUBJECT: usize = 500;

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`] for messages that are not there or when nothing would be left, [`Code::MessageOnItsWay`]
/// while one of them is being sent, [`Code::NotFound`], [`Code::Conflict`], and those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    Id(id): Id<ConversationId>,
    key: IdempotencyKey,
    Json(asked): Json<SplitConversation>,
) -> http::Answer<Response> {
    let (store, access) = (&app.core.store, &signed.access);
    let act = async |intended: Option<Uuid>| {
        let mut checks = Checks::default();
        checks.that(!asked.message_ids.is_empty(), "message_ids", FieldCode::Required).that(
            asked.message_ids.len() <= NewSplit::MOST,
            "message_ids",
            FieldCode::TooLong,
        );
        if let Some(subject) = &asked.subject {
            checks.text(subject, "subject", 1, SUBJECT);
        }
        checks.done()?;
        let made = intended.map_or_else(|| ConversationId(app.core.new_message_id().uuid()), ConversationId);
        // One line, as a header has it.
        let line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (messages, subject) = (asked.message_ids, asked.subject.map(line));
        let from = store.conversation_in_force(access, id).await?;
        let new = NewSplit { from, id: made, messages, subject };
        store.split_conversation(access, &new).await.map_err(not_split)?;
        let id = made;
        let conversation = store.conversation(access, id).await?;
        app.views.note(access, ViewKind::Conversation, id.uuid())?;
        Ok(Names::fetch(&app, access).await?.row(conversation))
    };
    app.once_as(access, &context, &key, StatusCode::CREATED, act).await
}
