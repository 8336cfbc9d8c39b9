// SPDX-License-Identifier: EUPL-1.2
//! GET /quarantine/{id}/source: the bytes.

use ::http::header;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use belofte_model::Permission;
use belofte_model::{IntakeId, IntakeState};
use belofte_store::ViewKind;

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_quarantine_source",
    "/quarantine/{id}/source",
    Tag::Channels,
    "The bytes of a quarantined mail; the view is a leaf of the ledger",
)
.may(Permission::RetryQuarantine)
.answers(&[Answer { status: 200, meaning: "The source", content: Content::Bytes("message/rfc822") }])
.problems(&[Code::MalwareFound]);

/// Answers the endpoint. The bytes are a stranger's: browsers are told to save them and to show
/// nothing.
///
/// # Errors
/// 404 for a mail that is not in quarantine; [`Code::MalwareFound`]: nobody gets that from here; those of the store.
pub async fn handle(State(app): State<App>, signed: Signed, Id(id): Id<IntakeId>) -> http::Answer<Response> {
    let source = app.core.store.intake_source(&signed.access, id).await?;
    if source.state != IntakeState::Quarantined {
        return Err(Code::NotFound.into());
    }
    if source.infected {
        return Err(Code::MalwareFound.into());
    }
    app.views.note(&signed.access, ViewKind::QuarantineSource, id.uuid())?;
    let headers = [
        (header::CONTENT_TYPE, "message/rfc822".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.eml\"")),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
    ];
    Ok((headers, source.raw).into_response())
}
