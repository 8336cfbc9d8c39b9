// SPDX-License-Identifier: EUPL-1.2
//! Work across tenants: a short list, each with its reason. Everything else goes through an
//! [`Access`](crate::Access).

use std::sync::Arc;

use belofte_model::{TenantId, Timestamp};

use crate::access::ClaimedJob;
use crate::engine::{params, sql};
use crate::jobs::Claim;
use crate::{Read, Store, StoreError, Tx};

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

struct TenantsWithDueJobs(Timestamp);

impl Read for TenantsWithDueJobs {
    type Out = Vec<TenantId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query(
            sql!(
                "SELECT t.id FROM tenant t WHERE EXISTS (SELECT 1 FROM job j WHERE j.tenant_id = t.id \
                 AND j.state IN ('ready', 'leased') AND j.run_at <= $1)"
            ),
            params![self.0],
            |row| row.id(0),
        )
        .await
    }
}

struct AllTenants;

impl Read for AllTenants {
    type Out = Vec<TenantId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query(sql!("SELECT id FROM tenant ORDER BY id"), params![], |row| row.id(0)).await
    }
}

impl SystemTx<'_> {
    /// The tenants that have a job due at `now`.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn tenants_with_due_jobs(&self, now: Timestamp) -> Result<Vec<TenantId>, StoreError> {
        self.store.read_for(None, Arc::new(TenantsWithDueJobs(now))).await
    }

    /// The ids of all tenants, for upkeep that walks through them.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.store.read_for(None, Arc::new(AllTenants)).await
    }

    /// Claims at most `limit` due jobs of one tenant.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn claim_jobs(
        &self,
        tenant: TenantId,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<ClaimedJob>, StoreError> {
        self.store.write_for(Some(tenant), Arc::new(Claim { tenant, limit: i64::from(limit), now })).await
    }
}
