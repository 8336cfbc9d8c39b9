// SPDX-License-Identifier: EUPL-1.2
//! POST /attachments: uploads a file.

use ::http::StatusCode;
use ::http::header::CONTENT_TYPE;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State};
use axum::response::Response;
use belofte_channels::scanner::{NotScanned, Scan, Verdict};
use belofte_mail::{MEDIA_TYPE_HEAD, media_type_by_content};
use belofte_model::{AttachmentId, Permission};
use belofte_store::{FileName, IncomingFile, ReceivedFile, UploadError};
use belofte_vault::Sha256;
use tokio::time::timeout;
use uuid::Uuid;

use super::Attachment;
use super::media_type::{OCTETS, essence, safe};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::shares::Load;
use crate::http::{self, ApiError, Code, Context, ContextOf, FieldCode, IdempotencyKey};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "upload_attachment",
    "/attachments",
    Tag::Attachments,
    "Uploads a file; it waits 24 hours for the message that takes it",
)
.may(Permission::Answer)
.load(Load::Upload)
.takes(Content::File)
.answers(&[Answer { status: 201, meaning: "The attachment", content: Content::json::<Attachment>() }])
.problems(&[Code::TooManyUploads, Code::MalwareFound, Code::ScannerUnavailable]);

/// What the parts of a form add to the file itself.
const AROUND: usize = 65_536;

/// Answers the endpoint.
///
/// # Errors
/// [`Code::UnsupportedMediaType`] when it is no form, [`Code::Malformed`] when it cannot be read,
/// [`Code::Invalid`] without a file, [`Code::TooLarge`], [`Code::TooManyUploads`], [`Code::MalwareFound`],
/// [`Code::ScannerUnavailable`], [`Code::Timeout`], and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    context: ContextOf,
    key: IdempotencyKey,
    request: Request,
) -> http::Answer<Response> {
    let context = context.0;
    // Who has no room left is told before they send, unless it may be an upload that is here already.
    if key.0.is_none() && !app.core.store.may_upload(&signed.access, 0, app.uploads).await? {
        return Err(Code::TooManyUploads.into());
    }
    let incoming = app.core.store.receive_file(&signed.access);
    let scan = app.scanner.begin().await;
    let file = match timeout(context.body_time, read(&context, (incoming, scan), request)).await {
        Ok(file) => file?,
        Err(_) => return Err(Code::Timeout.into()),
    };
    let about = [belofte_vault::sha256(file.about.name.as_bytes()), file.hash].concat();
    context.set_body_digest(belofte_vault::sha256(&about));
    let access = &signed.access;
    let act = async |intended: Option<Uuid>| {
        let (id, store) = (intended.map(AttachmentId), &app.core.store);
        match store.upload(access, id, file.about, file.received, app.uploads).await {
            Ok(stored) => Ok(Attachment::from(stored)),
            Err(UploadError::OverQuota) => Err(Code::TooManyUploads.into()),
            Err(UploadError::Store(error)) => Err(error.into()),
        }
    };
    app.once_as(access, &context, &key, StatusCode::CREATED, act).await
}

/// A file that is here, sealed.
struct Taken {
    about: FileName,
    /// The SHA-256 of its bytes.
    hash: [u8; 32],
    received: ReceivedFile,
}

/// The one file of a form, piece by piece: each is sealed as it comes, and what is too large is
/// refused before it is all here.
async fn read(context: &Context, ways: Ways, mut request: Request) -> http::Answer<Taken> {
    let form = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !form.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
        return Err(Code::UnsupportedMediaType.into());
    }
    DefaultBodyLimit::max(context.attachment_bytes + AROUND).apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| Code::Malformed)?;
    let (mut incoming, mut file) = (Some(ways), None);
    while let Some(field) = form.next_field().await.map_err(problem)? {
        match (field.name(), incoming.take()) {
            (Some("file"), Some(incoming)) => {
                file = Some(take(field, incoming, context.attachment_bytes).await?);
            }
            (Some("file"), None) => return Err(ApiError::field("file", FieldCode::TooLong)),
            (name, _) => return Err(ApiError::field(known(name), FieldCode::Unknown)),
        }
    }
    file.ok_or_else(|| ApiError::field("file", FieldCode::Required))
}

/// The name of an unknown part, as far as it may be repeated.
fn known(name: Option<&str>) -> &str {
    let plain = |name: &&str| name.len() <= 100 && name.chars().all(|c| c.is_ascii_graphic());
    name.filter(plain).unwrap_or("?")
}

/// The two ways that each piece goes: to the disk, and past the scanner.
type Ways = (IncomingFile, Scan);

async fn take(mut field: Field<'_>, (mut incoming, mut scan): Ways, limit: usize) -> http::Answer<Taken> {
    let name = belofte_mail::attachment_name(field.file_name().unwrap_or_default(), "attachment");
    let declared = field.content_type().unwrap_or_default().to_owned();
    let (mut hash, mut head, mut size) = (Sha256::default(), Vec::new(), 0);
    while let Some(piece) = field.chunk().await.map_err(problem)? {
        size += piece.len();
        if size > limit {
            return Err(Code::TooLarge.into());
        }
        head.extend_from_slice(&piece[..piece.len().min(MEDIA_TYPE_HEAD - head.len())]);
        hash.push(&piece);
        scan.push(&piece).await;
        incoming.push(&piece).await?;
    }
    // Before it is kept. Who cannot be told that it is clean does not keep it.
    match scan.finish().await {
        Ok(Verdict::Clean) => {}
        Ok(Verdict::Infected(_)) => return Err(Code::MalwareFound.into()),
        Ok(Verdict::TooLarge) => return Err(Code::TooLarge.into()),
        Err(NotScanned::Unavailable | NotScanned::TimedOut) => return Err(Code::ScannerUnavailable.into()),
    }
    let declared = essence(&declared).unwrap_or_else(|| OCTETS.to_owned());
    let media_type = safe(&media_type_by_content(&declared, &head), &head);
    let about = FileName { name, media_type };
    Ok(Taken { about, hash: hash.finish(), received: incoming.finish().await? })
}

fn problem(error: MultipartError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Code::TooLarge.into()
    } else {
        Code::Malformed.into()
    }
}
