// SPDX-License-Identifier: EUPL-1.2
//! GET /messages/{id}/source: the mail as it came.

use ::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use belofte_model::{MessageId, Permission};
use belofte_store::ViewKind;

use crate::api::attachments::{SANDBOX, disposition};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_message_source",
    "/messages/{id}/source",
    Tag::Conversations,
    "The bytes of the mail as received or sent",
)
.may(Permission::ReadSource)
.answers(&[Answer { status: 200, meaning: "The source", content: Content::Bytes("message/rfc822") }]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::NotFound`](http::Code::NotFound) also when no source was kept, and those of the store.
pub async fn handle(State(app): State<App>, signed: Signed, Id(id): Id<MessageId>) -> http::Answer<Response> {
    let (store, access) = (&app.core.store, &signed.access);
    let message = store.message(access, id).await?;
    let bytes = store.message_source(access, id).await?;
    app.views.note(access, ViewKind::MessageSource, id.uuid())?;
    let headers = [
        (CONTENT_TYPE, "message/rfc822".to_owned()),
        (CONTENT_DISPOSITION, disposition(&format!("{}.eml", message.no))),
        (CONTENT_SECURITY_POLICY, SANDBOX.to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
