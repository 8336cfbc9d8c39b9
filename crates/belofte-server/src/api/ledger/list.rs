// SPDX-License-Identifier: EUPL-1.2
//! GET /ledger: a page of leaves.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;
use belofte_store::ViewKind;

use super::summary::Tellers;
use super::{LedgerPage, ListLedger};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Code, FieldCode, Query, page_limit};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_ledger", "/ledger", Tag::Ledger, "Leaves of the ledger, newest first")
        .may(Permission::ReadLedger)
        .query::<ListLedger>()
        .answers(&[Answer { status: 200, meaning: "The page", content: Content::json::<LedgerPage>() }]);

/// Answers the endpoint. Reading the ledger stands in the ledger.
///
/// # Errors
/// [`Code::Invalid`] for parameters that are none; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Query(asked): Query<ListLedger>,
) -> http::Answer<Json<LedgerPage>> {
    let limit = page_limit(asked.limit)?;
    let out_of_range = |_| ApiError::field("before", FieldCode::OutOfRange);
    let before = asked.before.map(u64::try_from).transpose().map_err(out_of_range)?;
    let access = &signed.access;
    app.views.note(access, ViewKind::Ledger, access.tenant().uuid())?;
    let page = app.core.store.ledger_page(access, before, limit).await?;
    let tellers = Tellers::fetch(&app, access).await?;
    let items: Option<Vec<_>> = page.entries.iter().map(|entry| tellers.tell(entry)).collect();
    let checkpoint = page.checkpoint.map(|checkpoint| String::from_utf8_lossy(&checkpoint.note).into_owned());
    Ok(Json(LedgerPage {
        items: items.ok_or(Code::Internal)?,
        size: i64::try_from(page.size).unwrap_or(i64::MAX),
        checkpoint,
    }))
}
