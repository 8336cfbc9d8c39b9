// SPDX-License-Identifier: EUPL-1.2
//! GET /attachments/{id}: the bytes.

use ::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    ETAG, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use ::http::{Method, StatusCode};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use belofte_model::{AttachmentId, Permission};
use belofte_store::{OpenFile, StoreError, ViewKind};
use bytes::Bytes;
use futures_util::stream;

use super::media_type::{HEAD, safe};
use super::range::{Part, part};
use super::{SANDBOX, disposition};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Code, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_attachment",
    "/attachments/{id}",
    Tag::Attachments,
    "The bytes of a file, whole or a range",
)
.may(Permission::ReadConversations)
.answers(&[
    Answer { status: 200, meaning: "The file", content: Content::Bytes("*/*") },
    Answer { status: 206, meaning: "The range asked for", content: Content::Bytes("*/*") },
])
.problems(&[Code::RangeNotSatisfiable]);

/// So many bytes are unsealed at once.
const PIECE: u64 = 1_048_576;

/// Answers the endpoint.
///
/// # Errors
/// [`Code::NotFound`], [`Code::RangeNotSatisfiable`], and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<AttachmentId>,
    method: Method,
    headers: HeaderMap,
) -> http::Answer<Response> {
    let file = app.core.store.attachment(&signed.access, id).await?;
    app.views.note(&signed.access, ViewKind::Attachment, id.uuid())?;
    let size = file.attachment.size;
    // A file never changes: its id is its version.
    let tag = format!("\"{id}\"");
    let (status, range) = match part(&headers, size, &tag) {
        Part::Whole => (StatusCode::OK, 0..size),
        Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::Missing => {
            let mut refusal = ApiError::from(Code::RangeNotSatisfiable).into_response();
            refusal.headers_mut().insert(CONTENT_RANGE, text(&format!("bytes */{size}")));
            return Ok(refusal);
        }
    };
    let head = file.read(0..HEAD as u64).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, text(&safe(&file.attachment.media_type, &head)));
    out.insert(CONTENT_DISPOSITION, text(&disposition(&file.attachment.name)));
    out.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    out.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    out.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    out.insert(ETAG, text(&tag));
    out.insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    if status == StatusCode::PARTIAL_CONTENT {
        let last = range.end - 1;
        out.insert(CONTENT_RANGE, text(&format!("bytes {}-{last}/{size}", range.start)));
    }
    if method != Method::HEAD {
        *response.body_mut() = Body::from_stream(pieces(file, range.start, range.end));
    }
    Ok(response)
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The bytes from `at` to `end`, unsealed as fast as they are taken. One that fails ends the
/// answer before its stated length, so that the browser knows.
fn pieces(
    file: OpenFile,
    at: u64,
    end: u64,
) -> impl futures_util::Stream<Item = Result<Bytes, StoreError>> + Send {
    stream::try_unfold((file, at), move |(file, at)| async move {
        if at >= end {
            return Ok(None);
        }
        let until = end.min(at + PIECE);
        let bytes = file.read(at..until).await?;
        Ok(Some((Bytes::from(bytes), (file, until))))
    })
}
