// SPDX-License-Identifier: EUPL-1.2
//! GET /tags: the tags.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::TagList;
use crate::api::operation::{Answer, Content, Operation, Tag as Chapter};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_tags",
    "/tags",
    Chapter::Conversations,
    "The tags of the tenant, also archived ones",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The tags by name", content: Content::json::<TagList>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<TagList>> {
    let tags = app.core.store.tags(&signed.access).await?;
    // One that was merged into another is that other one.
    let items = tags.into_iter().filter(|tag| tag.merged_into.is_none()).map(Into::into).collect();
    Ok(Json(TagList { items }))
}
