// SPDX-License-Identifier: EUPL-1.2
//! GET /drafts: everything that one has written and not sent.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;
use belofte_store::{Summary, ViewKind};
use uuid::Uuid;

use super::{DraftRow, DraftRows};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_drafts",
    "/drafts",
    Tag::Conversations,
    "What the one who asks has written and not sent, with the conversations that it is written in",
)
.may(Permission::Answer)
.answers(&[Answer { status: 200, meaning: "The drafts", content: Content::json::<DraftRows>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<DraftRows>> {
    let access = &signed.access;
    let found = app.core.store.drafts(access).await?;
    app.views.note(access, ViewKind::ConversationList, Uuid::nil())?;
    let names = Names::fetch(&app, access).await?;
    let items = found.into_iter().map(|(draft, case)| DraftRow {
        kind: draft.place.kind,
        version: draft.version,
        saved_at: draft.saved_at.into(),
        preview: Summary::preview_of(&draft.content.text),
        subject: draft.content.subject,
        conversation: case.map(|case| names.row(case)),
    });
    Ok(Json(DraftRows { items: items.collect() }))
}
