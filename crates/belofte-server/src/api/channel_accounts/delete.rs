// SPDX-License-Identifier: EUPL-1.2
//! DELETE /channel-accounts/{id}: removes an account.

use ::http::StatusCode;
use axum::extract::State;
use belofte_model::ChannelAccountId;
use belofte_model::Permission;

use super::refused;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::delete(
    "remove_channel_account",
    "/channel-accounts/{id}",
    Tag::Channels,
    "Removes an account; its history stays; an instruction",
)
.may(Permission::ManageChannelAccounts)
.answers(&[Answer { status: 204, meaning: "Removed", content: Content::Nothing }])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Conflict`] when somebody else changed it at the same moment, 404 for one that is not there
/// or removed already; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ChannelAccountId>,
) -> http::Answer<StatusCode> {
    app.core.store.remove_channel_account(&signed.access, id).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
