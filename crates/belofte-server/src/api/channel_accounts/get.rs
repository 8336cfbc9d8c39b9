// SPDX-License-Identifier: EUPL-1.2
//! GET /channel-accounts/{id}: one account.

use axum::Json;
use axum::extract::State;
use belofte_model::ChannelAccountId;
use belofte_model::Permission;

use super::ChannelAccount;
use super::retrieval::shown_alone;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("get_channel_account", "/channel-accounts/{id}", Tag::Channels, "One account")
        .may(Permission::SeeMailAccounting)
        .answers(&[Answer {
            status: 200,
            meaning: "The account",
            content: Content::json::<ChannelAccount>(),
        }]);

/// Answers the endpoint. A removed account is shown too: its history stays.
///
/// # Errors
/// 404; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ChannelAccountId>,
) -> http::Answer<Json<ChannelAccount>> {
    let account = app.core.store.channel_account(&signed.access, id).await?;
    Ok(Json(shown_alone(&app.core.store, &signed.access, account).await?))
}
