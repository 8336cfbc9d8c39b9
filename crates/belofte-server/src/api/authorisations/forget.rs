// SPDX-License-Identifier: EUPL-1.2
//! DELETE /channel-accounts/{id}/authorisation: forgets what the provider gave.

use ::http::StatusCode;
use axum::extract::State;
use belofte_model::{ChannelAccountId, Permission};

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::delete(
    "forget_authorisation",
    "/channel-accounts/{id}/authorisation",
    Tag::Channels,
    "Forgets what the provider gave; the account cannot sign in until somebody does so there; an instruction",
)
.may(Permission::ManageChannelAccounts)
.answers(&[Answer { status: 204, meaning: "Forgotten", content: Content::Nothing }])
.problems(&[Code::NotFound]);

/// Answers the endpoint.
///
/// # Errors
/// 404 for an account that is not there, or that nobody ever went to a provider for; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ChannelAccountId>,
) -> http::Answer<StatusCode> {
    app.core.store.settle_authorisation(&signed.access, id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
