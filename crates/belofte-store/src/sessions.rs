// SPDX-License-Identifier: EUPL-1.2
//! Sessions: signed-in browsers. The cookie holds a token, the row its hash; a session ends when
//! its row goes, whatever the browser still holds.

use std::sync::Arc;

use belofte_model::{
    EventKind, KeyId, Language, LedgerKind, Role, SESSION_IDLE, SESSION_LIFE, SecondFactorRule, SessionId,
    TenantId, Timestamp, Use, UserId, worth_noting,
};
use belofte_vault::{Pii, Random, new_token, token_hash};
use serde_json::{Value, json};

use crate::access::{Authenticated, Who};
use crate::clock::MOST_AHEAD;
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::proof::{self, Grants, Part};
use crate::sealing::seal_json;
use crate::users::{Facts, facts, language};
use crate::{
    Access, Event, NewLeaf, Read, Store, StoreError, SystemTx, TenantKeys, Tx, Write, push_devices,
    second_factor_rule,
};

/// What a browser calls itself is kept up to this many characters.
const AGENT: usize = 200;

/// A session that was just made.
#[derive(Debug)]
pub struct NewSession {
    /// The secret for the cookie, told once.
    pub token: Pii<String>,
    /// The session's id.
    pub id: SessionId,
    /// Who signed in.
    pub who: Authenticated,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// What a session says about its user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) role: Role,
    pub(crate) privacy_officer: bool,
    pub(crate) language: Language,
}

/// What the proof of a session covers.
fn parts<'a>(id: SessionId, user: UserId, token_hash: &'a [u8; 32], expires_at: Timestamp) -> [Part<'a>; 4] {
    [Part::Id(id.uuid()), Part::Id(user.uuid()), Part::Bytes(token_hash), Part::Int(expires_at.as_micros())]
}

/// A session before it is stored.
pub(crate) struct FreshSession {
    id: SessionId,
    user: UserId,
    token_hash: [u8; 32],
    agent: Vec<u8>,
    key: KeyId,
    proof: [u8; 16],
    now: Timestamp,
}

impl FreshSession {
    pub(crate) fn new(
        keys: &TenantKeys,
        random: &Random,
        now: Timestamp,
        user: UserId,
        standing: Standing,
        agent: &Pii<String>,
    ) -> Result<(Self, NewSession), StoreError> {
        let (id, token) = (SessionId::new(now, random.bytes()), new_token(random));
        let agent: String = agent.expose().chars().take(AGENT).collect();
        let (token_hash, expires_at) = (token_hash(token.as_bytes()), now + SESSION_LIFE);
        let fresh = Self {
            id,
            user,
            proof: proof::of(keys, Grants::Session, &parts(id, user, &token_hash, expires_at)),
            token_hash,
            agent: seal_json(keys, random, columns::SESSION_AGENT, id.uuid(), &agent)?,
            key: keys.settings.id(),
            now,
        };
        let Standing { role, privacy_officer, language } = standing;
        let who = Authenticated {
            tenant: keys.tenant,
            who: Who::User { user, session: id, role, privacy_officer, language },
        };
        Ok((fresh, NewSession { token: Pii::new(token), id, who, expires_at }))
    }

    /// What the ledger says of it.
    pub(crate) fn detail(&self) -> Value {
        json!({ "act": "signed_in", "outcome": "done", "user": self.user, "session": self.id })
    }

    pub(crate) async fn insert(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!(
                "INSERT INTO session (tenant_id, token_hash, id, user_id, created_at, last_seen_at, expires_at, \
                 agent, key_id, proof) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9)"
            ),
            params![
                tenant,
                &self.token_hash,
                self.id,
                self.user,
                self.now,
                self.now + SESSION_LIFE,
                &self.agent,
                self.key,
                &self.proof
            ],
        )
        .await
    }
}

/// A session in a list.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// When somebody signed in.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// What the browser called itself.
    pub user_agent: Pii<String>,
}

struct SessionRow {
    id: SessionId,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
    agent: Vec<u8>,
    key: KeyId,
}

struct SessionsOf {
    user: UserId,
    now: Timestamp,
}

impl Read for SessionsOf {
    type Out = Vec<SessionRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, created_at, last_seen_at, expires_at, agent, key_id FROM session \
                 WHERE tenant_id = $1 AND user_id = $2 AND expires_at > $3 AND last_seen_at > $4 AND expires_at <= $5 \
                 ORDER BY last_seen_at DESC, id"
            ),
            params![
                tenant,
                self.user,
                self.now,
                self.now - SESSION_IDLE,
                self.now + SESSION_LIFE + MOST_AHEAD
            ],
            |row| {
                Ok(SessionRow {
                    id: row.id(0)?,
                    created_at: row.time(1)?,
                    last_seen_at: row.time(2)?,
                    expires_at: row.time(3)?,
                    agent: row.bytes(4)?,
                    key: row.id(5)?,
                })
            },
        )
        .await
    }
}

struct EndSession {
    user: UserId,
    id: SessionId,
    /// Tells live streams, on every node, to look at their session again.
    event: Event,
    leaf: NewLeaf,
}

impl Write for EndSession {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let ended = tx
            .execute(
                sql!("DELETE FROM session WHERE tenant_id = $1 AND user_id = $2 AND id = $3"),
                params![tenant, self.user, self.id],
            )
            .await?;
        if ended == 0 {
            return Err(StoreError::NotFound);
        }
        push_devices::forget_ended(tx, self.user).await?;
        let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
        self.event.append(tx, numbers.event).await?;
        self.leaf.append(tx, numbers.leaf).await
    }
}

impl Store {
    /// The sessions of the user who asks, the one used last first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when a program asks; the engine's errors.
    pub async fn sessions(&self, access: &Access) -> Result<Vec<Session>, StoreError> {
        access.to(Use::Configure)?;
        let user = access.user().ok_or(StoreError::NotFound)?;
        let mut sessions = Vec::new();
        for row in self.read(access, SessionsOf { user, now: access.clock().now() }).await? {
            let agent = self
                .open_json(access.tenant(), columns::SESSION_AGENT, row.id.uuid(), row.key, &row.agent)
                .await?;
            sessions.push(Session {
                id: row.id,
                created_at: row.created_at,
                last_seen_at: row.last_seen_at,
                expires_at: row.expires_at,
                user_agent: Pii::new(agent),
            });
        }
        Ok(sessions)
    }

    /// Ends a session of the user who asks: the one in use (signing out) or another.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when they have no such session; the engine's errors.
    pub async fn end_session(&self, access: &Access, id: SessionId) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        let user = access.user().ok_or(StoreError::NotFound)?;
        let keys = self.keys(access).await?;
        let detail = json!({ "act": "signed_out", "outcome": "done", "user": user, "session": id });
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::SignIn, detail)?;
        let event = Event { user: Some(user), ..Event::new(EventKind::UserChanged, access.clock().now()) };
        self.write(access, EndSession { user, id, event, leaf }).await
    }
}

/// Whether a session holds at `now`: as its rule says, and not longer than any can that was made by a clock
/// which was right.
pub(crate) fn session_holds(expires_at: Timestamp, last_seen_at: Timestamp, now: Timestamp) -> bool {
    belofte_model::session_holds(expires_at, last_seen_at, now)
        && expires_at <= now + SESSION_LIFE + MOST_AHEAD
}

struct Found {
    tenant: TenantId,
    id: SessionId,
    user: UserId,
    expires_at: Timestamp,
    last_seen_at: Timestamp,
    language: Language,
    proof: Option<Vec<u8>>,
    /// Of which roles the tenant asks a second factor.
    rule: SecondFactorRule,
    facts: Facts,
}

struct ByToken([u8; 32]);

impl Read for ByToken {
    type Out = Option<Found>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query_opt(
            sql!(concat!(
                "SELECT s.tenant_id, s.id, s.user_id, s.expires_at, s.last_seen_at, u.language, s.proof, \
                 r.admin, r.supervisor, r.agent, ",
                facts!(),
                " FROM session s JOIN user_account u ON u.tenant_id = s.tenant_id AND u.id = s.user_id \
                 JOIN tenant t ON t.id = s.tenant_id \
                 LEFT JOIN second_factor_rule r ON r.tenant_id = s.tenant_id \
                 WHERE s.token_hash = $1 AND u.state = 'active' AND t.state = 'active'"
            )),
            params![&self.0],
            |row| {
                Ok(Found {
                    tenant: row.id(0)?,
                    id: row.id(1)?,
                    user: row.id(2)?,
                    expires_at: row.time(3)?,
                    last_seen_at: row.time(4)?,
                    language: row.name(5, language)?,
                    proof: row.opt_bytes(6)?,
                    rule: second_factor_rule::joined(row, 7)?,
                    facts: Facts::read(row, 10)?,
                })
            },
        )
        .await
    }
}

struct Seen {
    token_hash: [u8; 32],
    user: UserId,
    now: Timestamp,
}

impl Write for Seen {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        // Never backwards: two requests of one browser may pass each other on the way.
        tx.execute(
            sql!(
                "UPDATE session SET last_seen_at = $3 WHERE tenant_id = $1 AND token_hash = $2 \
                 AND last_seen_at < $3"
            ),
            params![tenant, &self.token_hash, self.now],
        )
        .await?;
        tx.execute(
            sql!(
                "UPDATE user_account SET last_seen_at = $3 WHERE tenant_id = $1 AND id = $2 \
                 AND (last_seen_at IS NULL OR last_seen_at < $3)"
            ),
            params![tenant, self.user, self.now],
        )
        .await?;
        Ok(())
    }
}

impl SystemTx<'_> {
    /// The session of a token, when it and its user were written by this house. One of somebody of whom a second
    /// factor is asked, and who has none, is none.
    async fn session_found(&self, token_hash: [u8; 32]) -> Result<Option<Found>, StoreError> {
        let Some(found) = self.store.read_for(None, Arc::new(ByToken(token_hash))).await? else {
            return Ok(None);
        };
        let keys = self.store.tenant_keys(found.tenant).await?;
        let parts = parts(found.id, found.user, &token_hash, found.expires_at);
        let good = proof::holds(&keys, Grants::Session, &parts, found.proof.as_deref());
        let lacks = found.facts.factor.is_none() && found.rule.asks(found.facts.role);
        Ok((good && !lacks && found.facts.hold(&keys)).then_some(found))
    }

    /// Whether the session of `token` holds now and its user can sign in. To look is no use of the
    /// session: an open desk that nobody touches does not keep it alive.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn session_holds(&self, token: &str) -> Result<bool, StoreError> {
        let (token_hash, now) = (token_hash(token.as_bytes()), self.store.clock().now());
        let found = self.session_found(token_hash).await?;
        Ok(found.is_some_and(|found| session_holds(found.expires_at, found.last_seen_at, now)))
    }

    /// Who holds the session of `token`, if it holds now and its user can sign in. Its use is
    /// written down at most once a minute.
    ///
    /// # Errors
    /// The engine's errors. That the use could not be written down (a full disk) is none: the
    /// session then ends sooner.
    pub async fn session_by_token(&self, token: &str) -> Result<Option<Authenticated>, StoreError> {
        let (token_hash, now) = (token_hash(token.as_bytes()), self.store.clock().now());
        let Some(found) = self.session_found(token_hash).await? else { return Ok(None) };
        if !session_holds(found.expires_at, found.last_seen_at, now) {
            return Ok(None);
        }
        if worth_noting(Some(found.last_seen_at), now) {
            let seen = Seen { token_hash, user: found.user, now };
            if let Err(error) = self.store.write_for(Some(found.tenant), Arc::new(seen)).await {
                tracing::warn!(%error, "the use of a session was not written down");
            }
        }
        let who = Who::User {
            user: found.user,
            session: found.id,
            role: found.facts.role,
            privacy_officer: found.facts.privacy_officer,
            language: found.language,
        };
        Ok(Some(Authenticated { tenant: found.tenant, who }))
    }
}
