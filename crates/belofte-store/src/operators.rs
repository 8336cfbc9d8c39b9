// SPDX-License-Identifier: EUPL-1.2
//! Operator users: those who keep the installation running. Another kind than users, with their
//! own table, sessions and cookie; nothing here leads to an [`Access`](crate::Access), so they
//! reach no content.

use std::sync::Arc;

use belofte_model::{
    Actor, EmailAddress, JobKind, KeyId, OPERATOR_SESSION_LIFE, OperatorUserId, TenantId, Timestamp,
};
use belofte_vault::{Pii, new_token, token_hash};
use serde::{Deserialize, Serialize};

use crate::clock::MOST_AHEAD;
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::installation::{self, OperatorAct};
use crate::jobs::DeadLetter;
use crate::keys::SYSTEM;
use crate::proof::{self, Grants, Part};
use crate::sealing::seal_json;
use crate::sign_in::{Counted, OperatorCandidate, OperatorTry, give_back};
use crate::{NewLeaf, Read, StoreError, SystemTx, Tx, Write};

/// An operator user with a session.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Their id.
    pub id: OperatorUserId,
    /// Their name.
    pub name: Pii<String>,
    /// The address that they sign in with.
    pub email: Pii<String>,
    /// When the session ends.
    pub expires_at: Timestamp,
}

/// An operator's session that was just made.
#[derive(Debug)]
pub struct NewOperatorSession {
    /// The secret for the cookie, told once.
    pub token: Pii<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Profile {
    name: String,
    email: String,
}

/// What the proof of an operator user covers.
fn operator_parts<'a>(id: OperatorUserId, login_index: &'a [u8; 16], password: &'a str) -> [Part<'a>; 3] {
    [Part::Id(id.uuid()), Part::Bytes(login_index), Part::Bytes(password.as_bytes())]
}

/// What the proof of an operator's session covers.
fn session_parts<'a>(
    token_hash: &'a [u8; 32],
    operator: OperatorUserId,
    expires_at: Timestamp,
) -> [Part<'a>; 3] {
    [Part::Bytes(token_hash), Part::Id(operator.uuid()), Part::Int(expires_at.as_micros())]
}

struct Create {
    proof: [u8; 16],
    id: OperatorUserId,
    login_index: [u8; 16],
    password: Pii<String>,
    profile: Vec<u8>,
    key: KeyId,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Create {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        installation::append(tx, &self.leaf).await?;
        tx.execute_one(
            sql!(
                "INSERT INTO operator_user (id, login_index, password, profile, key_id, created_at, proof) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
            ),
            params![
                self.id,
                &self.login_index,
                self.password.expose(),
                &self.profile,
                self.key,
                self.now,
                &self.proof
            ],
        )
        .await
    }
}

struct ByLogin([u8; 16]);

impl Read for ByLogin {
    type Out = Option<(OperatorCandidate, Option<Vec<u8>>)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query_opt(
            sql!("SELECT id, password, proof FROM operator_user WHERE login_index = $1"),
            params![&self.0],
            |row| {
                let known = OperatorCandidate { operator: row.id(0)?, password: Pii::new(row.text(1)?) };
                Ok((known, row.opt_bytes(2)?))
            },
        )
        .await
    }
}

struct SignIn {
    proof: [u8; 16],
    operator: OperatorUserId,
    token_hash: [u8; 32],
    counted: Vec<Counted>,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for SignIn {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        give_back(tx, &self.counted, true).await?;
        installation::append(tx, &self.leaf).await?;
        tx.execute_one(
            sql!(
                "INSERT INTO operator_session (token_hash, operator_id, created_at, expires_at, proof) \
                 VALUES ($1, $2, $3, $4, $5)"
            ),
            params![&self.token_hash, self.operator, self.now, self.now + OPERATOR_SESSION_LIFE, &self.proof],
        )
        .await
    }
}

struct EndSession {
    token_hash: [u8; 32],
    leaf: NewLeaf,
}

impl Write for EndSession {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let ended = sql!("DELETE FROM operator_session WHERE token_hash = $1");
        if tx.execute(ended, params![&self.token_hash]).await? > 0 {
            installation::append(tx, &self.leaf).await?;
        }
        Ok(())
    }
}

struct Found {
    id: OperatorUserId,
    profile: Vec<u8>,
    key: KeyId,
    expires_at: Timestamp,
    proof: Option<Vec<u8>>,
}

struct ByToken {
    token_hash: [u8; 32],
    now: Timestamp,
}

impl Read for ByToken {
    type Out = Option<Found>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query_opt(
            sql!(
                "SELECT o.id, o.profile, o.key_id, s.expires_at, s.proof FROM operator_session s \
                 JOIN operator_user o ON o.id = s.operator_id WHERE s.token_hash = $1 AND s.expires_at > $2 \
                 AND s.expires_at <= $3"
            ),
            params![&self.token_hash, self.now, self.now + OPERATOR_SESSION_LIFE + MOST_AHEAD],
            |row| {
                Ok(Found {
                    id: row.id(0)?,
                    profile: row.bytes(1)?,
                    key: row.id(2)?,
                    expires_at: row.time(3)?,
                    proof: row.opt_bytes(4)?,
                })
            },
        )
        .await
    }
}

struct AllDeadLetters;

impl Read for AllDeadLetters {
    type Out = Vec<(TenantId, DeadLetter)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query(
            sql!(
                "SELECT tenant_id, id, kind, subject_id, changed_at, attempts, error_code FROM job \
                 WHERE state = 'dead' ORDER BY changed_at DESC, id LIMIT 200"
            ),
            params![],
            |row| {
                let letter = DeadLetter {
                    id: row.id(1)?,
                    kind: row.name(2, JobKind::parse)?,
                    subject: row.uuid(3)?,
                    failed_at: row.time(4)?,
                    attempts: u32::try_from(row.int(5)?).unwrap_or(u32::MAX),
                    code: row.opt_text(6)?,
                };
                Ok((row.id(0)?, letter))
            },
        )
        .await
    }
}

impl SystemTx<'_> {
    /// Makes an operator user with a password (a PHC string).
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is one with this address; the engine's errors.
    pub async fn create_operator(
        &self,
        name: &Pii<String>,
        email: &EmailAddress,
        password_hash: Pii<String>,
    ) -> Result<OperatorUserId, StoreError> {
        let store = self.store;
        let (keys, now, random) = (store.tenant_keys(SYSTEM).await?, store.clock().now(), store.random());
        let id = OperatorUserId::new(now, random.bytes());
        let profile = Profile { name: name.expose().clone(), email: email.as_sent() };
        let login_index = keys.lookup.index("operator", &email.normalised());
        let parts = operator_parts(id, &login_index, password_hash.expose());
        let create = Create {
            proof: proof::of(&keys, Grants::Operator, &parts),
            id,
            login_index,
            password: password_hash,
            profile: seal_json(&keys, random, columns::OPERATOR_USER_PROFILE, id.uuid(), &profile)?,
            key: keys.settings.id(),
            leaf: self.leaf_of(Actor::System, &OperatorAct::CreateOperator(id)).await?,
            now,
        };
        store.write_for(Some(SYSTEM), Arc::new(create)).await?;
        Ok(id)
    }

    pub(crate) async fn operator_candidate(
        &self,
        email: &EmailAddress,
    ) -> Result<Option<OperatorCandidate>, StoreError> {
        let keys = self.store.tenant_keys(SYSTEM).await?;
        let login = keys.lookup.index("operator", &email.normalised());
        let found = self.store.read_for(None, Arc::new(ByLogin(login))).await?;
        Ok(found.and_then(|(known, proof)| {
            let parts = operator_parts(known.operator, &login, known.password.expose());
            proof::holds(&keys, Grants::Operator, &parts, proof.as_deref()).then_some(known)
        }))
    }

    /// The password was right for the candidate of `attempt`: makes a session.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the attempt has no candidate; the engine's errors.
    pub async fn operator_sign_in(&self, attempt: &OperatorTry) -> Result<NewOperatorSession, StoreError> {
        let candidate = attempt.candidate.as_ref().ok_or(StoreError::NotFound)?;
        let (token, now) = (new_token(self.store.random()), self.store.clock().now());
        let (token_hash, keys) = (token_hash(token.as_bytes()), self.store.tenant_keys(SYSTEM).await?);
        let parts = session_parts(&token_hash, candidate.operator, now + OPERATOR_SESSION_LIFE);
        let sign_in = SignIn {
            proof: proof::of(&keys, Grants::OperatorSession, &parts),
            operator: candidate.operator,
            token_hash,
            counted: attempt.counted.clone(),
            leaf: self
                .leaf_of(Actor::Operator(candidate.operator), &OperatorAct::SignedIn(attempt.network))
                .await?,
            now,
        };
        self.store.write_for(Some(SYSTEM), Arc::new(sign_in)).await?;
        Ok(NewOperatorSession { token: Pii::new(token), expires_at: now + OPERATOR_SESSION_LIFE })
    }

    /// The password was wrong, or there is nobody of that address: it stands in the ledger of the
    /// installation.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn operator_sign_in_failed(&self, attempt: &OperatorTry) -> Result<(), StoreError> {
        let of = attempt.candidate.as_ref().map(|candidate| candidate.operator);
        self.note(Actor::System, &OperatorAct::SignInRefused { of, network: attempt.network }).await
    }

    /// The operator user who holds the session of `token`.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn operator_by_token(&self, token: &str) -> Result<Option<Operator>, StoreError> {
        let (token_hash, now) = (token_hash(token.as_bytes()), self.store.clock().now());
        let by = ByToken { token_hash, now };
        let Some(found) = self.store.read_for(None, Arc::new(by)).await? else { return Ok(None) };
        let keys = self.store.tenant_keys(SYSTEM).await?;
        let parts = session_parts(&token_hash, found.id, found.expires_at);
        if !proof::holds(&keys, Grants::OperatorSession, &parts, found.proof.as_deref()) {
            return Ok(None);
        }
        let column = columns::OPERATOR_USER_PROFILE;
        let profile: Profile =
            self.store.open_json(SYSTEM, column, found.id.uuid(), found.key, &found.profile).await?;
        Ok(Some(Operator {
            id: found.id,
            name: Pii::new(profile.name),
            email: Pii::new(profile.email),
            expires_at: found.expires_at,
        }))
    }

    /// Ends the session of `token`, which `operator` holds; one that is not there has ended.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn end_operator_session(
        &self,
        operator: OperatorUserId,
        token: &str,
    ) -> Result<(), StoreError> {
        let leaf = self.leaf_of(Actor::Operator(operator), &OperatorAct::SignedOut).await?;
        let end = EndSession { token_hash: token_hash(token.as_bytes()), leaf };
        self.store.write_for(Some(SYSTEM), Arc::new(end)).await
    }

    /// Background work of all tenants that failed for good, newest first, at most 200: kinds,
    /// times and codes, never what they are about.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn all_dead_letters(&self) -> Result<Vec<(TenantId, DeadLetter)>, StoreError> {
        self.store.read_for(None, Arc::new(AllDeadLetters)).await
    }
}
