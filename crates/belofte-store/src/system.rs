// SPDX-License-Identifier: EUPL-1.2
//! Work across tenants: a short list, each with its reason. Everything else goes through an
//! [`Access`](crate::Access).

use std::sync::Arc;

use belofte_model::{Duration, KeyClass, KeyId, NodeId, TenantId, Timestamp, WorkClass};
use belofte_vault::DataKey;
use uuid::Uuid;

use crate::access::ClaimedJob;
use crate::engine::{params, sql};
use crate::idempotency::VoidRequests;
use crate::jobs::{Claim, FindDueWork, VoidLeases};
use crate::keys::{SYSTEM, SealedKey};
use crate::{Read, Row, Store, StoreError, Tx, Write};

/// The door for work that no tenant asks for: finding out which tenant is meant, and keeping the
/// machinery going. Its methods give proofs ([`ClaimedJob`] and others), never content.
pub struct SystemTx<'a> {
    pub(crate) store: &'a Store,
}

impl Store {
    /// Opens the door to work across tenants.
    #[must_use]
    pub const fn system(&self) -> SystemTx<'_> {
        SystemTx { store: self }
    }
}

struct NewestEvents;

impl Read for NewestEvents {
    type Out = Vec<(TenantId, i64)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let read = |row: &Row<'_>| Ok((row.id(0)?, row.int(1)? - 1));
        tx.query(sql!("SELECT id, next_seq FROM tenant"), params![], read).await
    }
}

struct AllTenants;

impl Read for AllTenants {
    type Out = Vec<TenantId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query(sql!("SELECT id FROM tenant ORDER BY id"), params![], |row| row.id(0)).await
    }
}

struct Ping;

impl Read for Ping {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.query(sql!("SELECT CAST(1 AS BIGINT)"), params![], |row| row.int(0)).await.map(|_| ())
    }
}

struct FoundSystem(Vec<SealedKey>);

impl Write for FoundSystem {
    type Out = ();

    fn new_keys(&self) -> &[SealedKey] {
        &self.0
    }

    async fn run(&self, _: &mut Tx<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Counts of failed sign-ins and used or past invitations are kept this long.
pub(crate) const FAILURES_KEPT: Duration = Duration::from_secs(24 * 3600);
pub(crate) const INVITATIONS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

impl SystemTx<'_> {
    /// Makes the installation's own keys, unless they are there. Called at every start, before
    /// anything else; two nodes that start at once end up with the same keys.
    ///
    /// # Errors
    /// [`StoreError::Vault`] when the keys that are there were wrapped by another root key; the
    /// engine's errors.
    pub async fn found_system(&self) -> Result<(), StoreError> {
        match self.store.tenant_keys(SYSTEM).await {
            Err(StoreError::NotFound) => {}
            known => return known.map(|_| ()),
        }
        let (root, random, now) = (&self.store.ring().root, self.store.random(), self.store.clock().now());
        // The ids are fixed: of two nodes that found at once, the second finds the first one's rows
        // in its way, all of them.
        let id = |number| KeyId(Uuid::from_u128(number));
        let wrapping = DataKey::generate(id(1), random);
        let row = |key: DataKey, class, parent, wrapped| SealedKey {
            tenant: SYSTEM,
            key,
            class,
            epoch: 0,
            parent,
            owner: None,
            wrapped,
            created_at: now,
        };
        let own = root.wrap(random, SYSTEM, &wrapping);
        let mut rows = vec![row(wrapping.clone(), KeyClass::Tenant, root.id(), own)];
        let others = [KeyClass::Lookup, KeyClass::Search, KeyClass::Ledger, KeyClass::Settings];
        for (class, number) in others.into_iter().zip(2..) {
            let key = DataKey::generate(id(number), random);
            let wrapped = wrapping.wrap(random, SYSTEM, &key);
            rows.push(row(key, class, wrapping.id(), wrapped));
        }
        let ids: Vec<KeyId> = rows.iter().map(|row| row.key.id()).collect();
        self.store.write_for(None, Arc::new(FoundSystem(rows))).await?;
        // What is remembered of them may be this node's own try, and not what was stored.
        for id in ids {
            self.store.ring().forget(id);
        }
        self.store.tenant_keys(SYSTEM).await.map(|_| ())
    }

    /// Makes this process the node `node`. What an earlier process of that node held (leases of jobs,
    /// requests that it carried out) is void at once; the caller has made sure that it is gone. On
    /// an embedded engine the process before was the only one, and everything held is void.
    ///
    /// Gives how many jobs wait for a worker again.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn serve_as(&self, node: NodeId) -> Result<u64, StoreError> {
        let now = self.store.clock().now();
        self.store.set_node(node);
        self.store.write_for(None, Arc::new(VoidRequests { node, now })).await?;
        self.store.write_for(None, Arc::new(VoidLeases { node, now })).await
    }

    /// The tenants that have a job due at `now`.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn tenants_with_due_jobs(&self, now: Timestamp) -> Result<Vec<TenantId>, StoreError> {
        let mut tenants: Vec<TenantId> =
            self.due_work(now).await?.into_iter().map(|(tenant, _)| tenant).collect();
        // The classes of one tenant stand together.
        tenants.dedup();
        Ok(tenants)
    }

    /// The tenants that have a job due at `now`, each once for every class of work that waits. The
    /// order says nothing: whose turn it is is decided in [`belofte_model::Places`].
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn due_work(&self, now: Timestamp) -> Result<Vec<(TenantId, WorkClass)>, StoreError> {
        self.store.read_for(None, Arc::new(FindDueWork(now))).await
    }

    /// The ids of all tenants, for upkeep that walks through them.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.store.read_for(None, Arc::new(AllTenants)).await
    }

    /// The number of the newest event of each tenant.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn newest_events(&self) -> Result<Vec<(TenantId, i64)>, StoreError> {
        self.store.read_for(None, Arc::new(NewestEvents)).await
    }

    /// Asks both databases a question that costs nothing, whatever they hold.
    ///
    /// # Errors
    /// The engine's errors, when one of them does not answer.
    pub async fn answers(&self) -> Result<(), StoreError> {
        self.store.read_keys(SYSTEM, Ping).await?;
        self.store.read_for(None, Arc::new(Ping)).await
    }

    /// The access of this node's own upkeep for one tenant: index files and the numbers of live
    /// events. It reads to make tokens, and shows nothing to anybody.
    #[must_use]
    pub fn upkeep(&self, tenant: TenantId) -> crate::Access {
        crate::Access::upkeep(tenant, self.store.clock().clone())
    }

    /// Claims at most `limit` due jobs of one tenant, whatever they wait for.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn claim_jobs(
        &self,
        tenant: TenantId,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<ClaimedJob>, StoreError> {
        self.claim(tenant, None, limit, now).await
    }

    /// Claims at most `limit` due jobs of one tenant that are of this class.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn claim_work(
        &self,
        tenant: TenantId,
        class: WorkClass,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<ClaimedJob>, StoreError> {
        self.claim(tenant, Some(class), limit, now).await
    }

    async fn claim(
        &self,
        tenant: TenantId,
        class: Option<WorkClass>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<ClaimedJob>, StoreError> {
        let claim = Claim { tenant, class, limit: i64::from(limit), holder: self.store.node(), now };
        self.store.write_for(Some(tenant), Arc::new(claim)).await
    }
}
