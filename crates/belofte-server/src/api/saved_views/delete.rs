// SPDX-License-Identifier: EUPL-1.2
//! DELETE /saved-views/{id}: a view that nobody needs any more.

use ::http::StatusCode;
use axum::extract::State;
use belofte_model::SavedViewId;

use super::may_share;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Code, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::delete(
    "remove_saved_view",
    "/saved-views/{id}",
    Tag::Conversations,
    "Removes a view; one for everybody is an instruction",
)
.answers(&[Answer { status: 204, meaning: "Removed", content: Content::Nothing }]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Forbidden`] for one for everybody by who may not; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: SignedUser,
    Id(id): Id<SavedViewId>,
) -> http::Answer<StatusCode> {
    let (store, access) = (&app.core.store, &signed.access);
    let view = store.saved_views(access).await?.into_iter().find(|view| view.id == id);
    if view.ok_or(Code::NotFound)?.shared {
        may_share(&signed)?;
    }
    store.remove_saved_view(access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
