// SPDX-License-Identifier: EUPL-1.2
//! POST /signing-keys/{id}/check: looks at the record of a key now.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_channels::email::signing_record::look;
use belofte_model::{Permission, SigningKeyId, SigningState};
use belofte_store::StoreError;

use super::SigningKey;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Code, ContextOf, Id, IdempotencyKey};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "check_signing_key",
    "/signing-keys/{id}/check",
    Tag::Channels,
    "Looks at the record of a key in its domain's names; one that waited signs from then on, if it is right",
)
.may(Permission::ManageChannelAccounts)
.answers(&[Answer {
    status: 200,
    meaning: "The key as it stands now",
    content: Content::json::<SigningKey>(),
}])
.problems(&[Code::TooManyTries, Code::NotFound]);

/// Answers the endpoint.
///
/// # Errors
/// 404; [`Code::TooManyTries`]: every look reaches out of the house; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Id(id): Id<SigningKeyId>,
) -> http::Answer<Response> {
    let act = async {
        let (store, access) = (&app.core.store, &signed.access);
        let known = store.signing_key(access, id).await?;
        // The record of one that signs no more is nobody's affair.
        if known.state != SigningState::Former {
            app.tests.take(&access.tenant(), context.at).map_err(ApiError::too_many_tries)?;
            let problem = look(&app.dns, &known).await;
            match store.note_signing_record(access, &known, problem, None).await {
                // Somebody else looked at the same moment: what they found is as new.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(SigningKey::from(store.signing_key(access, id).await?))
    };
    app.once(&signed.access, &context, &key, StatusCode::OK, act).await
}
