// SPDX-License-Identifier: EUPL-1.2
//! POST /attachments: uploads a file.

use ::http::StatusCode;
use ::http::header::CONTENT_TYPE;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State};
use axum::response::Response;
use belofte_model::{AttachmentId, Permission};
use belofte_store::NewFile;
use tokio::time::timeout;
use uuid::Uuid;

use super::Attachment;
use super::media_type::{HEAD, safe};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Code, Context, ContextOf, FieldCode, IdempotencyKey};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "upload_attachment",
    "/attachments",
    Tag::Attachments,
    "Uploads a file; it waits 24 hours for the message that takes it",
)
.may(Permission::Answer)
.takes(Content::File)
.answers(&[Answer { status: 201, meaning: "The attachment", content: Content::json::<Attachment>() }]);

/// What the parts of a form add to the file itself.
const AROUND: usize = 65_536;

/// Answers the endpoint.
///
/// # Errors
/// [`Code::UnsupportedMediaType`] when it is no form, [`Code::Malformed`] when it cannot be read,
/// [`Code::Invalid`] without a file, [`Code::TooLarge`], [`Code::Timeout`], and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    context: ContextOf,
    key: IdempotencyKey,
    request: Request,
) -> http::Answer<Response> {
    let context = context.0;
    let file = match timeout(context.body_time, read(&context, request)).await {
        Ok(file) => file?,
        Err(_) => return Err(Code::Timeout.into()),
    };
    let about = [belofte_vault::sha256(file.name.as_bytes()), belofte_vault::sha256(&file.bytes)].concat();
    context.set_body_digest(belofte_vault::sha256(&about));
    let access = &signed.access;
    let act = async |intended: Option<Uuid>| {
        let stored = app.core.store.upload(access, intended.map(AttachmentId), file).await?;
        Ok(Attachment::from(stored))
    };
    app.once_as(access, &context, &key, StatusCode::CREATED, act).await
}

/// The one file of a form, piece by piece: what is too large is refused before it is all here.
async fn read(context: &Context, mut request: Request) -> http::Answer<NewFile> {
    let form = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !form.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
        return Err(Code::UnsupportedMediaType.into());
    }
    DefaultBodyLimit::max(context.attachment_bytes + AROUND).apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| Code::Malformed)?;
    let mut file = None;
    while let Some(field) = form.next_field().await.map_err(problem)? {
        match field.name() {
            Some("file") if file.is_none() => file = Some(take(field, context.attachment_bytes).await?),
            Some("file") => return Err(ApiError::field("file", FieldCode::TooLong)),
            name => return Err(ApiError::field(known(name), FieldCode::Unknown)),
        }
    }
    file.ok_or_else(|| ApiError::field("file", FieldCode::Required))
}

/// The name of an unknown part, as far as it may be repeated.
fn known(name: Option<&str>) -> &str {
    let plain = |name: &&str| name.len() <= 100 && name.chars().all(|c| c.is_ascii_graphic());
    name.filter(plain).unwrap_or("?")
}

async fn take(mut field: Field<'_>, limit: usize) -> http::Answer<NewFile> {
    let name = belofte_mail::attachment_name(field.file_name().unwrap_or_default(), "attachment");
    let declared = field.content_type().unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(problem)? {
        if bytes.len() + piece.len() > limit {
            return Err(Code::TooLarge.into());
        }
        bytes.extend_from_slice(&piece);
    }
    let media_type = safe(&declared, &bytes[..bytes.len().min(HEAD)]);
    Ok(NewFile { name, media_type, content_id: None, inline: false, bytes })
}

fn problem(error: MultipartError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Code::TooLarge.into()
    } else {
        Code::Malformed.into()
    }
}
