// SPDX-License-Identifier: EUPL-1.2
//! GET /saved-views: the views.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::{SavedView, SavedViewList};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_saved_views",
    "/saved-views",
    Tag::Conversations,
    "The views that everybody has, and one's own",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The views", content: Content::json::<SavedViewList>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<SavedViewList>> {
    let user = signed.access.user();
    let views = app.core.store.saved_views(&signed.access).await?.into_iter();
    let items = views.map(|view| {
        let own = user == Some(view.owner);
        SavedView::of(view, own)
    });
    Ok(Json(SavedViewList { items: items.collect() }))
}
