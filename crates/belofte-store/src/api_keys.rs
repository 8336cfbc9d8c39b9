// SPDX-License-Identifier: EUPL-1.2
//! Keys for programs: scoped, with an end, revocable; of the key only its hash is stored.

use std::sync::Arc;

use belofte_model::{ApiKeyId, KeyId, LedgerKind, Scope, TenantId, Timestamp, Use, UserId, worth_noting};
use belofte_vault::{Pii, new_token, token_hash};
use serde_json::json;

use crate::access::{Authenticated, Who, actor_columns};
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::proof::{self, Grants, Part};
use crate::sealing::seal_json;
use crate::{Access, NewLeaf, Read, Store, StoreError, SystemTx, Tx, Write};

/// What every key begins with, so that scanners of source code recognise one that was leaked.
const PREFIX: &str = "belofte_";

fn scope(name: &str) -> Option<Scope> {
    [Scope::Read, Scope::Write].into_iter().find(|scope| scope.as_str() == name)
}

/// What the proof of a key covers.
fn parts<'a>(id: ApiKeyId, token_hash: &'a [u8; 32], scope: Scope, expires_at: Timestamp) -> [Part<'a>; 4] {
    [
        Part::Id(id.uuid()),
        Part::Bytes(token_hash),
        Part::Bytes(scope.as_str().as_bytes()),
        Part::Int(expires_at.as_micros()),
    ]
}

/// A key that was just made.
#[derive(Debug)]
pub struct NewApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The key itself, told once.
    pub key: Pii<String>,
}

/// A key in a list.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is called.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// What the ledger says a key is worth.
fn told(name: &str, scope: Scope, expires_at: Timestamp) -> serde_json::Value {
    json!({ "name": name, "scope": scope, "expires_at": expires_at })
}

struct Create {
    id: ApiKeyId,
    token_hash: [u8; 32],
    scope: Scope,
    name: Vec<u8>,
    key: KeyId,
    created_by: uuid::Uuid,
    now: Timestamp,
    expires_at: Timestamp,
    proof: [u8; 16],
    leaf: NewLeaf,
}

impl Write for Create {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!(
                "INSERT INTO api_key (tenant_id, id, token_hash, scope, name, key_id, created_by, created_at, \
                 expires_at, proof) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
            ),
            params![
                tenant,
                self.id,
                &self.token_hash,
                self.scope.as_str(),
                &self.name,
                self.key,
                self.created_by,
                self.now,
                self.expires_at,
                &self.proof
            ],
        )
        .await?;
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await
    }
}

struct ApiKeyRow {
    id: ApiKeyId,
    name: Vec<u8>,
    key: KeyId,
    scope: Scope,
    created_by: UserId,
    created_at: Timestamp,
    expires_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

struct Unrevoked;

impl Read for Unrevoked {
    type Out = Vec<ApiKeyRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, name, key_id, scope, created_by, created_at, expires_at, last_used_at FROM api_key \
                 WHERE tenant_id = $1 AND revoked_at IS NULL ORDER BY id DESC"
            ),
            params![tenant],
            |row| {
                Ok(ApiKeyRow {
                    id: row.id(0)?,
                    name: row.bytes(1)?,
                    key: row.id(2)?,
                    scope: row.name(3, scope)?,
                    created_by: row.id(4)?,
                    created_at: row.time(5)?,
                    expires_at: row.time(6)?,
                    last_used_at: row.opt_time(7)?,
                })
            },
        )
        .await
    }
}

struct Revoke {
    id: ApiKeyId,
    now: Timestamp,
    leaf: NewLeaf,
}

impl Write for Revoke {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let revoked = tx
            .execute(
                sql!(
                    "UPDATE api_key SET revoked_at = $3, proof = NULL WHERE tenant_id = $1 AND id = $2 \
                     AND revoked_at IS NULL"
                ),
                params![tenant, self.id, self.now],
            )
            .await?;
        if revoked == 0 {
            return Err(StoreError::NotFound);
        }
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await
    }
}

impl Store {
    /// Prepares a key that ends at `expires_at`, and the write that makes it exist. The key is in
    /// the answer and nowhere else.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn prepare_api_key(
        &self,
        access: &Access,
        name: &str,
        scope: Scope,
        expires_at: Timestamp,
    ) -> Result<(impl Write<Out = ()> + use<>, NewApiKey), StoreError> {
        access.to(Use::Configure)?;
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let id = ApiKeyId::new(now, self.random().bytes());
        let key = format!("{PREFIX}{}", new_token(self.random()));
        let detail = json!({
            "what": "api_key",
            "act": "created",
            "id": id,
            "name": name,
            "before": null,
            "after": told(name, scope, expires_at),
        });
        let token_hash = token_hash(key.as_bytes());
        let create = Create {
            id,
            proof: proof::of(&keys, Grants::ApiKey, &parts(id, &token_hash, scope, expires_at)),
            token_hash,
            scope,
            name: seal_json(&keys, self.random(), columns::API_KEY_NAME, id.uuid(), &name)?,
            key: keys.settings.id(),
            created_by: actor_columns(access.actor()).1,
            now,
            expires_at,
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
        };
        Ok((create, NewApiKey { id, key: Pii::new(key) }))
    }

    /// The keys that are not revoked, newest first; also those that ran out.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn api_keys(&self, access: &Access) -> Result<Vec<ApiKey>, StoreError> {
        access.to(Use::Name)?;
        let mut all = Vec::new();
        for row in self.read(access, Unrevoked).await? {
            let name = self
                .open_json(access.tenant(), columns::API_KEY_NAME, row.id.uuid(), row.key, &row.name)
                .await?;
            all.push(ApiKey {
                id: row.id,
                name,
                scope: row.scope,
                created_by: row.created_by,
                created_at: row.created_at,
                expires_at: row.expires_at,
                last_used_at: row.last_used_at,
            });
        }
        Ok(all)
    }

    /// Revokes a key; what uses it stops at its next request.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none or it was revoked; the engine's errors.
    pub async fn revoke_api_key(&self, access: &Access, id: ApiKeyId) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        let keys = self.keys(access).await?;
        let known = self.api_keys(access).await?.into_iter().find(|key| key.id == id);
        let known = known.ok_or(StoreError::NotFound)?;
        let detail = json!({
            "what": "api_key",
            "act": "revoked",
            "id": id,
            "name": known.name,
            "before": told(&known.name, known.scope, known.expires_at),
            "after": null,
        });
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?;
        self.write(access, Revoke { id, now: access.clock().now(), leaf }).await
    }
}

struct Found {
    tenant: TenantId,
    id: ApiKeyId,
    scope: Scope,
    expires_at: Timestamp,
    last_used_at: Option<Timestamp>,
    proof: Option<Vec<u8>>,
}

struct ByKey {
    token_hash: [u8; 32],
    now: Timestamp,
}

impl Read for ByKey {
    type Out = Option<Found>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query_opt(
            sql!(
                "SELECT k.tenant_id, k.id, k.scope, k.last_used_at, k.expires_at, k.proof FROM api_key k \
                 JOIN tenant t ON t.id = k.tenant_id WHERE k.token_hash = $1 AND k.revoked_at IS NULL \
                 AND k.expires_at > $2 AND t.state = 'active'"
            ),
            params![&self.token_hash, self.now],
            |row| {
                Ok(Found {
                    tenant: row.id(0)?,
                    id: row.id(1)?,
                    scope: row.name(2, scope)?,
                    last_used_at: row.opt_time(3)?,
                    expires_at: row.time(4)?,
                    proof: row.opt_bytes(5)?,
                })
            },
        )
        .await
    }
}

struct Used {
    id: ApiKeyId,
    now: Timestamp,
}

impl Write for Used {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!(
                "UPDATE api_key SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2 \
                 AND (last_used_at IS NULL OR last_used_at < $3)"
            ),
            params![tenant, self.id, self.now],
        )
        .await?;
        Ok(())
    }
}

impl SystemTx<'_> {
    /// The program that holds `key`, if it is not revoked and has not run out. Its use is written
    /// down at most once a minute.
    ///
    /// # Errors
    /// The engine's errors; that the use could not be written down is none.
    pub async fn api_key_by_token(&self, key: &str) -> Result<Option<Authenticated>, StoreError> {
        if !key.starts_with(PREFIX) {
            return Ok(None);
        }
        let now = self.store.clock().now();
        let token_hash = token_hash(key.as_bytes());
        let by = ByKey { token_hash, now };
        let Some(found) = self.store.read_for(None, Arc::new(by)).await? else { return Ok(None) };
        let keys = self.store.tenant_keys(found.tenant).await?;
        let parts = parts(found.id, &token_hash, found.scope, found.expires_at);
        if !proof::holds(&keys, Grants::ApiKey, &parts, found.proof.as_deref()) {
            return Ok(None);
        }
        if worth_noting(found.last_used_at, now) {
            let used = Used { id: found.id, now };
            if let Err(error) = self.store.write_for(Some(found.tenant), Arc::new(used)).await {
                tracing::warn!(%error, "the use of a key was not written down");
            }
        }
        let who = Who::ApiKey { key: found.id, scope: found.scope };
        Ok(Some(Authenticated { tenant: found.tenant, who }))
    }
}
