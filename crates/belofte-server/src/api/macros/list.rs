// SPDX-License-Identifier: EUPL-1.2
//! GET /macros: the macros, without their texts.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::{Macro, MacroList};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_macros",
    "/macros",
    Tag::Conversations,
    "The macros that everybody has, and one's own, without what they say",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The macros", content: Content::json::<MacroList>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<MacroList>> {
    let (access, user) = (&signed.access, signed.access.user());
    let names = Names::fetch(&app, access).await?;
    let kept = app.core.store.macros(access).await?.into_iter();
    Ok(Json(MacroList { items: kept.map(|one| Macro::of(one, user, &names)).collect() }))
}
