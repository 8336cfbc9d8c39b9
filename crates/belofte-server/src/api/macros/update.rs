// SPDX-License-Identifier: EUPL-1.2
//! PATCH /macros/{id}: another name, other words, actions or reach.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::MacroId;

use super::{Macro, SaveMacro, checked, may_share, refused};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Code, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_macro",
    "/macros/{id}",
    Tag::Conversations,
    "Changes a macro as a whole; one for everybody is an instruction",
)
.takes(Content::json::<SaveMacro>())
.answers(&[Answer { status: 200, meaning: "The macro as it is now", content: Content::json::<Macro>() }])
.problems(&[Code::Conflict, Code::TooManyMacros]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`]; [`Code::Forbidden`] for one for everybody, before or after, by who may not;
/// [`Code::NotFound`], [`Code::Conflict`], [`Code::TooManyMacros`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: SignedUser,
    Id(id): Id<MacroId>,
    Json(wanted): Json<SaveMacro>,
) -> http::Answer<Body<Macro>> {
    let (store, access) = (&app.core.store, &signed.access);
    let (before, _) = store.macro_with_texts(access, id).await?;
    let (shared, version) = (wanted.shared, wanted.version);
    if before.shared || shared {
        may_share(&signed)?;
    }
    let names = Names::fetch(&app, access).await?;
    let content = checked(wanted, &names)?;
    let texts = content.texts.clone();
    let after = store.change_macro(access, id, version, content, shared).await.map_err(refused)?;
    Ok(Body(Macro { texts: Some(texts.into()), ..Macro::of(after, access.user(), &names) }))
}
