// SPDX-License-Identifier: EUPL-1.2
//! The provider that authorises an account: what goes over the wire about it, and its checks.

use belofte_model as model;
use belofte_store::{self as store, AuthorisationStanding, PasswordChange};
use belofte_vault::Pii;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::time::Time;
use crate::http::{Checks, FieldCode};

/// How an account signs in at a mail server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignInWith {
    /// By its password.
    #[default]
    Password,
    /// By the provider's authorisation (XOAUTH2, RFC 7628).
    Authorisation,
}

/// The provider that authorises an account (OAuth 2.0), as shown. The client's secret never comes back.
#[derive(Serialize, ToSchema)]
pub struct Authorisation {
    /// Where people sign in.
    pub authorization_endpoint: String,
    /// Where tokens are given.
    pub token_endpoint: String,
    /// Whom the provider knows this installation as.
    pub client_id: String,
    /// Whether a secret of the client is stored.
    pub client_secret_set: bool,
    /// What is asked for.
    pub scope: String,
    /// How the account stands with it.
    pub state: AuthorisationState,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// How an account stands with its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorisationState {
    /// Nobody has signed in there, or has to do so again because the settings changed.
    Missing,
    /// It lets the account be used.
    Granted,
    /// It has ended that: somebody has to sign in there again.
    Ended,
}

/// The provider, as set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAuthorisation {
    /// Where people sign in: an address with https. What its question asks for stays.
    #[schema(min_length = 1, max_length = 500)]
    pub authorization_endpoint: String,
    /// Where tokens are given: an address with https.
    #[schema(min_length = 1, max_length = 500)]
    pub token_endpoint: String,
    /// Whom the provider knows this installation as.
    #[schema(min_length = 1, max_length = 254)]
    pub client_id: String,
    /// The client's secret; without it the stored one stays, when provider and client do.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub client_secret: Option<String>,
    /// What is asked for, parted by spaces.
    #[schema(min_length = 1, max_length = 1000)]
    pub scope: String,
}

/// Whether the text is an address of a provider: with https, a host, and nothing in it that would be said to others.
fn is_endpoint(text: &str) -> bool {
    let Ok(uri) = text.parse::<::http::Uri>() else { return false };
    uri.scheme_str() == Some("https")
        && uri
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@') && !authority.host().is_empty())
        && !text.contains('#')
}

/// Checks a provider as an admin entered it.
pub(super) fn check(checks: &mut Checks, provider: &SetAuthorisation) {
    let ends = [
        ("authorisation.authorization_endpoint", provider.authorization_endpoint.trim()),
        ("authorisation.token_endpoint", provider.token_endpoint.trim()),
    ];
    for (field, address) in ends {
        checks.text(address, field, 1, 500).that(is_endpoint(address), field, FieldCode::Invalid);
    }
    let odd = |text: &str| text.contains(|c: char| c.is_control());
    checks
        .text(&provider.client_id, "authorisation.client_id", 1, 254)
        .that(!odd(&provider.client_id), "authorisation.client_id", FieldCode::Invalid)
        .text(&provider.scope, "authorisation.scope", 1, 1000)
        .that(!odd(&provider.scope), "authorisation.scope", FieldCode::Invalid);
    if let Some(secret) = &provider.client_secret {
        let field = "authorisation.client_secret";
        checks.that(secret.chars().count() <= 1024, field, FieldCode::TooLong).that(
            !odd(secret),
            field,
            FieldCode::Invalid,
        );
    }
}

/// Whether who signs in by the provider has one.
pub(super) fn check_there(checks: &mut Checks, sign_in: SignInWith, field: &str, has_provider: bool) {
    checks.that(sign_in == SignInWith::Password || has_provider, field, FieldCode::Required);
}

/// A provider as the store takes it.
pub(super) fn to_store(provider: SetAuthorisation) -> store::NewProvider {
    store::NewProvider {
        authorization_endpoint: provider.authorization_endpoint.trim().to_owned(),
        token_endpoint: provider.token_endpoint.trim().to_owned(),
        client_id: provider.client_id.trim().to_owned(),
        client_secret: match provider.client_secret {
            Some(secret) if secret.is_empty() => PasswordChange::Clear,
            Some(secret) => PasswordChange::Set(Pii::new(secret)),
            None => PasswordChange::Keep,
        },
        scope: provider.scope.trim().to_owned(),
    }
}

/// A provider as it is shown, with how its account stands with it.
pub(super) fn shown(
    provider: store::AccountProvider,
    standing: Option<AuthorisationStanding>,
) -> Authorisation {
    let (state, since) = match standing {
        None => (AuthorisationState::Missing, None),
        Some(AuthorisationStanding::Granted { at }) => (AuthorisationState::Granted, Some(at.into())),
        Some(AuthorisationStanding::Ended { at }) => (AuthorisationState::Ended, Some(at.into())),
    };
    let store::AccountProvider {
        authorization_endpoint,
        token_endpoint,
        client_id,
        client_secret_set,
        scope,
    } = provider;
    Authorisation {
        authorization_endpoint,
        token_endpoint,
        client_id,
        client_secret_set,
        scope,
        state,
        since,
    }
}

impl From<model::SignInWith> for SignInWith {
    fn from(sign_in: model::SignInWith) -> Self {
        match sign_in {
            model::SignInWith::Password => Self::Password,
            model::SignInWith::Authorisation => Self::Authorisation,
        }
    }
}

impl From<SignInWith> for model::SignInWith {
    fn from(sign_in: SignInWith) -> Self {
        match sign_in {
            SignInWith::Password => Self::Password,
            SignInWith::Authorisation => Self::Authorisation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_endpoint;

    #[test]
    fn a_provider_is_reached_over_https_alone() {
        for good in
            ["https://login.example/token", "https://login.example:8443/a?b=c", "https://[2001:db8::1]/t"]
        {
            assert!(is_endpoint(good), "{good}");
        }
        let bad = [
            "http://login.example/t",
            "https://",
            "https://a@login.example/t",
            "https://x/t#f",
            "login.example",
            "/t",
        ];
        for bad in bad {
            assert!(!is_endpoint(bad), "{bad}");
        }
    }
}
