// SPDX-License-Identifier: EUPL-1.2
//! GET /channel-accounts: the accounts.

use axum::Json;
use axum::extract::State;
use belofte_model::AccountState;
use belofte_model::Permission;

use super::ChannelAccountList;
use super::retrieval::shown;
use crate::api::authorisations::redirect_uri;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_channel_accounts",
    "/channel-accounts",
    Tag::Channels,
    "The accounts that are not removed",
)
.may(Permission::SeeMailAccounting)
.answers(&[Answer { status: 200, meaning: "The accounts", content: Content::json::<ChannelAccountList>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<ChannelAccountList>> {
    let mut accounts = app.core.store.channel_accounts(&signed.access).await?;
    accounts.retain(|account| account.state != AccountState::Removed);
    accounts.sort_by_cached_key(|account| account.address.normalised());
    let items = shown(&app.core.store, &signed.access, accounts).await?;
    Ok(Json(ChannelAccountList { items, redirect_uri: redirect_uri(&app) }))
}
