// SPDX-License-Identifier: EUPL-1.2
//! POST /signing-keys: a new key for a domain.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{Permission, SigningKeyId};
use belofte_store::StoreError;
use uuid::Uuid;

use super::{CreateSigningKey, SigningKey};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Checks, Code, ContextOf, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_signing_key",
    "/signing-keys",
    Tag::Channels,
    "Makes a key for a domain; it signs as soon as its record was seen, and the one before it until then; an \
     instruction",
)
.may(Permission::ManageChannelAccounts)
.takes(Content::json::<CreateSigningKey>())
.answers(&[Answer {
    status: 201,
    meaning: "The key, with the record to publish",
    content: Content::json::<SigningKey>(),
}])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`] for a domain from which no account sends; [`Code::Conflict`] while a key of the domain waits;
/// those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(wanted): Json<CreateSigningKey>,
) -> http::Answer<Response> {
    let act = async |intended: Option<Uuid>| {
        Checks::default().text(&wanted.domain, "domain", 1, 253).done()?;
        let (store, domain) = (&app.core.store, wanted.domain.to_ascii_lowercase());
        match store.create_signing_key(&signed.access, intended.map(SigningKeyId), &domain).await {
            Ok(made) => Ok(SigningKey::from(made)),
            Err(StoreError::NotFound) => Err(ApiError::field("domain", FieldCode::NotFound)),
            Err(error) => Err(error.into()),
        }
    };
    app.once_as(&signed.access, &context, &key, StatusCode::CREATED, act).await
}
