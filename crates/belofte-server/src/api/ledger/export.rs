// SPDX-License-Identifier: EUPL-1.2
//! POST /ledger/export: everything, to verify offline.

use ::http::header;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use belofte_model::Permission;
use belofte_store::{ExportPiece, LedgerExport, LedgerExportError, ViewKind};
use bytes::Bytes;
use futures_util::stream;

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::shares::Load;
use crate::http::{self, ApiError};
use crate::tar;

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "export_ledger",
    "/ledger/export",
    Tag::Ledger,
    "The whole ledger as an archive that `belofte ledger verify` checks offline",
)
.done_again()
.may(Permission::ReadLedger)
.load(Load::Export)
.answers(&[Answer { status: 200, meaning: "The archive", content: Content::Bytes("application/x-tar") }]);

/// Answers the endpoint. The archive is made while it is taken, of the entries as they are opened:
/// it lies nowhere in clear. An export is not remembered for an idempotency key: asking twice
/// changes nothing.
///
/// # Errors
/// Those of the store. What fails after the first byte ends the answer before its stated length.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Response> {
    let access = &signed.access;
    app.views.note(access, ViewKind::Ledger, access.tenant().uuid())?;
    let export = match app.core.store.export_ledger(access).await {
        Ok(export) => export,
        Err(LedgerExportError::Store(error)) => return Err(error.into()),
        Err(error) => return Err(ApiError::internal(&error)),
    };
    let files = export.files.iter().map(|(size, count)| tar::length(*size) * count);
    let length = files.sum::<u64>() + tar::END.len() as u64;
    let headers = [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"belofte-ledger.tar\"".to_owned()),
    ];
    let archive = Archive { export, rest: 0, ended: false };
    let pieces = stream::try_unfold(archive, |mut archive| async move {
        let next = archive.next().await;
        if let Err(error) = &next {
            tracing::error!(error = error as &dyn std::error::Error, "an export broke off");
        }
        next.map(|piece| piece.map(|piece| (piece, archive)))
    });
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// An archive in the making.
struct Archive {
    export: LedgerExport,
    /// So many bytes fill up the block of the file that was told last.
    rest: usize,
    ended: bool,
}

impl Archive {
    async fn next(&mut self) -> Result<Option<Bytes>, LedgerExportError> {
        if self.ended {
            return Ok(None);
        }
        Ok(Some(match self.export.next().await? {
            Some(ExportPiece::File { path, size }) => {
                let mut bytes = vec![0; std::mem::replace(&mut self.rest, tar::padding(size))];
                let header = tar::header(&format!("ledger/{path}"), size);
                bytes.extend_from_slice(&header.map_err(belofte_store::StoreError::from)?);
                bytes.into()
            }
            Some(ExportPiece::Bytes(bytes)) => bytes.into(),
            None => {
                self.ended = true;
                let mut bytes = vec![0; self.rest];
                bytes.extend_from_slice(&tar::END);
                bytes.into()
            }
        }))
    }
}
