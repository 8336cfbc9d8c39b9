// SPDX-License-Identifier: EUPL-1.2
//! PATCH /drafts/mail: keeps the mail that one begins a conversation with.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::Permission;
use belofte_store::DraftPlace;

use super::{SaveMailDraft, SavedDraft};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "save_mail_draft",
    "/drafts/mail",
    Tag::Conversations,
    "Keeps the mail that the one who asks is writing to begin a conversation, on the version that they have seen",
)
.may(Permission::Answer)
.takes(Content::json::<SaveMailDraft>())
.answers(&[Answer { status: 200, meaning: "It is kept", content: Content::json::<SavedDraft>() }])
.problems(&[Code::DraftChanged, Code::TooManyDrafts]);

/// Answers the endpoint.
///
/// # Errors
/// As [`super::save::handle`].
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Json(wanted): Json<SaveMailDraft>,
) -> http::Answer<Body<SavedDraft>> {
    Ok(Body(super::keep(&app, &signed.access, DraftPlace::MAIL, wanted.version, wanted.content).await?))
}
