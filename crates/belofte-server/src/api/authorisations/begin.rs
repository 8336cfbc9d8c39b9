// SPDX-License-Identifier: EUPL-1.2
//! POST /channel-accounts/{id}/authorisation: goes to the provider.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use belofte_channels::email::authorisation::{Asks, address};
use belofte_model::{ChannelAccountId, Permission};
use belofte_store::AuthorisationRequest;
use belofte_vault::{Pii, sha256};

use super::{BegunAuthorisation, redirect_uri};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Code, ContextOf, FieldCode, Id, IdempotencyKey};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "begin_authorisation",
    "/channel-accounts/{id}/authorisation",
    Tag::Channels,
    "Gives the address at which the caller signs in at the account's provider",
)
.may(Permission::ManageChannelAccounts)
.answers(&[Answer {
    status: 200,
    meaning: "Where to go, within a quarter of an hour",
    content: Content::json::<BegunAuthorisation>(),
}])
.problems(&[Code::NotFound]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`] for an account without a provider, 404; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Id(id): Id<ChannelAccountId>,
) -> http::Answer<Response> {
    let act = async {
        let (store, access) = (&app.core.store, &signed.access);
        let account = store.channel_account(access, id).await?;
        let Some(provider) = store.provider(access, id).await? else {
            return Err(ApiError::field("authorisation", FieldCode::Required));
        };
        let random = |bytes: [u8; 32]| URL_SAFE_NO_PAD.encode(bytes);
        // Who comes back brings the account along: the provider knows one address for all of them.
        let state = format!("{}.{}", id.uuid().simple(), random(store.random().bytes()));
        let verifier = random(store.random().bytes());
        let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
        let redirect_uri = redirect_uri(&app);
        let mailbox = account.address.as_sent();
        let asks =
            Asks { redirect_uri: &redirect_uri, state: &state, challenge: &challenge, mailbox: &mailbox };
        let authorization_url = address(&provider, &asks);
        let request = AuthorisationRequest { state: Pii::new(state), verifier: Pii::new(verifier) };
        store.begin_authorisation(access, id, request).await?;
        Ok(BegunAuthorisation { authorization_url, redirect_uri })
    };
    app.once(&signed.access, &context, &key, StatusCode::OK, act).await
}
