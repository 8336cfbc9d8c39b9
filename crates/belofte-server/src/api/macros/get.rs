// SPDX-License-Identifier: EUPL-1.2
//! GET /macros/{id}: one macro with its texts.

use axum::Json;
use axum::extract::State;
use belofte_model::{MacroId, Permission};

use super::Macro;
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("get_macro", "/macros/{id}", Tag::Conversations, "A macro, with what it says")
        .may(Permission::ReadConversations)
        .answers(&[Answer { status: 200, meaning: "The macro", content: Content::json::<Macro>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`http::Code::NotFound`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<MacroId>,
) -> http::Answer<Json<Macro>> {
    let (access, user) = (&signed.access, signed.access.user());
    let (kept, texts) = app.core.store.macro_with_texts(access, id).await?;
    let names = Names::fetch(&app, access).await?;
    Ok(Json(Macro { texts: Some(texts.into()), ..Macro::of(kept, user, &names) }))
}
