// SPDX-License-Identifier: EUPL-1.2
//! Access tokens for mail servers (OAuth 2.0, RFC 6749): where an admin is sent to sign in, the exchange of the
//! code that they come back with, and the renewal of what expires.
//!
//! An access token is renewed by one at a time, on whatever node: providers that give another refresh token with
//! each renewal end everything when an old one is shown again (RFC 9700, section 4.14.2).

use std::time::Duration;

use belofte_model::{ChannelAccountId, TokenProblem, token_used_until};
use belofte_store::{Access, Provider, Store, StoreError, Tokens};
use belofte_vault::Pii;
use bytes::Bytes;
use form_urlencoded::Serializer;
use http::Uri;
use serde::Deserialize;

use crate::outbound::{ConnectPurpose, OutboundError, RecipientClass};
use crate::web::{Post, Web, WebError};

/// A provider may take so long. Shorter than the time for which a renewal is claimed.
const PATIENCE: Duration = Duration::from_secs(30);
/// An answer may be so large; tokens of some providers take several KiB.
const LARGEST: usize = 256 << 10;
/// The longest token that is kept.
const LONGEST_TOKEN: usize = 16 << 10;
/// While somebody else renews, it is looked again this often.
const PAUSE: Duration = Duration::from_millis(250);
/// And no longer than this: their claim has ended by then.
const LOOKS: u32 = 280;

/// Gets tokens.
#[derive(Clone, Debug)]
pub struct Authorising {
    web: Web,
}

/// What an admin is sent to the provider with.
#[derive(Debug)]
pub struct Asks<'a> {
    /// Where they come back to.
    pub redirect_uri: &'a str,
    /// What they bring back, so that nobody else can come in their place.
    pub state: &'a str,
    /// The challenge of the code (RFC 7636, S256).
    pub challenge: &'a str,
    /// The address of the mailbox that is meant.
    pub mailbox: &'a str,
}

/// A code that an admin came back with.
pub struct Code<'a> {
    /// The code.
    pub code: &'a str,
    /// What the challenge was made of.
    pub verifier: &'a str,
    /// Where they came back to.
    pub redirect_uri: &'a str,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    /// The provider, or that nobody has signed in there.
    #[error("the provider gives no access token")]
    Problem(TokenProblem),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An answer of the provider's (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    #[serde(default)]
    expires_in: Option<Seconds>,
    #[serde(default)]
    refresh_token: Option<String>,
}

/// Some providers write the number as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

/// A refusal of the provider's (RFC 6749, section 5.2).
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// The address at which an admin signs in at `provider` and lets the mailbox be used (RFC 6749, section 4.1.1).
/// What stands in the address of the provider already, such as what one provider asks for to give a refresh
/// token, stays.
#[must_use]
pub fn address(provider: &Provider, asks: &Asks<'_>) -> String {
    let (bare, kept) =
        provider.authorization_endpoint.split_once('?').unwrap_or((&provider.authorization_endpoint, ""));
    let mut question = Serializer::new(kept.to_owned());
    question
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.client_id)
        .append_pair("redirect_uri", asks.redirect_uri)
        .append_pair("scope", &provider.scope)
        .append_pair("state", asks.state)
        .append_pair("code_challenge", asks.challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("login_hint", asks.mailbox);
    format!("{bare}?{}", question.finish())
}

impl Authorising {
    /// A client that asks by `web`.
    #[must_use]
    pub const fn new(web: Web) -> Self {
        Self { web }
    }

    /// Exchanges the code that an admin came back with (RFC 6749, section 4.1.3).
    ///
    /// # Errors
    /// [`NoToken::Problem`]; [`TokenProblem::Ended`] for a code that is none any more.
    pub async fn exchange(
        &self,
        store: &Store,
        provider: &Provider,
        code: &Code<'_>,
    ) -> Result<Tokens, NoToken> {
        let says = [
            ("grant_type", "authorization_code"),
            ("code", code.code),
            ("redirect_uri", code.redirect_uri),
            ("code_verifier", code.verifier),
        ];
        Box::pin(self.ask(store, provider, &says)).await.map_err(NoToken::Problem)
    }

    /// An access token of the account, renewed when it is about to expire, or when it is `not_this`, which its
    /// mail server has refused.
    ///
    /// # Errors
    /// [`NoToken`].
    pub async fn token(
        &self,
        store: &Store,
        access: &Access,
        account: ChannelAccountId,
        not_this: Option<&str>,
    ) -> Result<String, NoToken> {
        for _ in 0..LOOKS {
            let Some(held) = store.held_tokens(access, account).await? else {
                return Err(NoToken::Problem(TokenProblem::Missing));
            };
            let Some(tokens) = held.tokens else {
                let problem = if held.ended { TokenProblem::Ended } else { TokenProblem::Missing };
                return Err(NoToken::Problem(problem));
            };
            let now = access.clock().now();
            if tokens.used_until > now && not_this != Some(tokens.access.expose()) {
                return Ok(tokens.access.into_inner());
            }
            let Some(refresh) = &tokens.refresh else {
                store.end_authorisation(access, account, held.version).await?;
                return Err(NoToken::Problem(TokenProblem::Ended));
            };
            let Some(claimed) = store.claim_renewal(access, account, held.version).await? else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let says = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
            match Box::pin(self.ask(store, &held.provider, &says)).await {
                Ok(renewed) => {
                    // The one before stays when there is no other (RFC 6749, section 6).
                    let refresh = renewed.refresh.or(tokens.refresh);
                    let renewed = Tokens { refresh, ..renewed };
                    let token = renewed.access.expose().clone();
                    store.keep_renewed(access, account, claimed, renewed).await?;
                    return Ok(token);
                }
                Err(TokenProblem::Ended) => {
                    store.end_authorisation(access, account, claimed).await?;
                    return Err(NoToken::Problem(TokenProblem::Ended));
                }
                Err(problem) => {
                    store.give_up_renewal(access, account, claimed).await?;
                    return Err(NoToken::Problem(problem));
                }
            }
        }
        Err(NoToken::Problem(TokenProblem::ProviderFailed))
    }

    /// Asks the provider for tokens, as its client.
    async fn ask(
        &self,
        store: &Store,
        provider: &Provider,
        says: &[(&str, &str)],
    ) -> Result<Tokens, TokenProblem> {
        let url: Uri = provider.token_endpoint.parse().map_err(|_| TokenProblem::ClientRefused)?;
        let class = RecipientClass::ChosenByTenant { recorded: provider.recorded };
        let asked = self.web.post(Post {
            class: &class,
            purpose: ConnectPurpose::Authorisation,
            url: &url,
            content_type: "application/x-www-form-urlencoded",
            body: form(provider, says),
            largest: LARGEST,
            patience: PATIENCE,
        });
        let now = store.clock().now();
        match asked.await {
            Ok((200, body)) => granted(&body, now).ok_or(TokenProblem::ProviderFailed),
            Ok((_, body)) => Err(refused(&body)),
            Err(WebError::Connect(OutboundError::NotPublic | OutboundError::NotRegistered)) => {
                Err(TokenProblem::HostNotAllowed)
            }
            Err(
                WebError::Connect(_)
                | WebError::Tls(_)
                | WebError::Address
                | WebError::Http
                | WebError::TooLarge
                | WebError::Slow,
            ) => Err(TokenProblem::ProviderFailed),
        }
    }
}

/// What is said to a provider, with who says it.
fn form(provider: &Provider, says: &[(&str, &str)]) -> Bytes {
    let mut form = Serializer::new(String::new());
    form.extend_pairs(says).append_pair("client_id", &provider.client_id);
    if let Some(secret) = &provider.client_secret {
        form.append_pair("client_secret", secret.expose());
    }
    Bytes::from(form.finish())
}

/// The tokens of an answer that was given at `now`.
fn granted(body: &[u8], now: belofte_model::Timestamp) -> Option<Tokens> {
    let granted: Granted = serde_json::from_slice(body).ok()?;
    // What stands in a token goes into a line of a mail dialogue as it is (RFC 6750, section 2.1).
    let sound = |token: &str| {
        (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|octet| octet.is_ascii_graphic())
    };
    let refresh = granted.refresh_token.filter(|token| !token.is_empty());
    if !granted.token_type.eq_ignore_ascii_case("bearer")
        || !sound(&granted.access_token)
        || refresh.as_ref().is_some_and(|token| token.len() > LONGEST_TOKEN)
    {
        return None;
    }
    let seconds = match granted.expires_in {
        Some(Seconds::Number(seconds)) => Some(seconds),
        Some(Seconds::Text(text)) => text.parse().ok(),
        None => None,
    };
    Some(Tokens {
        access: Pii::new(granted.access_token),
        refresh: refresh.map(Pii::new),
        used_until: token_used_until(now, seconds),
    })
}

/// What a refusal means. The words beside its code can hold anything and are not read.
fn refused(body: &[u8]) -> TokenProblem {
    let Ok(Refusal { error }) = serde_json::from_slice(body) else { return TokenProblem::ProviderFailed };
    match &*error {
        // The latter three are what providers say when somebody has to sign in again (OpenID Connect Core,
        // section 3.1.2.6).
        "invalid_grant" | "interaction_required" | "login_required" | "consent_required" => {
            TokenProblem::Ended
        }
        "invalid_client"
        | "unauthorized_client"
        | "invalid_scope"
        | "invalid_request"
        | "unsupported_grant_type" => TokenProblem::ClientRefused,
        _ => TokenProblem::ProviderFailed,
    }
}

#[cfg(test)]
mod tests {
    use belofte_model::Timestamp;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn seconds(tokens: &Tokens) -> i64 {
        tokens.used_until.as_micros() / 1_000_000
    }

    #[test]
    fn an_admin_is_sent_with_what_the_provider_has_to_bring_back() {
        let provider = Provider {
            authorization_endpoint: "https://login.example/auth?access_type=offline".to_owned(),
            token_endpoint: "https://login.example/token".to_owned(),
            client_id: "desk & co".to_owned(),
            client_secret: None,
            scope: "mail offline_access".to_owned(),
            recorded: true,
        };
        let asks = Asks {
            redirect_uri: "https://desk.example/settings/authorised",
            state: "s",
            challenge: "c",
            mailbox: "info@shop.example",
        };
        assert_eq!(
            address(&provider, &asks),
            "https://login.example/auth?access_type=offline&response_type=code&client_id=desk+%26+co&\
             redirect_uri=https%3A%2F%2Fdesk.example%2Fsettings%2Fauthorised&scope=mail+offline_access&state=s&\
             code_challenge=c&code_challenge_method=S256&login_hint=info%40shop.example"
        );
    }

    #[test]
    fn an_answer_is_read_as_providers_write_it() {
        let plain = br#"{"access_token":"a.b","token_type":"Bearer","expires_in":3600,"refresh_token":"r","scope":"x"}"#;
        let tokens = granted(plain, NOW).expect("tokens");
        assert_eq!((tokens.access.expose().as_str(), seconds(&tokens)), ("a.b", 3_300));
        assert_eq!(tokens.refresh.map(Pii::into_inner).as_deref(), Some("r"));
        let text = br#"{"access_token":"a","token_type":"bearer","expires_in":"7200","refresh_token":""}"#;
        let tokens = granted(text, NOW).expect("tokens");
        assert!(tokens.refresh.is_none() && seconds(&tokens) == 6_900);
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        let with = |token: &str, kind: &str| {
            serde_json::json!({ "access_token": token, "token_type": kind }).to_string().into_bytes()
        };
        assert!(granted(&with("a", "bearer"), NOW).is_some());
        for wrong in
            [with("", "bearer"), with("a\r\nA1 LOGOUT", "bearer"), with("a b", "bearer"), with("a", "mac")]
        {
            assert!(granted(&wrong, NOW).is_none());
        }
        assert!(granted(&with(&"a".repeat(LONGEST_TOKEN + 1), "bearer"), NOW).is_none());
        assert!(granted(b"<html>", NOW).is_none());
    }

    #[test]
    fn a_refusal_is_an_end_only_when_somebody_has_to_sign_in_again() {
        let refusal =
            |code: &str| refused(format!(r#"{{"error":"{code}","error_description":"x"}}"#).as_bytes());
        assert_eq!(refusal("invalid_grant"), TokenProblem::Ended);
        assert_eq!(refusal("interaction_required"), TokenProblem::Ended);
        assert_eq!(refusal("invalid_client"), TokenProblem::ClientRefused);
        assert_eq!(refusal("temporarily_unavailable"), TokenProblem::ProviderFailed);
        assert_eq!(refused(b"502 Bad Gateway"), TokenProblem::ProviderFailed);
    }
}
