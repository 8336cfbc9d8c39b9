// SPDX-License-Identifier: EUPL-1.2
//! What providers of mailboxes gave for signing in (OAuth 2.0, RFC 6749): the request that an admin is under way
//! with, and the tokens that came of it.
//!
//! The provider itself is a part of the account's settings. Tokens are shown to it and to the mail servers of the
//! account as they were named when somebody signed in; a change of either forgets them. Whoever changes a row
//! names the version that they saw: of two nodes that would renew a token one does.

use std::collections::HashMap;

use belofte_model::{ChannelAccountId, Duration, EventKind, JobId, KeyId, LedgerKind, Timestamp, Use};
use belofte_vault::Pii;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::actor_columns;
use crate::channel_accounts::PasswordChange;
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::retrievals;
use crate::sealing::seal_json;
use crate::{Access, Event, NewLeaf, Read, Store, StoreError, Tx, Write};

/// Who renews a token has this long for it; then another may.
const RENEWING: Duration = Duration::from_secs(60);
/// Who is under way to a provider has this long for it.
const UNDER_WAY: Duration = Duration::from_secs(15 * 60);

/// The provider that authorises an account, without the client's secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProvider {
    /// Where people sign in.
    pub authorization_endpoint: String,
    /// Where tokens are given.
    pub token_endpoint: String,
    /// Whom the provider knows this installation as.
    pub client_id: String,
    /// Whether a secret of the client is known.
    pub client_secret_set: bool,
    /// What is asked for.
    pub scope: String,
}

/// A provider as an admin enters it.
#[derive(Clone, Debug)]
pub struct NewProvider {
    /// Where people sign in: an address with `https`.
    pub authorization_endpoint: String,
    /// Where tokens are given: an address with `https`.
    pub token_endpoint: String,
    /// Whom the provider knows this installation as.
    pub client_id: String,
    /// What proves it.
    pub client_secret: PasswordChange,
    /// What is asked for.
    pub scope: String,
}

/// A provider with all that asking it takes.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Where people sign in.
    pub authorization_endpoint: String,
    /// Where tokens are given.
    pub token_endpoint: String,
    /// Whom it knows this installation as.
    pub client_id: String,
    /// What proves it.
    pub client_secret: Option<Pii<String>>,
    /// What is asked for.
    pub scope: String,
    /// Whether its host is on record as a recipient of the tenant's.
    pub recorded: bool,
}

/// What a provider gave.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// What a mail server is shown.
    pub access: Pii<String>,
    /// What the next one is asked for with.
    pub refresh: Option<Pii<String>>,
    /// Until when the first one is used.
    pub used_until: Timestamp,
}

/// The tokens of an account, for who signs in by them.
#[derive(Debug)]
pub struct HeldTokens {
    /// Their provider.
    pub provider: Provider,
    /// The tokens.
    pub tokens: Option<Tokens>,
    /// Whether the provider has ended what it gave.
    pub ended: bool,
    /// Counts changes.
    pub version: i64,
}

/// What an admin is under way to a provider with.
#[derive(Clone, Debug)]
pub struct AuthorisationRequest {
    /// What they have to bring back.
    pub state: Pii<String>,
    /// What the challenge of the code was made of (RFC 7636).
    pub verifier: Pii<String>,
}

/// How an account stands with its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorisationStanding {
    /// Somebody has signed in there.
    Granted {
        /// When.
        at: Timestamp,
    },
    /// The provider has ended it.
    Ended {
        /// When that was noticed.
        at: Timestamp,
    },
}

/// What is sealed of a provider, within the settings of its account.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct SealedProvider {
    authorization_endpoint: String,
    token_endpoint: String,
    client_id: String,
    pub(crate) client_secret: Option<String>,
    scope: String,
}

#[derive(Serialize, Deserialize)]
struct SealedTokens {
    access: String,
    refresh: Option<String>,
    used_until: i64,
}

#[derive(Serialize, Deserialize)]
struct SealedRequest {
    state: String,
    verifier: String,
    /// Who was sent.
    by: Uuid,
    until: i64,
}

impl SealedProvider {
    /// What an admin entered, in the place of `before`.
    pub(crate) fn new(new: NewProvider, before: Option<&Self>) -> Self {
        let NewProvider { authorization_endpoint, token_endpoint, client_id, client_secret, scope } = new;
        let client_secret = match client_secret {
            PasswordChange::Set(secret) => Some(secret.into_inner()),
            PasswordChange::Clear => None,
            // A secret goes to nobody but who it was given for.
            PasswordChange::Keep => before
                .filter(|old| old.token_endpoint == token_endpoint && old.client_id == client_id)
                .and_then(|old| old.client_secret.clone()),
        };
        Self { authorization_endpoint, token_endpoint, client_id, client_secret, scope }
    }

    /// Whether both are the same client of the same provider, asking for the same.
    pub(crate) fn is_same(one: Option<&Self>, other: Option<&Self>) -> bool {
        one.map(Self::without_secret) == other.map(Self::without_secret)
    }

    pub(crate) fn without_secret(&self) -> Self {
        Self { client_secret: None, ..self.clone() }
    }

    /// The host that gives tokens.
    pub(crate) fn host(&self) -> Option<&str> {
        let (_, rest) = self.token_endpoint.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next(),
            None => authority.split(':').next(),
        }
    }

    pub(crate) fn shown(&self) -> AccountProvider {
        AccountProvider {
            authorization_endpoint: self.authorization_endpoint.clone(),
            token_endpoint: self.token_endpoint.clone(),
            client_id: self.client_id.clone(),
            client_secret_set: self.client_secret.is_some(),
            scope: self.scope.clone(),
        }
    }

    /// What the ledger may know.
    pub(crate) fn told(&self) -> Value {
        json!({
            "authorization_endpoint": self.authorization_endpoint,
            "token_endpoint": self.token_endpoint,
            "client_id": self.client_id,
            "client_secret_set": self.client_secret.is_some(),
            "scope": self.scope,
        })
    }
}

/// Forgets what the provider of an account gave, and who is under way to it: a part of the write that saves the
/// account.
pub(crate) async fn forget(tx: &mut Tx<'_>, account: ChannelAccountId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!(
            "UPDATE authorisation SET request = NULL, request_key_id = NULL, tokens = NULL, tokens_key_id = NULL, \
             granted_at = NULL, ended_at = NULL, renewing_until = NULL, version = version + 1 \
             WHERE tenant_id = $1 AND account_id = $2"
        ),
        params![tenant, account],
    )
    .await?;
    Ok(())
}

/// Somebody goes to the provider of an account. Who went before them cannot come back any more.
struct Begin {
    account: ChannelAccountId,
    request: (Vec<u8>, KeyId),
}

impl Write for Begin {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!(
                "INSERT INTO authorisation (tenant_id, account_id, version) VALUES ($1, $2, 1) ON CONFLICT DO NOTHING"
            ),
            params![tenant, self.account],
        )
        .await?;
        tx.execute_one(
            sql!(
                "UPDATE authorisation SET request = $3, request_key_id = $4, version = version + 1 \
                 WHERE tenant_id = $1 AND account_id = $2"
            ),
            params![tenant, self.account, &self.request.0, self.request.1],
        )
        .await
    }
}

/// Somebody has come back: nobody comes back twice.
struct Take(ChannelAccountId);

impl Write for Take {
    type Out = Option<(Vec<u8>, KeyId)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let found = tx
            .query_opt(
                sql!(
                    "SELECT request, request_key_id FROM authorisation WHERE tenant_id = $1 AND account_id = $2 \
                     AND request IS NOT NULL"
                ),
                params![tenant, self.0],
                |row| Ok((row.bytes(0)?, row.id(1)?)),
            )
            .await?;
        tx.execute(
            sql!(
                "UPDATE authorisation SET request = NULL, request_key_id = NULL, version = version + 1 \
                 WHERE tenant_id = $1 AND account_id = $2"
            ),
            params![tenant, self.0],
        )
        .await?;
        Ok(found)
    }
}

/// The provider gave tokens to who came back, or an admin has them forgotten.
struct Settle {
    account: ChannelAccountId,
    tokens: Option<(Vec<u8>, KeyId)>,
    /// The job that reads the mailbox from now on.
    job: JobId,
    now: Timestamp,
    leaf: NewLeaf,
}

impl Write for Settle {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let (tokens, key) = match &self.tokens {
            Some((tokens, key)) => (Some(tokens), Some(*key)),
            None => (None, None),
        };
        tx.execute_one(
            sql!(
                "UPDATE authorisation SET tokens = $3, tokens_key_id = $4, granted_at = $5, ended_at = NULL, \
                 renewing_until = NULL, version = version + 1 WHERE tenant_id = $1 AND account_id = $2"
            ),
            params![tenant, self.account, tokens, key, tokens.map(|_| self.now)],
        )
        .await?;
        retrievals::begin_anew(tx, self.account, self.job, self.now).await?;
        let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await?;
        let event =
            Event { account: Some(self.account), ..Event::new(EventKind::ChannelAccountChanged, self.now) };
        event.append(tx, numbers.event).await
    }
}

/// What becomes of a token that is to be renewed.
enum Renewal {
    Claimed,
    Done(Vec<u8>, KeyId),
    GivenUp,
    Ended,
}

struct Renew {
    account: ChannelAccountId,
    /// The version that the change was made on.
    version: i64,
    renewal: Renewal,
    now: Timestamp,
}

impl Write for Renew {
    /// Whether it was still so.
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let (tenant, account, version) = (tx.tenant(), self.account, self.version);
        let changed = match &self.renewal {
            Renewal::Claimed => {
                tx.execute(
                    sql!(
                        "UPDATE authorisation SET renewing_until = $4, version = version + 1 WHERE tenant_id = $1 \
                         AND account_id = $2 AND version = $3 AND (renewing_until IS NULL OR renewing_until <= $5)"
                    ),
                    params![tenant, account, version, self.now + RENEWING, self.now],
                )
                .await?
            }
            Renewal::Done(tokens, key) => {
                tx.execute(
                    sql!(
                        "UPDATE authorisation SET tokens = $4, tokens_key_id = $5, renewing_until = NULL, \
                         version = version + 1 WHERE tenant_id = $1 AND account_id = $2 AND version = $3"
                    ),
                    params![tenant, account, version, tokens, *key],
                )
                .await?
            }
            Renewal::GivenUp => {
                tx.execute(
                    sql!(
                        "UPDATE authorisation SET renewing_until = NULL, version = version + 1 \
                         WHERE tenant_id = $1 AND account_id = $2 AND version = $3"
                    ),
                    params![tenant, account, version],
                )
                .await?
            }
            Renewal::Ended => {
                let ended = tx
                    .execute(
                        sql!(
                            "UPDATE authorisation SET tokens = NULL, tokens_key_id = NULL, ended_at = $4, \
                             renewing_until = NULL, version = version + 1 \
                             WHERE tenant_id = $1 AND account_id = $2 AND version = $3"
                        ),
                        params![tenant, account, version, self.now],
                    )
                    .await?;
                if ended == 1 {
                    let kind = EventKind::ChannelAccountChanged;
                    let event = Event { account: Some(account), ..Event::new(kind, self.now) };
                    let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
                    event.append(tx, numbers.event).await?;
                }
                ended
            }
        };
        Ok(changed == 1)
    }
}

struct Row {
    account: ChannelAccountId,
    tokens: Option<(Vec<u8>, KeyId)>,
    granted_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    version: i64,
}

struct All;

impl Read for All {
    type Out = Vec<Row>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT account_id, tokens, tokens_key_id, granted_at, ended_at, version FROM authorisation \
                 WHERE tenant_id = $1"
            ),
            params![tenant],
            |row| {
                Ok(Row {
                    account: row.id(0)?,
                    tokens: row.opt_bytes(1)?.zip(row.opt_id(2)?),
                    granted_at: row.opt_time(3)?,
                    ended_at: row.opt_time(4)?,
                    version: row.int(5)?,
                })
            },
        )
        .await
    }
}

impl Store {
    /// How the accounts that `access` can see stand with their providers; one that nobody has signed in for is
    /// not among them.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn authorisation_standings(
        &self,
        access: &Access,
    ) -> Result<HashMap<ChannelAccountId, AuthorisationStanding>, StoreError> {
        access.to(Use::Name)?;
        let rows = self.read(access, All).await?;
        let seen = rows.into_iter().filter(|row| access.visible().channels.contains(&row.account));
        Ok(seen
            .filter_map(|row| {
                let standing = match (row.ended_at, row.tokens.and(row.granted_at)) {
                    (Some(at), _) => AuthorisationStanding::Ended { at },
                    (None, Some(at)) => AuthorisationStanding::Granted { at },
                    (None, None) => return None,
                };
                Some((row.account, standing))
            })
            .collect())
    }

    /// The provider of an account with the secret of its client; `None` when it has none.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors and those of sealing.
    pub async fn provider(
        &self,
        access: &Access,
        account: ChannelAccountId,
    ) -> Result<Option<Provider>, StoreError> {
        access.to(Use::UseToken)?;
        let settings = self.account_with_settings(access, account).await?.1;
        let Some(sealed) = settings.authorisation else { return Ok(None) };
        let recorded = match sealed.host() {
            Some(host) => self.is_recorded(access, account, host).await?,
            None => false,
        };
        Ok(Some(Provider {
            authorization_endpoint: sealed.authorization_endpoint,
            token_endpoint: sealed.token_endpoint,
            client_id: sealed.client_id,
            client_secret: sealed.client_secret.map(Pii::new),
            scope: sealed.scope,
            recorded,
        }))
    }

    /// Keeps what an admin goes to the provider with. They have a quarter of an hour to come back, and whoever
    /// went before them cannot any more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors and those of sealing.
    pub async fn begin_authorisation(
        &self,
        access: &Access,
        account: ChannelAccountId,
        request: AuthorisationRequest,
    ) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        // It is there, and can be seen.
        self.channel_account(access, account).await?;
        let keys = self.keys(access).await?;
        let sealed = SealedRequest {
            state: request.state.into_inner(),
            verifier: request.verifier.into_inner(),
            by: actor_columns(access.actor()).1,
            until: (access.clock().now() + UNDER_WAY).as_micros(),
        };
        let column = columns::AUTHORISATION_REQUEST;
        let request = seal_json(&keys, self.random(), column, account.uuid(), &sealed)?;
        self.write(access, Begin { account, request: (request, keys.settings.id()) }).await
    }

    /// What somebody went to the provider with, for who has come back; once, and `None` when nobody is under way,
    /// another was sent, or they have taken too long. Were it not bound to who was sent, an admin could be made to
    /// come back in the place of somebody who signed in to a mailbox of theirs.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors and those of sealing.
    pub async fn take_authorisation_request(
        &self,
        access: &Access,
        account: ChannelAccountId,
    ) -> Result<Option<AuthorisationRequest>, StoreError> {
        access.to(Use::Configure)?;
        self.channel_account(access, account).await?;
        let Some((request, key)) = self.write(access, Take(account)).await? else { return Ok(None) };
        let column = columns::AUTHORISATION_REQUEST;
        let sealed: SealedRequest =
            self.open_json(access.tenant(), column, account.uuid(), key, &request).await?;
        let in_time = access.clock().now().as_micros() < sealed.until;
        Ok((in_time && sealed.by == actor_columns(access.actor()).1).then(|| AuthorisationRequest {
            state: Pii::new(sealed.state),
            verifier: Pii::new(sealed.verifier),
        }))
    }

    /// Keeps what the provider gave to an admin who came back from it, or forgets it; an instruction. The mailbox
    /// is tried at once.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors and those of sealing.
    pub async fn settle_authorisation(
        &self,
        access: &Access,
        account: ChannelAccountId,
        tokens: Option<Tokens>,
    ) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        self.channel_account(access, account).await?;
        let keys = self.keys(access).await?;
        let act = if tokens.is_some() { "authorised" } else { "authorisation_forgotten" };
        let before = match self.authorisation_standings(access).await?.get(&account) {
            Some(AuthorisationStanding::Granted { .. }) => "granted",
            Some(AuthorisationStanding::Ended { .. }) => "ended",
            None => "missing",
        };
        let after = if tokens.is_some() { "granted" } else { "missing" };
        let detail = json!({
            "what": "channel_account",
            "act": act,
            "id": account,
            "before": { "authorisation": before },
            "after": { "authorisation": after },
        });
        let tokens = match tokens {
            Some(tokens) => Some((self.seal_tokens(access, account, tokens).await?, keys.settings.id())),
            None => None,
        };
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?;
        let now = access.clock().now();
        let job = JobId::new(now, self.random().bytes());
        self.write(access, Settle { account, tokens, job, now, leaf }).await
    }

    /// The tokens of an account, for who signs in by them; `None` when it has no provider.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors and those of sealing.
    pub async fn held_tokens(
        &self,
        access: &Access,
        account: ChannelAccountId,
    ) -> Result<Option<HeldTokens>, StoreError> {
        access.to(Use::UseToken)?;
        let Some(provider) = self.provider(access, account).await? else { return Ok(None) };
        let row = self.read(access, All).await?.into_iter().find(|row| row.account == account);
        let Some(row) = row else {
            return Ok(Some(HeldTokens { provider, tokens: None, ended: false, version: 0 }));
        };
        let tokens = match row.tokens {
            Some((tokens, key)) => {
                let column = columns::AUTHORISATION_TOKENS;
                let sealed: SealedTokens =
                    self.open_json(access.tenant(), column, account.uuid(), key, &tokens).await?;
                Some(Tokens {
                    access: Pii::new(sealed.access),
                    refresh: sealed.refresh.map(Pii::new),
                    used_until: Timestamp::from_micros(sealed.used_until),
                })
            }
            None => None,
        };
        Ok(Some(HeldTokens { provider, tokens, ended: row.ended_at.is_some(), version: row.version }))
    }

    /// Takes it upon the caller to renew the token that was seen at `version`; the version to go on with, or
    /// `None` when somebody else does or did.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn claim_renewal(
        &self,
        access: &Access,
        account: ChannelAccountId,
        version: i64,
    ) -> Result<Option<i64>, StoreError> {
        access.to(Use::UseToken)?;
        let claimed = self.renew(access, account, version, Renewal::Claimed).await?;
        Ok(claimed.then_some(version + 1))
    }

    /// Keeps what a renewal gave. When the row has changed since it was claimed, somebody has signed in anew or
    /// has it forgotten, and this is not kept.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn keep_renewed(
        &self,
        access: &Access,
        account: ChannelAccountId,
        claimed: i64,
        tokens: Tokens,
    ) -> Result<(), StoreError> {
        access.to(Use::UseToken)?;
        let key = self.keys(access).await?.settings.id();
        let sealed = self.seal_tokens(access, account, tokens).await?;
        self.renew(access, account, claimed, Renewal::Done(sealed, key)).await?;
        Ok(())
    }

    /// Leaves a renewal to others: the provider did not answer.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn give_up_renewal(
        &self,
        access: &Access,
        account: ChannelAccountId,
        claimed: i64,
    ) -> Result<(), StoreError> {
        access.to(Use::UseToken)?;
        self.renew(access, account, claimed, Renewal::GivenUp).await?;
        Ok(())
    }

    /// The provider has ended what it gave: somebody has to sign in there again.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn end_authorisation(
        &self,
        access: &Access,
        account: ChannelAccountId,
        version: i64,
    ) -> Result<(), StoreError> {
        access.to(Use::UseToken)?;
        self.renew(access, account, version, Renewal::Ended).await?;
        Ok(())
    }

    async fn renew(
        &self,
        access: &Access,
        account: ChannelAccountId,
        version: i64,
        renewal: Renewal,
    ) -> Result<bool, StoreError> {
        if !access.visible().channels.contains(&account) {
            return Err(StoreError::NotFound);
        }
        let now = access.clock().now();
        self.write(access, Renew { account, version, renewal, now }).await
    }

    async fn seal_tokens(
        &self,
        access: &Access,
        account: ChannelAccountId,
        tokens: Tokens,
    ) -> Result<Vec<u8>, StoreError> {
        let keys = self.keys(access).await?;
        let sealed = SealedTokens {
            access: tokens.access.into_inner(),
            refresh: tokens.refresh.map(Pii::into_inner),
            used_until: tokens.used_until.as_micros(),
        };
        seal_json(&keys, self.random(), columns::AUTHORISATION_TOKENS, account.uuid(), &sealed)
    }
}
