// SPDX-License-Identifier: EUPL-1.2
//! GET /senders: the accounts that mail goes out through, for who writes it.

use axum::Json;
use axum::extract::State;
use belofte_model::{AccountState, Permission, signed_as};

use super::{Sender, SenderList};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_senders",
    "/senders",
    Tag::Conversations,
    "The addresses that the caller can write from, with their signatures",
)
.may(Permission::Answer)
.answers(&[Answer { status: 200, meaning: "The accounts", content: Content::json::<SenderList>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<SenderList>> {
    let access = &signed.access;
    let mut accounts = app.core.store.channel_accounts(access).await?;
    accounts.retain(|account| account.state != AccountState::Removed);
    accounts.sort_by_cached_key(|account| account.address.normalised());
    let name = match access.user() {
        Some(user) => Names::fetch(&app, access).await?.user_name(user),
        None => String::new(),
    };
    let items = accounts.into_iter().map(|account| {
        let address = account.address.as_sent();
        Sender {
            id: account.id,
            signature: signed_as(&account.signature, &name, &address),
            address,
            from_name: account.from_name,
            can_send: account.state == AccountState::Active && account.submission.is_some(),
        }
    });
    Ok(Json(SenderList { items: items.collect() }))
}
