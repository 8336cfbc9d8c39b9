// SPDX-License-Identifier: EUPL-1.2
//! GET /messages/{id}/eml: a message as a mail to keep elsewhere.

use ::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use belofte_channels::email::deliver::outgoing_mail;
use belofte_model::{BuiltInField, MessageId, MessageKind, Permission};
use belofte_store::ViewKind;

use crate::api::attachments::{SANDBOX, disposition};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_message_eml",
    "/messages/{id}/eml",
    Tag::Conversations,
    "A message as a mail: what came as it came, what went as it was written",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The mail", content: Content::Bytes("message/rfc822") }]);

/// The longest part of the subject in the name of the file, in characters.
const NAME: usize = 60;

/// Answers the endpoint. Nobody can take a name or an address out of a mail, so who does not see those gets none.
///
/// # Errors
/// [`Code::NotFound`] also for a note, and when the mail was not kept as it came; those of the store.
pub async fn handle(State(app): State<App>, signed: Signed, Id(id): Id<MessageId>) -> http::Answer<Response> {
    let (store, access) = (&app.core.store, &signed.access);
    let message = store.message(access, id).await?;
    let sees_people =
        [BuiltInField::Name, BuiltInField::Address].iter().all(|field| access.visible().sees(*field));
    let bytes = match message.kind {
        MessageKind::Incoming | MessageKind::Automatic => store.message_source(access, id).await?,
        MessageKind::Reply if sees_people => outgoing_mail(&app.core, access, &message).await?,
        MessageKind::Reply | MessageKind::Note => return Err(Code::NotFound.into()),
    };
    app.views.note(access, ViewKind::MessageSource, id.uuid())?;
    let subject: String = message.content.subject.trim().chars().take(NAME).collect();
    let name = if subject.is_empty() { message.no.to_string() } else { subject };
    let headers = [
        (CONTENT_TYPE, "message/rfc822".to_owned()),
        (CONTENT_DISPOSITION, disposition(&format!("{name}.eml"))),
        (CONTENT_SECURITY_POLICY, SANDBOX.to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
