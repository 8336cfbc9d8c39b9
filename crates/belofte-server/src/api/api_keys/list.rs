// SPDX-License-Identifier: EUPL-1.2
//! GET /api-keys: the keys.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::ApiKey;
use super::ApiKeyList;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_api_keys", "/api-keys", Tag::ApiKeys, "The keys, without their secret")
        .may(Permission::ManageApiKeys)
        .answers(&[Answer {
            status: 200,
            meaning: "The keys, newest first",
            content: Content::json::<ApiKeyList>(),
        }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<ApiKeyList>> {
    let keys = app.core.store.api_keys(&signed.access).await?;
    let items = keys.into_iter().map(|key| ApiKey {
        id: key.id,
        name: key.name,
        scope: key.scope,
        created_at: key.created_at.into(),
        expires_at: key.expires_at.into(),
        last_used_at: key.last_used_at.map(Into::into),
    });
    Ok(Json(ApiKeyList { items: items.collect() }))
}
