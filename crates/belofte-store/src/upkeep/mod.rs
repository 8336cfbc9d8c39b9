// SPDX-License-Identifier: EUPL-1.2
//! Upkeep: work that nobody asks for. Checkpoints of the ledger, sweeps of what nothing refers to
//! or what has ended by itself, the rotation of keys, and cases whose time has come.

pub(crate) mod lineage;
mod rotation;
pub(crate) mod schedule;
pub(crate) mod sweep;

use belofte_model::{Duration, JobKind, Use};

pub use lineage::{Doubt, TenantDoubt};
pub use rotation::RotationProgress;

use crate::access::ClaimedJob;
use crate::conversation_changes::Wake;
use crate::{Access, Store, StoreError, field_removals, queue_archives};
use schedule::{Again, EVERY};

/// A sweep that left something goes on after this pause.
const SOON: Duration = Duration::from_secs(60);

impl Store {
    /// Does the upkeep that `job` names and ends it, or puts it back for its next run.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the lease was lost (another worker does the work then);
    /// [`StoreError::Inconsistent`] for a job that is no upkeep or when stored data are not what
    /// they were; the engine's errors. The job is not ended then.
    pub async fn upkeep(&self, access: &Access, job: &ClaimedJob) -> Result<(), StoreError> {
        access.to(Use::Maintain)?;
        let pause = match job.kind {
            JobKind::Checkpoint => {
                self.make_checkpoint(access).await?;
                EVERY
            }
            JobKind::Sweep => {
                if sweep::run(self, access, job).await? {
                    EVERY
                } else {
                    SOON
                }
            }
            JobKind::Wake => return self.write(access, Wake::prepare(self, access, job)).await,
            JobKind::SettleQueue => return queue_archives::run(self, access, job).await,
            JobKind::RemoveField => return field_removals::run(self, access, job).await,
            JobKind::RotateKeys => return rotation::run(self, access, job).await,
            JobKind::ProcessIntake
            | JobKind::Deliver
            | JobKind::Retrieve
            | JobKind::Reconcile
            | JobKind::CheckSigning
            | JobKind::Push => {
                return Err(StoreError::Inconsistent { what: "a job came to the wrong room" });
            }
        };
        let now = access.clock().now();
        self.write(access, Again { job: job.clone(), now, pause }).await
    }
}
