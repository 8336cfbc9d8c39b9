// SPDX-License-Identifier: EUPL-1.2
//! GET /signing-keys: domains and their keys.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::{SigningDomain, SigningDomainList, SigningKey};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_signing_keys",
    "/signing-keys",
    Tag::Channels,
    "Lists the domains from which mail is sent, and the keys that sign it",
)
.may(Permission::ManageChannelAccounts)
.answers(&[Answer { status: 200, meaning: "The domains", content: Content::json::<SigningDomainList>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<SigningDomainList>> {
    let domains = app.core.store.signing_domains(&signed.access).await?;
    let items = domains.into_iter().map(|domain| SigningDomain {
        domain: domain.domain,
        account_ids: domain.accounts,
        keys: domain.keys.into_iter().map(SigningKey::from).collect(),
    });
    Ok(Json(SigningDomainList { items: items.collect() }))
}
