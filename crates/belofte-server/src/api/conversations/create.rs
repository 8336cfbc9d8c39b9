// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations: a mail that begins a conversation.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_core::{NewMail, ReplyError};
use belofte_model::{MessageId, Permission};
use belofte_store::DraftPlace;
use uuid::Uuid;

use super::{CreateConversation, writing};
use crate::api::messages::{Authors, Message};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, ContextOf, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_conversation",
    "/conversations",
    Tag::Conversations,
    "Begins a conversation with a mail to somebody",
)
.may(Permission::Answer)
.takes(Content::json::<CreateConversation>())
.answers(&[Answer {
    status: 201,
    meaning: "The message with its conversation; deliveries are queued",
    content: Content::json::<Message>(),
}])
.problems(&[Code::Conflict, Code::AccountCannotSend, Code::NotFound]);

/// The longest subject, in characters.
const SUBJECT: usize = 500;

/// Answers the endpoint. It shows nothing but what was asked, so that nobody has looked at anything.
///
/// # Errors
/// [`Code::Invalid`] with the field that does not hold, [`Code::NotFound`] without the account,
/// [`Code::AccountCannotSend`], [`Code::Conflict`], and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    context: ContextOf,
    key: IdempotencyKey,
    Json(asked): Json<CreateConversation>,
) -> http::Answer<Response> {
    let drafted = asked.draft_version.is_some();
    let act = |intended: Option<Uuid>| create(&app, &signed, intended.map(MessageId), asked);
    let answer = app.once_as(&signed.access, &context.0, &key, StatusCode::CREATED, act).await?;
    if drafted {
        app.core.presence.draft_changed(&signed.access, DraftPlace::MAIL, 0);
    }
    Ok(answer)
}

async fn create(
    app: &App,
    signed: &Signed,
    intended: Option<MessageId>,
    asked: CreateConversation,
) -> http::Answer<Message> {
    let access = &signed.access;
    let written = match intended {
        Some(intended) => belofte_core::written(&app.core, access, intended).await?,
        None => None,
    };
    let stored = match written {
        Some(written) => written,
        None => {
            let id = intended.unwrap_or_else(|| app.core.new_message_id());
            belofte_core::begin_conversation(&app.core, access, &mail(app, signed, id, asked).await?)
                .await
                .map_err(|error| match error {
                // What the conversation would begin from, and not one choice among others.
                ReplyError::NoSuchAccount => Code::NotFound.into(),
                error => writing::refused(error),
            })?;
            app.core.store.message(access, id).await?
        }
    };
    let authors = Authors::fetch(app, access, std::slice::from_ref(&stored)).await?;
    Ok(authors.message(stored))
}

async fn mail(app: &App, signed: &Signed, id: MessageId, asked: CreateConversation) -> http::Answer<NewMail> {
    let mut checks = Checks::default();
    let has_files = !asked.attachment_ids.is_empty() || !asked.copied_attachment_ids.is_empty();
    let (text, html) = writing::words(&mut checks, asked.text, asked.html, has_files);
    checks.text(&asked.subject, "subject", 1, SUBJECT);
    checks.that(!asked.to.is_empty(), "to", FieldCode::Required);
    checks.done()?;
    let wait = writing::wait(&mut checks, asked.undo_seconds);
    let people = [("to", Some(asked.to)), ("cc", asked.cc), ("bcc", asked.bcc)];
    let [to, cc, bcc] = writing::recipients(&mut checks, people);
    let (uploads, copied) = (asked.attachment_ids, asked.copied_attachment_ids);
    let attachments = writing::files(app, &signed.access, &mut checks, uploads, copied).await?;
    checks.done()?;
    // One line, as the header will have it.
    let subject = asked.subject.split_whitespace().collect::<Vec<_>>().join(" ");
    let draft = asked.draft_version;
    Ok(NewMail { id, account: asked.account_id, to, cc, bcc, subject, text, html, attachments, wait, draft })
}
