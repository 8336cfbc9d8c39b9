// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations/{id}/messages: a reply, a note, or a message passed on.

use std::collections::HashSet;

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_core::{NewNote, NewReply};
use belofte_model::{ConversationId, DraftKind, MessageId, Permission, UserId};
use belofte_store::{DraftPlace, Handling, ViewKind};
use uuid::Uuid;

use super::{CreateMessage, CreateMessageKind, writing};
use crate::api::messages::{Authors, Message, mentions};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, ContextOf, FieldCode, Id, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_message",
    "/conversations/{id}/messages",
    Tag::Conversations,
    "Sends a reply, passes a message on, or writes a note",
)
.may(Permission::Answer)
.takes(Content::json::<CreateMessage>())
.answers(&[Answer {
    status: 201,
    meaning: "The message; deliveries are queued",
    content: Content::json::<Message>(),
}])
.problems(&[Code::Conflict, Code::AnsweredMeanwhile, Code::AccountCannotSend]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`] with the field that does not hold, [`Code::AccountCannotSend`],
/// [`Code::NotFound`], [`Code::AnsweredMeanwhile`], [`Code::Conflict`] when the case changes all the time, and those of the
/// store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    context: ContextOf,
    key: IdempotencyKey,
    Id(id): Id<ConversationId>,
    Json(asked): Json<CreateMessage>,
) -> http::Answer<Response> {
    let access = &signed.access;
    // Who wrote while the conversation became part of another one answers there.
    let id = app.core.store.conversation_in_force(access, id).await?;
    let drafted = asked.draft_version.is_some();
    let note = asked.kind == CreateMessageKind::Note;
    let place =
        DraftPlace { conversation: Some(id), kind: if note { DraftKind::Note } else { DraftKind::Reply } };
    let act = |intended: Option<Uuid>| create(&app, &signed, id, intended.map(MessageId), asked);
    let answer = app.once_as(access, &context.0, &key, StatusCode::CREATED, act).await?;
    // It shows whom the answer goes to; told again it shows it again.
    app.views.note(access, ViewKind::Conversation, id.uuid())?;
    if drafted {
        app.core.presence.draft_changed(access, place, 0);
    }
    Ok(answer)
}

async fn create(
    app: &App,
    signed: &Signed,
    id: ConversationId,
    intended: Option<MessageId>,
    asked: CreateMessage,
) -> http::Answer<Message> {
    let access = &signed.access;
    if let Some(intended) = intended
        && let Some(written) = belofte_core::written(&app.core, access, intended).await?
    {
        let authors = Authors::fetch(app, access, std::slice::from_ref(&written)).await?;
        return Ok(authors.message(written));
    }
    let note = asked.kind == CreateMessageKind::Note;
    let mut checks = Checks::default();
    let has_files = !asked.attachment_ids.is_empty() || !asked.copied_attachment_ids.is_empty();
    // A note goes to nobody and answers nothing.
    let empty = |list: &Option<Vec<String>>| list.as_ref().is_none_or(Vec::is_empty);
    for (field, absent) in [
        ("html", asked.html.is_none()),
        ("to", empty(&asked.to)),
        ("cc", empty(&asked.cc)),
        ("bcc", empty(&asked.bcc)),
        ("resolve", !asked.resolve),
        ("undo_seconds", asked.undo_seconds.is_none()),
        ("account_id", asked.account_id.is_none()),
        ("answers_id", asked.answers_id.is_none()),
        ("seen_message_id", asked.seen_message_id.is_none()),
    ] {
        checks.that(!note || absent, field, FieldCode::Invalid);
    }
    checks.that(note || asked.mentions.is_empty(), "mentions", FieldCode::Invalid);
    let (text, html) = writing::words(&mut checks, asked.text, asked.html, has_files);
    checks.done()?;
    let mentions = if asked.mentions.is_empty() {
        Vec::new()
    } else {
        let mut may: HashSet<UserId> = access.user().into_iter().collect();
        may.extend(app.core.store.mentionable(access, id).await?.iter().map(|user| user.id));
        mentions::checked(&mut checks, &text, &asked.mentions, |user| may.contains(&user))
    };
    let wait = writing::wait(&mut checks, asked.undo_seconds);
    let people = [("to", asked.to), ("cc", asked.cc), ("bcc", asked.bcc)];
    let [to, cc, bcc] = writing::recipients(&mut checks, people);
    let (uploads, copied) = (asked.attachment_ids, asked.copied_attachment_ids);
    let attachments = writing::files(app, access, &mut checks, uploads, copied).await?;
    checks.done()?;
    let stored = if note {
        let new = NewNote { id: intended, text, mentions, attachments, draft: asked.draft_version };
        belofte_core::note(&app.core, access, id, &new).await
    } else {
        let reply = NewReply {
            id: intended,
            answers: asked.answers_id,
            account: asked.account_id,
            text,
            html,
            to,
            cc,
            bcc,
            attachments,
            how: Handling {
                resolve: asked.resolve,
                forward: asked.kind == CreateMessageKind::Forward,
                wait,
                draft: asked.draft_version,
                seen: asked.seen_message_id,
            },
        };
        belofte_core::reply(&app.core, access, id, &reply).await
    };
    let stored = stored.map_err(writing::refused)?;
    let authors = Authors::fetch(app, access, std::slice::from_ref(&stored)).await?;
    Ok(authors.message(stored))
}
