// SPDX-License-Identifier: EUPL-1.2
//! POST /api-keys: a new key.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::Duration;
use belofte_model::Permission;

use super::{CreateApiKey, CreatedApiKey};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, ContextOf, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_api_key",
    "/api-keys",
    Tag::ApiKeys,
    "Makes a key; its secret is shown once; an instruction",
)
.may(Permission::ManageApiKeys)
.takes(Content::json::<CreateApiKey>())
.answers(&[Answer {
    status: 201,
    meaning: "The key with its secret",
    content: Content::json::<CreatedApiKey>(),
}]);

/// A key lives at most this long.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Answers the endpoint.
///
/// # Errors
/// [`http::Code::Invalid`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(wanted): Json<CreateApiKey>,
) -> http::Answer<Response> {
    let plan = async {
        let (now, ends) = (context.at, wanted.expires_at.0);
        let in_bounds = now < ends && ends <= now + LONGEST;
        Checks::default()
            .text(&wanted.name, "name", 1, 100)
            .that(in_bounds, "expires_at", FieldCode::OutOfRange)
            .done()?;
        let name = wanted.name.trim();
        let store = &app.core.store;
        let (change, made) = store.prepare_api_key(&signed.access, name, wanted.scope, ends).await?;
        let told = CreatedApiKey {
            id: made.id,
            name: name.to_owned(),
            scope: wanted.scope,
            expires_at: ends.into(),
            key: made.key.into_inner(),
        };
        Ok((change, told))
    };
    app.once_with(&signed.access, &context, &key, StatusCode::CREATED, plan).await
}
