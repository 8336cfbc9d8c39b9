// SPDX-License-Identifier: EUPL-1.2
//! POST /ledger/export: everything, to verify offline.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ::http::header;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use belofte_model::Permission;
use belofte_store::{LedgerExportError, ViewKind};
use tokio_util::io::ReaderStream;

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, ApiError, ContextOf};
use crate::tar;

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "export_ledger",
    "/ledger/export",
    Tag::Ledger,
    "The whole ledger as an archive that `belofte ledger verify` checks offline",
)
.may(Permission::ReadLedger)
.answers(&[Answer { status: 200, meaning: "The archive", content: Content::Bytes("application/x-tar") }]);

/// Answers the endpoint. The archive is made in the data folder, which only the server reads, and
/// is gone from it before its first byte leaves. An export is not remembered for an idempotency
/// key: asking twice changes nothing.
///
/// # Errors
/// [`http::Code::StorageFull`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
) -> http::Answer<Response> {
    let access = &signed.access;
    app.views.note(access, ViewKind::Ledger, access.tenant().uuid())?;
    let folder = Folder(app.scratch.join(context.id.to_string()));
    fs::DirBuilder::new().mode(0o700).recursive(true).create(&folder.0).map_err(failed)?;
    let ledger = folder.0.join("ledger");
    match app.core.store.export_ledger(access, &ledger).await {
        Ok(_) => {}
        Err(LedgerExportError::Store(error)) => return Err(error.into()),
        Err(error) => return Err(ApiError::internal(&error)),
    }
    let made = tokio::task::spawn_blocking(move || archive(&folder)).await;
    let (file, size) = made.map_err(|error| ApiError::internal(&error))?.map_err(failed)?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (header::CONTENT_LENGTH, size.to_string()),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"belofte-ledger.tar\"".to_owned()),
    ];
    let body = Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file)));
    Ok((headers, body).into_response())
}

fn failed(error: io::Error) -> ApiError {
    belofte_store::StoreError::from(error).into()
}

/// A folder that goes with its handle.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "the folder of an export stays until the next start");
        }
    }
}

/// The archive of the export in `folder`, open and at its beginning, and its size in bytes.
fn archive(folder: &Folder) -> io::Result<(File, u64)> {
    let ledger = folder.0.join("ledger");
    let path = folder.0.join("archive.tar");
    let mut to = File::options().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    let mut writer = io::BufWriter::new(&mut to);
    let mut files = Vec::new();
    gather(&ledger, &mut files)?;
    files.sort();
    for path in files {
        let name = path.strip_prefix(&folder.0).map_err(|_| io::ErrorKind::InvalidInput)?;
        let from = File::open(&path)?;
        let size = from.metadata()?.len();
        tar::file(&mut writer, &name.to_string_lossy(), from, size)?;
    }
    tar::end(&mut writer)?;
    io::Write::flush(&mut writer)?;
    drop(writer);
    let size = to.metadata()?.len();
    to.seek(SeekFrom::Start(0))?;
    Ok((to, size))
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { gather(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
