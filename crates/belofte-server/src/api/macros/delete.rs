// SPDX-License-Identifier: EUPL-1.2
//! DELETE /macros/{id}: a macro that nobody needs any more.

use ::http::StatusCode;
use axum::extract::State;
use belofte_model::MacroId;

use super::may_share;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::delete(
    "remove_macro",
    "/macros/{id}",
    Tag::Conversations,
    "Removes a macro; one for everybody is an instruction",
)
.answers(&[Answer { status: 204, meaning: "Removed", content: Content::Nothing }]);

/// Answers the endpoint.
///
/// # Errors
/// [`http::Code::NotFound`]; [`http::Code::Forbidden`] for one for everybody by who may not; those of the
/// store.
pub async fn handle(
    State(app): State<App>,
    signed: SignedUser,
    Id(id): Id<MacroId>,
) -> http::Answer<StatusCode> {
    let (store, access) = (&app.core.store, &signed.access);
    let (kept, _) = store.macro_with_texts(access, id).await?;
    if kept.shared {
        may_share(&signed)?;
    }
    store.remove_macro(access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
