// SPDX-License-Identifier: EUPL-1.2
//! GET /drafts/mail: the mail that one begins a conversation with.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::DraftList;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_mail_draft",
    "/drafts/mail",
    Tag::Conversations,
    "The mail that the one who asks is writing to begin a conversation",
)
.may(Permission::Answer)
.answers(&[Answer { status: 200, meaning: "The draft, or none", content: Content::json::<DraftList>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<DraftList>> {
    let mut items = Vec::new();
    for draft in app.core.store.drafts_in(&signed.access, None).await? {
        items.push(super::told(&app, &signed.access, draft).await?);
    }
    Ok(Json(DraftList { items }))
}
