// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations/{id}/messages: a reply or a note.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_core::{NewReply, ReplyError};
use belofte_model::{ConversationId, EmailAddress, MessageId, Permission};
use belofte_store::{StoreError, ViewKind};
use uuid::Uuid;

use super::{CreateMessage, CreateMessageKind};
use crate::api::messages::{Authors, Message};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Checks, Code, ContextOf, FieldCode, Id, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_message",
    "/conversations/{id}/messages",
    Tag::Conversations,
    "Sends a reply or writes a note",
)
.may(Permission::Answer)
.takes(Content::json::<CreateMessage>())
.answers(&[Answer {
    status: 201,
    meaning: "The message; deliveries are queued",
    content: Content::json::<Message>(),
}])
.problems(&[Code::Conflict, Code::AccountCannotSend]);

/// The longest text, in characters.
const TEXT: usize = 200_000;
/// The most recipients of each kind, and the most files.
const MANY: usize = 50;

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`] with the field that does not hold, [`Code::AccountCannotSend`],
/// [`Code::NotFound`], [`Code::Conflict`] when the case changes all the time, and those of the
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
    let act = |intended: Option<Uuid>| create(&app, &signed, id, intended.map(MessageId), asked);
    let answer = app.once_as(access, &context.0, &key, StatusCode::CREATED, act).await?;
    // It shows whom the answer goes to; told again it shows it again.
    app.views.note(access, ViewKind::Conversation, id.uuid())?;
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
    let (to, cc) = (asked.to.unwrap_or_default(), asked.cc.unwrap_or_default());
    let mut checks = Checks::default();
    // Files speak for themselves; a message without either says nothing.
    let least = usize::from(asked.attachment_ids.is_empty());
    checks.text(&asked.text, "text", least, TEXT);
    let fits = asked.html.as_ref().is_none_or(|html| html.len() <= 1_000_000);
    checks.that(fits, "html", FieldCode::TooLong);
    checks.that(!note || asked.html.is_none(), "html", FieldCode::Invalid);
    checks.that(!note || to.is_empty(), "to", FieldCode::Invalid);
    checks.that(!note || cc.is_empty(), "cc", FieldCode::Invalid);
    checks.that(!note || !asked.resolve, "resolve", FieldCode::Invalid);
    checks.that(to.len() <= MANY, "to", FieldCode::TooLong);
    checks.that(cc.len() <= MANY, "cc", FieldCode::TooLong);
    checks.that(asked.attachment_ids.len() <= MANY, "attachment_ids", FieldCode::TooLong);
    checks.done()?;
    let (to, cc) = (addresses(&to, "to", &mut checks), addresses(&cc, "cc", &mut checks));
    let html = asked.html.map(|html| belofte_mail::sanitise(&html));
    checks.that(html.as_ref().is_none_or(Option::is_some), "html", FieldCode::Invalid);
    for (at, file) in asked.attachment_ids.iter().enumerate() {
        let twice = asked.attachment_ids[..at].contains(file);
        let waits = match app.core.store.attachment(access, *file).await {
            Ok(file) => file.message.is_none(),
            Err(StoreError::NotFound | StoreError::KeyGone(_)) => false,
            Err(error) => return Err(error.into()),
        };
        checks.that(waits && !twice, &format!("attachment_ids[{at}]"), FieldCode::NotFound);
    }
    checks.done()?;
    let stored = if note {
        belofte_core::note(&app.core, access, id, intended, &asked.text, asked.attachment_ids).await
    } else {
        let html = html.flatten().map(|sanitised| sanitised.html);
        let reply = NewReply {
            id: intended,
            text: asked.text,
            html,
            to,
            cc,
            attachments: asked.attachment_ids,
            resolve: asked.resolve,
        };
        belofte_core::reply(&app.core, access, id, &reply).await
    };
    let stored = stored.map_err(|error| match error {
        ReplyError::NoRecipient => ApiError::field("to", FieldCode::Required),
        ReplyError::AccountCannotSend => Code::AccountCannotSend.into(),
        ReplyError::Store(error) => error.into(),
    })?;
    let authors = Authors::fetch(app, access, std::slice::from_ref(&stored)).await?;
    Ok(authors.message(stored))
}

fn addresses(texts: &[String], field: &str, checks: &mut Checks) -> Vec<EmailAddress> {
    let mut addresses = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        match EmailAddress::parse(text.trim()) {
            Ok(address) => addresses.push(address),
            Err(_) => drop(checks.that(false, &format!("{field}[{at}]"), FieldCode::Invalid)),
        }
    }
    addresses
}
