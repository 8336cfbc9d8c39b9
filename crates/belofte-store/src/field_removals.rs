// SPDX-License-Identifier: EUPL-1.2
//! What becomes of a field that was removed: all that stands in it goes, in small steps that each stand by themselves,
//! and then the field itself. The job has the id of its field.

use belofte_model::{FieldId, RecordKind, Timestamp};

use crate::access::ClaimedJob;
use crate::engine::{params, sql};
use crate::{Access, Read, Store, StoreError, Tx, Write, jobs};

/// So many values go in one write: it holds up others meanwhile.
const STEP: i64 = 500;
/// After so many steps the job lets others have its place.
const STEPS: usize = 40;

/// Has all that stands in `field` removed from now on.
pub(crate) async fn begin(tx: &mut Tx<'_>, field: FieldId, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!(
            "INSERT INTO job (tenant_id, id, kind, subject_id, state, run_at, attempts, fence, lease_until, error_code, \
             created_at, changed_at) VALUES ($1, $2, 'remove_field', $2, 'ready', $3, 0, 0, NULL, NULL, $3, $3) \
             ON CONFLICT DO NOTHING"
        ),
        params![tenant, field, now],
    )
    .await
    .map(drop)
}

/// Whether anything stands in `field`; asks one index.
pub(crate) async fn holds_any(
    tx: &mut Tx<'_>,
    record: RecordKind,
    field: FieldId,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant();
    let text = match record {
        RecordKind::Contact => {
            sql!("SELECT version FROM contact_field_value WHERE tenant_id = $1 AND field_id = $2 LIMIT 1")
        }
        RecordKind::Conversation => {
            sql!(
                "SELECT version FROM conversation_field_value WHERE tenant_id = $1 AND field_id = $2 LIMIT 1"
            )
        }
    };
    Ok(tx.query_opt(text, params![tenant, field], |row| row.int(0)).await?.is_some())
}

/// What a removed field is on; none when it is gone, or was never removed.
struct Removed(FieldId);

impl Read for Removed {
    type Out = Option<RecordKind>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_opt(
            sql!("SELECT record_kind FROM field WHERE tenant_id = $1 AND id = $2 AND removed_at IS NOT NULL"),
            params![tenant, self.0],
            |row| row.name(0, RecordKind::parse),
        )
        .await
    }
}

struct Step {
    job: ClaimedJob,
    field: FieldId,
    record: RecordKind,
    now: Timestamp,
}

impl Write for Step {
    /// Whether there may be more.
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        let text = match self.record {
            RecordKind::Contact => sql!(
                "DELETE FROM contact_field_value WHERE tenant_id = $1 AND field_id = $2 AND contact_id IN \
                 (SELECT contact_id FROM contact_field_value WHERE tenant_id = $1 AND field_id = $2 \
                 ORDER BY contact_id LIMIT $3)"
            ),
            RecordKind::Conversation => sql!(
                "DELETE FROM conversation_field_value WHERE tenant_id = $1 AND field_id = $2 AND conversation_id IN \
                 (SELECT conversation_id FROM conversation_field_value WHERE tenant_id = $1 AND field_id = $2 \
                 ORDER BY conversation_id LIMIT $3)"
            ),
        };
        tx.execute(text, params![tenant, self.field, STEP]).await?;
        if holds_any(tx, self.record, self.field).await? {
            jobs::go_on(tx, &self.job, self.now).await?;
            return Ok(true);
        }
        tx.execute(
            sql!("DELETE FROM field WHERE tenant_id = $1 AND id = $2 AND removed_at IS NOT NULL"),
            params![tenant, self.field],
        )
        .await?;
        jobs::finish(tx, &self.job).await?;
        Ok(false)
    }
}

/// Puts a job back that has had its turn.
struct Later(ClaimedJob, Timestamp);

impl Write for Later {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        jobs::wait_until(tx, &self.0, self.1, self.1).await
    }
}

/// Removes what stands in the field of `job`, and ends the job or puts it back.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease was lost; the engine's errors. Steps that were taken stand.
pub(crate) async fn run(store: &Store, access: &Access, job: &ClaimedJob) -> Result<(), StoreError> {
    let field = FieldId(job.subject);
    let Some(record) = store.read(access, Removed(field)).await? else {
        return store.write(access, crate::FinishJob(job.clone())).await;
    };
    for _ in 0..STEPS {
        let now = access.clock().now();
        if !store.write(access, Step { job: job.clone(), field, record, now }).await? {
            return Ok(());
        }
    }
    store.write(access, Later(job.clone(), access.clock().now())).await
}
