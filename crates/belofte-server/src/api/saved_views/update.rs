// SPDX-License-Identifier: EUPL-1.2
//! PATCH /saved-views/{id}: another name, filter or reach.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::SavedViewId;

use super::{SaveView, SavedView, check, may_share};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Code, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_saved_view",
    "/saved-views/{id}",
    Tag::Conversations,
    "Changes a view as a whole; one for everybody is an instruction",
)
.takes(Content::json::<SaveView>())
.answers(&[Answer { status: 200, meaning: "The view as it is now", content: Content::json::<SavedView>() }])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`]; [`Code::Forbidden`] for one for everybody, before or after, by who may not;
/// [`Code::NotFound`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: SignedUser,
    Id(id): Id<SavedViewId>,
    Json(wanted): Json<SaveView>,
) -> http::Answer<Body<SavedView>> {
    check(&wanted.name)?;
    let (store, access) = (&app.core.store, &signed.access);
    let before = store.saved_views(access).await?.into_iter().find(|view| view.id == id);
    let before = before.ok_or(Code::NotFound)?;
    if before.shared || wanted.shared {
        may_share(&signed)?;
    }
    let after = store.change_saved_view(access, id, wanted.content(), wanted.shared).await?;
    let own = access.user() == Some(after.owner);
    Ok(Body(SavedView::of(after, own)))
}
