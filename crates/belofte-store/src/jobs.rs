// SPDX-License-Identifier: EUPL-1.2
//! Jobs: enqueued in the write that needs them, claimed under a lease with a fencing token.
//!
//! A worker whose lease ran out may still be working. Its last write names the fence of its
//! lease, finds another one in the row, and fails as a whole.

use belofte_model::{
    ChannelAccountId, ConversationId, Duration, JobId, JobKind, JobState, MessageId, NodeId, QueueId,
    TenantId, Timestamp, Use, Visible, WorkClass,
};
use uuid::Uuid;

use crate::access::ClaimedJob;
use crate::engine::{params, sql};
use crate::visibility;
use crate::{Access, Rows, Store, StoreError, Tx, Write};

/// A job to be enqueued by a write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewJob {
    pub(crate) id: JobId,
    pub(crate) kind: JobKind,
    pub(crate) subject: Uuid,
    pub(crate) run_at: Timestamp,
    /// When set, the process that enqueues the job holds this first lease, and needs no claim: the
    /// way of a mail from the socket into its conversation without a detour.
    pub(crate) lease: Option<Lease>,
}

/// A lease that comes with a new job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    /// When it ends by itself.
    pub(crate) until: Timestamp,
    /// The node that holds it, when this process serves as one.
    pub(crate) holder: Option<NodeId>,
}

impl NewJob {
    pub(crate) async fn enqueue(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let (state, fence) =
            if self.lease.is_some() { (JobState::Leased, 1_i64) } else { (JobState::Ready, 0) };
        tx.late(
            sql!(
                "INSERT INTO job (tenant_id, id, kind, subject_id, state, run_at, attempts, fence, lease_until, \
                 error_code, created_at, changed_at, holder) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, NULL, $9, $9, $10)"
            ),
            params![
                tenant,
                self.id,
                self.kind.as_str(),
                self.subject,
                state.as_str(),
                self.lease.map_or(self.run_at, |lease| lease.until),
                fence,
                self.lease.map(|lease| lease.until),
                now,
                self.lease.and_then(|lease| lease.holder)
            ],
            Rows::Any,
        )
        .await
    }

    /// The claim that comes with a first lease.
    pub(crate) const fn claimed(&self, tenant: TenantId) -> ClaimedJob {
        ClaimedJob { tenant, id: self.id, kind: self.kind, subject: self.subject, attempts: 0, fence: 1 }
    }
}

/// Ends a job inside the write that is its result.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease was lost, which may come out only after the body has
/// ended.
pub(crate) async fn finish(tx: &mut Tx<'_>, job: &ClaimedJob) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.late(
        sql!("DELETE FROM job WHERE tenant_id = $1 AND id = $2 AND fence = $3"),
        params![tenant, job.id, job.fence],
        Rows::One,
    )
    .await
}

/// Proves that the lease of `job` is held, and keeps it until COMMIT: whoever else would change
/// the job waits.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease was lost.
pub(crate) async fn hold(tx: &mut Tx<'_>, job: &ClaimedJob, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute_one(
        sql!("UPDATE job SET changed_at = $4 WHERE tenant_id = $1 AND id = $2 AND fence = $3"),
        params![tenant, job.id, job.fence, now],
    )
    .await
}

/// Keeps the lease of a job that goes on.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease was lost.
pub(crate) async fn go_on(tx: &mut Tx<'_>, job: &ClaimedJob, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute_one(
        sql!(
            "UPDATE job SET attempts = 0, run_at = $4, lease_until = $4, changed_at = $5 \
             WHERE tenant_id = $1 AND id = $2 AND fence = $3"
        ),
        params![tenant, job.id, job.fence, now + job.kind.lease(), now],
    )
    .await
}

/// Puts a job back that did what it could, to run again at `at`.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease was lost.
pub(crate) async fn wait_until(
    tx: &mut Tx<'_>,
    job: &ClaimedJob,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute_one(
        sql!(
            "UPDATE job SET state = 'ready', attempts = 0, run_at = $4, lease_until = NULL, changed_at = $5 \
             WHERE tenant_id = $1 AND id = $2 AND fence = $3"
        ),
        params![tenant, job.id, job.fence, at, now],
    )
    .await
}

/// Has `message` sent from `now` on, by the one job that it has: a second would race the first for
/// the same recipients. While a worker holds that job it stays with the worker, whose last write
/// finds who waits by then. Without one, `id` is the job.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody else made the job at the same moment.
pub(crate) async fn deliver_now(
    tx: &mut Tx<'_>,
    id: JobId,
    message: MessageId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    let there = tx
        .execute(
            sql!(
                "UPDATE job SET run_at = CASE WHEN state = 'leased' THEN run_at ELSE $3 END, \
                 attempts = CASE WHEN state = 'leased' THEN attempts ELSE 0 END, \
                 state = CASE WHEN state = 'leased' THEN 'leased' ELSE 'ready' END, changed_at = $3 \
                 WHERE tenant_id = $1 AND subject_id = $2 AND kind = 'deliver'"
            ),
            params![tenant, message, now],
        )
        .await?;
    if there > 0 {
        return Ok(());
    }
    tx.execute_one(
        sql!(
            "INSERT INTO job (tenant_id, id, kind, subject_id, state, run_at, attempts, fence, lease_until, \
             error_code, created_at, changed_at) VALUES ($1, $2, 'deliver', $3, 'ready', $4, 0, 0, NULL, NULL, $4, $4) \
             ON CONFLICT DO NOTHING"
        ),
        params![tenant, id, message, now],
    )
    .await
}

/// Ends a job that needs no other write.
pub struct FinishJob(pub ClaimedJob);

impl Write for FinishJob {
    type Out = ();
    // A job of any purpose.
    const USE: Option<Use> = None;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        finish(tx, &self.0).await
    }
}

/// The name of the class of a job, in SQL.
macro_rules! class {
    () => {
        "CASE WHEN kind IN ('deliver', 'reconcile') THEN 'outside' ELSE 'inside' END"
    };
}

/// Whether the tenant `t` has a job due at `$1`, in SQL; of one class when that is named.
macro_rules! has_due {
    () => {
        "EXISTS (SELECT 1 FROM job j WHERE j.tenant_id = t.id AND j.state IN ('ready', 'leased') AND j.run_at <= $1)"
    };
    ($class:literal) => {
        concat!(
            "CASE WHEN EXISTS (SELECT 1 FROM job j WHERE j.tenant_id = t.id AND j.state IN ('ready', 'leased') \
             AND j.run_at <= $1 AND ",
            class!(),
            " = '",
            $class,
            "') THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END"
        )
    };
}

/// Finds the tenants that have a job due, and of which classes. The classes are looked at for those alone.
pub(crate) struct FindDueWork(pub(crate) Timestamp);

impl crate::Read for FindDueWork {
    type Out = Vec<(TenantId, WorkClass)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let due = sql!(concat!(
            "SELECT t.id, ",
            has_due!("inside"),
            ", ",
            has_due!("outside"),
            " FROM tenant t WHERE ",
            has_due!()
        ));
        let classes = [WorkClass::Inside, WorkClass::Outside];
        let read = |row: &crate::Row<'_>| Ok((row.id(0)?, [row.bool(1)?, row.bool(2)?]));
        let found: Vec<(TenantId, [bool; 2])> = tx.query(due, params![self.0], read).await?;
        let pairs = found.into_iter().flat_map(|(tenant, waits)| {
            let named = classes.into_iter().zip(waits).filter(|(_, waits)| *waits);
            named.map(move |(class, _)| (tenant, class))
        });
        Ok(pairs.collect())
    }
}

/// Claims jobs of one tenant that are due, or whose lease ran out. Claiming tenant by tenant, a
/// few at a time, is what keeps one tenant's flood from delaying the others.
pub(crate) struct Claim {
    pub(crate) tenant: TenantId,
    /// Jobs of this class alone.
    pub(crate) class: Option<WorkClass>,
    pub(crate) limit: i64,
    pub(crate) holder: Option<NodeId>,
    pub(crate) now: Timestamp,
}

impl Write for Claim {
    type Out = Vec<ClaimedJob>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        // A leased job stands in the same index with the end of its lease as its time.
        let due = if tx.is_postgres() {
            sql!(concat!(
                "SELECT id, kind, subject_id, attempts, fence FROM job WHERE tenant_id = $1 \
                 AND state IN ('ready', 'leased') AND run_at <= $2 AND $4 IN ('any', ",
                class!(),
                ") ORDER BY run_at, id LIMIT $3 FOR UPDATE SKIP LOCKED"
            ))
        } else {
            sql!(concat!(
                "SELECT id, kind, subject_id, attempts, fence FROM job WHERE tenant_id = $1 \
                 AND state IN ('ready', 'leased') AND run_at <= $2 AND $4 IN ('any', ",
                class!(),
                ") ORDER BY run_at, id LIMIT $3"
            ))
        };
        let (tenant, class) = (self.tenant, self.class.map_or("any", WorkClass::as_str));
        let mut claimed = tx
            .query(due, params![tenant, self.now, self.limit, class], |row| {
                Ok(ClaimedJob {
                    tenant,
                    id: row.id(0)?,
                    kind: row.name(1, JobKind::parse)?,
                    subject: row.uuid(2)?,
                    attempts: u32::try_from(row.int(3)?).unwrap_or(u32::MAX),
                    fence: row.int(4)?,
                })
            })
            .await?;
        for job in &mut claimed {
            let until = self.now + job.kind.lease();
            job.fence += 1;
            tx.execute_one(
                sql!(
                    "UPDATE job SET state = 'leased', fence = $3, lease_until = $4, run_at = $4, changed_at = $5, \
                     holder = $6 WHERE tenant_id = $1 AND id = $2"
                ),
                params![tenant, job.id, job.fence, until, self.now, self.holder],
            )
            .await?;
        }
        Ok(claimed)
    }
}

/// Makes the leases of a node void whose process is gone, and gives their number. Each counts as a
/// failure: work that takes the process down with it must not do so for ever.
pub(crate) struct VoidLeases {
    /// The node; on an embedded engine, which one process serves at a time, every lease is meant.
    pub(crate) node: NodeId,
    pub(crate) now: Timestamp,
}

impl Write for VoidLeases {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        if tx.is_postgres() {
            return tx
                .execute(
                    sql!(
                        "UPDATE job SET state = 'ready', attempts = attempts + 1, run_at = $2, lease_until = NULL, \
                         holder = NULL, changed_at = $2 WHERE state = 'leased' AND holder = $1"
                    ),
                    params![self.node, self.now],
                )
                .await;
        }
        tx.execute(
            sql!(
                "UPDATE job SET state = 'ready', attempts = attempts + 1, run_at = $1, lease_until = NULL, \
                 holder = NULL, changed_at = $1 WHERE state = 'leased'"
            ),
            params![self.now],
        )
        .await
    }
}

/// Puts a job back after a failure: later, or among the dead letters when it failed too often.
pub struct FailJob {
    /// The job.
    pub job: ClaimedJob,
    /// A stable code of what went wrong, never a value.
    pub code: &'static str,
    /// When to try again.
    pub retry_in: Duration,
    /// The present time.
    pub now: Timestamp,
    /// Whether this failure counts towards the dead letters; a full disk does not.
    pub counts: bool,
}

impl Write for FailJob {
    type Out = JobState;
    // A job of any purpose.
    const USE: Option<Use> = None;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<JobState, StoreError> {
        let tenant = tx.tenant();
        let attempts = self.job.attempts + u32::from(self.counts);
        let state = if attempts >= self.job.kind.max_attempts() { JobState::Dead } else { JobState::Ready };
        tx.execute_one(
            sql!(
                "UPDATE job SET state = $4, attempts = $5, error_code = $6, run_at = $7, lease_until = NULL, \
                 changed_at = $8 WHERE tenant_id = $1 AND id = $2 AND fence = $3"
            ),
            params![
                tenant,
                self.job.id,
                self.job.fence,
                state.as_str(),
                attempts,
                self.code,
                self.now + self.retry_in,
                self.now
            ],
        )
        .await?;
        Ok(state)
    }
}

/// A job that failed for good.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// The job.
    pub id: JobId,
    /// What was to be done.
    pub kind: JobKind,
    /// To what.
    pub subject: Uuid,
    /// When it failed the last time.
    pub failed_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// The code of the last failure.
    pub code: Option<String>,
}

/// The dead letters of a tenant, newest first.
pub(crate) struct DeadLetters {
    pub(crate) visible: Visible,
}

/// Whether `visible` sees what the job of a dead letter was to do something to.
async fn sees_subject(tx: &mut Tx<'_>, visible: &Visible, letter: &DeadLetter) -> Result<bool, StoreError> {
    if visible.sees_all_cases() {
        return Ok(true);
    }
    let tenant = tx.tenant();
    match letter.kind {
        JobKind::ProcessIntake => {
            let text = sql!("SELECT account_id FROM intake WHERE tenant_id = $1 AND id = $2");
            let account = tx.query_opt(text, params![tenant, letter.subject], |row| row.id(0)).await?;
            Ok(account.is_some_and(|account| visible.channels.contains(&account)))
        }
        JobKind::Deliver | JobKind::Reconcile => {
            let text = sql!(
                "SELECT conversation_id, channel_account_id FROM message WHERE tenant_id = $1 AND id = $2"
            );
            let read = |row: &crate::Row<'_>| Ok((row.id(0)?, row.opt_id(1)?));
            match tx.query_opt(text, params![tenant, letter.subject], read).await? {
                Some((case, account)) => {
                    Ok(visible.sees_message(account) && visibility::sees_case(tx, visible, case).await?)
                }
                None => Ok(false),
            }
        }
        JobKind::Wake => visibility::sees_case(tx, visible, ConversationId(letter.subject)).await,
        JobKind::SettleQueue => Ok(visible.queues.contains(&QueueId(letter.subject))),
        JobKind::RemoveField => Ok(true),
        JobKind::Retrieve => Ok(visible.channels.contains(&ChannelAccountId(letter.subject))),
        JobKind::Checkpoint | JobKind::RotateKeys | JobKind::Sweep => Ok(true),
        // They never become one.
        JobKind::CheckSigning | JobKind::Push => Ok(false),
    }
}

impl crate::Read for DeadLetters {
    type Out = Vec<DeadLetter>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let letters = tx
            .query(
                sql!(
                    "SELECT id, kind, subject_id, changed_at, attempts, error_code FROM job \
                 WHERE tenant_id = $1 AND state = 'dead' ORDER BY changed_at DESC, id LIMIT 200"
                ),
                params![tenant],
                |row| {
                    Ok(DeadLetter {
                        id: row.id(0)?,
                        kind: row.name(1, JobKind::parse)?,
                        subject: row.uuid(2)?,
                        failed_at: row.time(3)?,
                        attempts: u32::try_from(row.int(4)?).unwrap_or(u32::MAX),
                        code: row.opt_text(5)?,
                    })
                },
            )
            .await?;
        let mut seen = Vec::with_capacity(letters.len());
        for letter in letters {
            if sees_subject(tx, &self.visible, &letter).await? {
                seen.push(letter);
            }
        }
        Ok(seen)
    }
}

impl Store {
    /// The jobs that failed for good, as far as `access` can see what they were about, newest first.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn dead_letters(&self, access: &Access) -> Result<Vec<DeadLetter>, StoreError> {
        access.to(Use::Account)?;
        self.read(access, DeadLetters { visible: access.visible().clone() }).await
    }
}

/// Tries a dead letter again, from the beginning.
pub struct ReviveJob {
    /// The job.
    pub id: JobId,
    /// The present time.
    pub now: Timestamp,
}

impl Write for ReviveJob {
    type Out = ();
    const USE: Option<Use> = Some(Use::Account);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let revived = tx
            .execute(
                sql!(
                    "UPDATE job SET state = 'ready', attempts = 0, run_at = $3, changed_at = $3 \
                     WHERE tenant_id = $1 AND id = $2 AND state = 'dead'"
                ),
                params![tenant, self.id, self.now],
            )
            .await?;
        if revived == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }
}
