// SPDX-License-Identifier: EUPL-1.2
//! PATCH /conversations/{id}/drafts: keeps what is written so far.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{ConversationId, Permission};

use super::{SaveDraft, SavedDraft};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "save_draft",
    "/conversations/{id}/drafts",
    Tag::Conversations,
    "Keeps the reply or note that the one who asks is writing, as a whole, on the version that they have seen",
)
.may(Permission::Answer)
.takes(Content::json::<SaveDraft>())
.answers(&[Answer { status: 200, meaning: "It is kept", content: Content::json::<SavedDraft>() }])
.problems(&[Code::DraftChanged, Code::TooManyDrafts]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`] for what is too long, [`Code::NotFound`], [`Code::DraftChanged`] when another version is
/// kept, [`Code::TooManyDrafts`], and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ConversationId>,
    Json(wanted): Json<SaveDraft>,
) -> http::Answer<Body<SavedDraft>> {
    let (place, version) = (wanted.place(id), wanted.version);
    Ok(Body(super::keep(&app, &signed.access, place, version, wanted.content).await?))
}
