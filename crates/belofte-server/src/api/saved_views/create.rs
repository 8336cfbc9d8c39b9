// SPDX-License-Identifier: EUPL-1.2
//! POST /saved-views: a view to keep.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::SavedViewId;
use uuid::Uuid;

use super::{SaveView, SavedView, check, may_share};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, ContextOf, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_saved_view",
    "/saved-views",
    Tag::Conversations,
    "Keeps a view; one for everybody is an instruction",
)
.takes(Content::json::<SaveView>())
.answers(&[Answer { status: 201, meaning: "The view", content: Content::json::<SavedView>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`http::Code::Invalid`]; [`http::Code::Forbidden`] for one for everybody by who may not; those of the
/// store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: SignedUser,
    key: IdempotencyKey,
    Json(wanted): Json<SaveView>,
) -> http::Answer<Response> {
    let act = async |intended: Option<Uuid>| {
        check(&wanted.name)?;
        if wanted.shared {
            may_share(&signed)?;
        }
        let (store, intended) = (&app.core.store, intended.map(SavedViewId));
        let made = store.create_saved_view(&signed.access, intended, wanted.content(), wanted.shared).await?;
        Ok(SavedView::of(made, true))
    };
    app.once_as(&signed.access, &context, &key, StatusCode::CREATED, act).await
}
