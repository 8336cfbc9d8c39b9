// SPDX-License-Identifier: EUPL-1.2
//! POST /channel-accounts/{id}/authorisation/code: comes back from the provider.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_channels::email::authorisation::{Code as ProviderCode, NoToken};
use belofte_model::{ChannelAccountId, Permission, TokenProblem};

use super::{CompleteAuthorisation, redirect_uri};
use crate::api::channel_accounts::{ChannelAccount, shown_alone};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Checks, Code, ContextOf, Id, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "complete_authorisation",
    "/channel-accounts/{id}/authorisation/code",
    Tag::Channels,
    "Gives what the caller came back with from the provider; an instruction",
)
.may(Permission::ManageChannelAccounts)
.takes(Content::json::<CompleteAuthorisation>())
.answers(&[Answer {
    status: 200,
    meaning: "The account, which may be used now",
    content: Content::json::<ChannelAccount>(),
}])
.problems(&[
    Code::AuthorisationInvalid,
    Code::ClientRefused,
    Code::ProviderFailed,
    Code::TooManyTries,
    Code::NotFound,
]);

/// Answers the endpoint. What the caller was sent with counts once, and for the caller alone.
///
/// # Errors
/// [`Code::AuthorisationInvalid`] for who was not sent, or too long ago; [`Code::ClientRefused`] and
/// [`Code::ProviderFailed`] when the provider gives nothing; [`Code::TooManyTries`], 404; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Id(id): Id<ChannelAccountId>,
    Json(brought): Json<CompleteAuthorisation>,
) -> http::Answer<Response> {
    let act = async {
        let (store, access) = (&app.core.store, &signed.access);
        let mut checks = Checks::default();
        checks.text(&brought.state, "state", 1, 200).text(&brought.code, "code", 1, 4096);
        checks.done()?;
        app.tests.take(&access.tenant(), context.at).map_err(ApiError::too_many_tries)?;
        let request = store.take_authorisation_request(access, id).await?;
        let request = request.filter(|request| *request.state.expose() == brought.state);
        let request = request.ok_or(Code::AuthorisationInvalid)?;
        let provider = store.provider(access, id).await?.ok_or(Code::AuthorisationInvalid)?;
        let redirect_uri = redirect_uri(&app);
        let verifier = request.verifier.expose();
        let code = ProviderCode { code: &brought.code, verifier, redirect_uri: &redirect_uri };
        let tokens =
            app.authorising.exchange(store, &provider, &code).await.map_err(|error| match error {
                NoToken::Store(error) => error.into(),
                NoToken::Problem(TokenProblem::Ended | TokenProblem::Missing) => {
                    ApiError::from(Code::AuthorisationInvalid)
                }
                NoToken::Problem(TokenProblem::ClientRefused) => Code::ClientRefused.into(),
                NoToken::Problem(TokenProblem::HostNotAllowed | TokenProblem::ProviderFailed) => {
                    Code::ProviderFailed.into()
                }
            })?;
        store.settle_authorisation(access, id, Some(tokens)).await?;
        let account = store.channel_account(access, id).await?;
        shown_alone(store, access, account).await
    };
    app.once(&signed.access, &context, &key, StatusCode::OK, act).await
}
