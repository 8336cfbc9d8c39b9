// SPDX-License-Identifier: EUPL-1.2
//! Which upkeep there is and when: every tenant has one sweep and one checkpoint, for ever.
//!
//! Their ids follow from the tenant's, so that nodes that start at once make the same rows.

use std::sync::Arc;

use belofte_model::{Duration, JobId, JobKind, TenantId, Timestamp};
use uuid::Uuid;

use crate::access::ClaimedJob;
use crate::clock::MOST_AHEAD;
use crate::engine::{params, sql};
use crate::{Access, Store, StoreError, SystemTx, Tx, Write};

/// The jobs that every tenant has.
pub(crate) const STANDING: [JobKind; 2] = [JobKind::Checkpoint, JobKind::Sweep];
/// How often each of them runs.
pub(crate) const EVERY: Duration = Duration::from_secs(3_600);

/// The one standing job of `kind` that `tenant` has: the tenant's id with the kind's mark on its
/// last, random byte.
pub(crate) fn standing_job(tenant: TenantId, kind: JobKind) -> JobId {
    let mark: u128 = match kind {
        JobKind::ProcessIntake
        | JobKind::Deliver
        | JobKind::Retrieve
        | JobKind::Reconcile
        | JobKind::Wake
        | JobKind::CheckSigning
        | JobKind::SettleQueue
        | JobKind::RemoveField
        | JobKind::Push => 0,
        JobKind::Checkpoint => 1,
        JobKind::Sweep => 2,
        JobKind::RotateKeys => 3,
    };
    JobId(Uuid::from_u128(tenant.uuid().as_u128() ^ mark))
}

/// Makes the standing jobs of `tenant` that are not there; gives how many were made. Their first
/// runs are spread over the time between two, so that many tenants do not take the same minute.
pub(crate) async fn schedule(tx: &mut Tx<'_>, tenant: TenantId, now: Timestamp) -> Result<u64, StoreError> {
    let [.., last, end] = *tenant.uuid().as_bytes();
    let spread = u64::from(u16::from_be_bytes([last, end])) % EVERY.as_secs();
    let mut made = 0;
    for kind in STANDING {
        made += tx
            .execute(
                sql!(
                    "INSERT INTO job (tenant_id, id, kind, subject_id, state, run_at, attempts, fence, lease_until, \
                     error_code, created_at, changed_at) VALUES ($1, $2, $3, $4, 'ready', $5, 0, 0, NULL, NULL, $6, $6) \
                     ON CONFLICT DO NOTHING"
                ),
                params![
                    tenant,
                    standing_job(tenant, kind),
                    kind.as_str(),
                    tenant.uuid(),
                    now + Duration::from_secs(spread),
                    now
                ],
            )
            .await?;
    }
    Ok(made)
}

/// Brings jobs back to this time that were put off by a clock which was ahead: each is due as long from now as
/// it was from then, and so is the next try of a mail that waits for one. A case is woken at the hour that
/// somebody meant, so its job stays. So does what is ahead by less than a day: another node may hold it, whose clock
/// is the right one.
async fn bring_back(tx: &mut Tx<'_>, tenant: TenantId, now: Timestamp) -> Result<(), StoreError> {
    for text in [
        sql!(
            "UPDATE delivery SET next_try_at = next_try_at - (updated_at - $2), updated_at = $2 WHERE tenant_id = $1 \
             AND state = 'queued' AND updated_at > $3 AND message_id IN (SELECT subject_id FROM job \
             WHERE tenant_id = $1 AND kind = 'deliver')"
        ),
        sql!(
            "UPDATE job SET run_at = run_at - (changed_at - $2), lease_until = lease_until - (changed_at - $2), \
             changed_at = $2 WHERE tenant_id = $1 AND state IN ('ready', 'leased') AND changed_at > $3 AND kind <> 'wake'"
        ),
    ] {
        tx.execute(text, params![tenant, now, now + MOST_AHEAD]).await?;
    }
    Ok(())
}

struct Ensure {
    tenants: Vec<TenantId>,
    now: Timestamp,
}

impl Write for Ensure {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let mut made = 0;
        for tenant in &self.tenants {
            made += schedule(tx, *tenant, self.now).await?;
            bring_back(tx, *tenant, self.now).await?;
        }
        Ok(made)
    }
}

/// Tenants per transaction of [`SystemTx::ensure_upkeep`].
const TENANTS: usize = 100;

impl SystemTx<'_> {
    /// Gives every tenant the upkeep that it lacks, beginning at `now`; gives how many jobs were
    /// made. A new tenant is founded with it; called at every start for those of earlier versions, and
    /// for jobs that a clock which was ahead put off to a time that is far away. Many nodes may call it
    /// at once.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn ensure_upkeep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut made = 0;
        // In one order everywhere, so that nodes which start at once do not lock each other out.
        for tenants in self.tenants().await?.chunks(TENANTS) {
            let ensure = Ensure { tenants: tenants.to_vec(), now };
            made += self.store.write_for(None, Arc::new(ensure)).await?;
        }
        Ok(made)
    }
}

/// Keeps the lease of `job` from `now` on, inside the write of a step of it.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease was lost; the step is undone then.
pub(crate) async fn renew(tx: &mut Tx<'_>, job: &ClaimedJob, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    let until = now + job.kind.lease();
    tx.execute_one(
        sql!(
            "UPDATE job SET lease_until = $4, run_at = $4, changed_at = $5 \
             WHERE tenant_id = $1 AND id = $2 AND fence = $3"
        ),
        params![tenant, job.id, job.fence, until, now],
    )
    .await
}

struct Renew {
    job: ClaimedJob,
    now: Timestamp,
}

impl Write for Renew {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        renew(tx, &self.job, self.now).await
    }
}

/// The lease of long work, renewed between its steps.
pub(crate) struct Lease<'a> {
    pub(crate) store: &'a Store,
    pub(crate) access: &'a Access,
    pub(crate) job: &'a ClaimedJob,
    renewed: Timestamp,
}

impl<'a> Lease<'a> {
    pub(crate) fn new(store: &'a Store, access: &'a Access, job: &'a ClaimedJob) -> Self {
        Self { store, access, job, renewed: access.clock().now() }
    }

    /// Renews the lease when a quarter of it has passed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was lost: another worker does the work now.
    pub(crate) async fn hold(&mut self) -> Result<(), StoreError> {
        let now = self.access.clock().now();
        if now.since(self.renewed) < self.job.kind.lease() / 4 {
            return Ok(());
        }
        self.store.write(self.access, Renew { job: self.job.clone(), now }).await?;
        self.renewed = now;
        Ok(())
    }
}

/// Ends this run of a job; a standing job waits for its next run, any other is gone.
pub(crate) struct Again {
    pub(crate) job: ClaimedJob,
    pub(crate) now: Timestamp,
    pub(crate) pause: Duration,
}

impl Write for Again {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        if self.job.id != standing_job(tenant, self.job.kind) {
            return crate::jobs::finish(tx, &self.job).await;
        }
        tx.execute_one(
            sql!(
                "UPDATE job SET state = 'ready', attempts = 0, error_code = NULL, run_at = $4, lease_until = NULL, \
                 changed_at = $5 WHERE tenant_id = $1 AND id = $2 AND fence = $3"
            ),
            params![tenant, self.job.id, self.job.fence, self.now + self.pause, self.now],
        )
        .await
    }
}
