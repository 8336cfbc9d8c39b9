// SPDX-License-Identifier: EUPL-1.2
//! Intake, the same for every channel: durable before it is acknowledged. What can be filed at once is
//! filed in the write that makes it durable; anything else is spooled first and filed by a job.

use belofte_model::{Duration, EmailAddress, IntakeId, JobKind, MessageId, QuarantineReason, RequestId};
use belofte_store::{
    Access, Arrival, ClaimedJob, FailJob, Filed, IncomingMail, IntakeSource, Quarantine, Receive,
    ResolvedAccount, SealedEnvelope, StoreError,
};

use crate::{Core, Insistence};

/// Why something was not taken in. Whoever sent it keeps it and tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// There is no room for it now.
    #[error("no room")]
    Full,
    /// The store cannot take it now.
    #[error("the store is busy")]
    Busy,
}

/// Something that is durable now.
pub struct Received {
    /// What was taken in.
    pub intake: IntakeId,
    /// The job of filing it, when this process holds its first lease.
    pub job: Option<ClaimedJob>,
}

/// Whose `address` is, compared as a whole; `None` when it is nobody's here.
///
/// # Errors
/// [`StoreError`] when it cannot be told.
pub async fn resolve(core: &Core, address: &EmailAddress) -> Result<Option<ResolvedAccount>, StoreError> {
    core.store.system().resolve_address(address).await
}

/// Makes `raw` durable for `account`. With `lease` the caller promises to file it at once, and no
/// other worker will take it for a minute.
///
/// # Errors
/// [`ReceiveError`]; nothing is stored then.
pub async fn receive(
    core: &Core,
    account: &ResolvedAccount,
    envelope: &SealedEnvelope,
    raw: &[u8],
    lease: bool,
) -> Result<Received, ReceiveError> {
    let access = door(core, account);
    let now = access.clock().now();
    let lease = lease.then(|| now + JobKind::ProcessIntake.lease());
    let stored = async {
        core.indexer.room(&access).await;
        let write = Receive::prepare(&core.store, &access, account, envelope, raw, lease).await?;
        let received = Received { intake: write.intake(), job: write.claimed(&access) };
        core.store.write(&access, write).await?;
        Ok(received)
    };
    stored.await.map_err(|error: StoreError| not_taken(&access, account, &error))
}

/// What became of a mail at the door.
pub enum AtDoor {
    /// It is a message now, and durable; its number.
    Filed(i64),
    /// Nothing was stored: it takes the way over the spool, with [`receive`].
    Spool,
}

/// An access in the name of the channel account that a mail came to.
#[must_use]
pub fn door(core: &Core, account: &ResolvedAccount) -> Access {
    let clock = core.clock().clone();
    let request = RequestId::new(clock.now(), core.random().bytes());
    Access::channel(account, request, clock)
}

/// Files `mail`, whose bytes are `raw`, in the write that makes it durable. When this answers
/// [`AtDoor::Filed`] it may be acknowledged.
///
/// # Errors
/// [`ReceiveError`]; nothing is stored then.
pub async fn file_at_door(
    core: &Core,
    access: &Access,
    account: &ResolvedAccount,
    raw: &[u8],
    mail: &IncomingMail,
) -> Result<AtDoor, ReceiveError> {
    core.indexer.room(access).await;
    let filed = async {
        let arrival = Arrival::seal(&core.store, access, account, raw).await?;
        core.store.file_at_door(access, &arrival, mail).await
    };
    match filed.await {
        Ok(Some(Filed::Message { no, .. })) => {
            core.indexer.wake(access.tenant());
            metrics::counter!("belofte_intake_total", "outcome" => "imported").increment(1);
            Ok(AtDoor::Filed(no))
        }
        Ok(_) => Ok(AtDoor::Spool),
        Err(error) => Err(not_taken(access, account, &error)),
    }
}

/// Logs why a mail was not taken in, and gives what its sender is told.
fn not_taken(access: &Access, account: &ResolvedAccount, error: &StoreError) -> ReceiveError {
    tracing::warn!(request = %access.request(), account = %account.id, error = %error, "a mail was not taken in");
    if matches!(error, StoreError::Full) { ReceiveError::Full } else { ReceiveError::Busy }
}

/// The mail that `job` is to file; `None` when it was filed already (the job is ended then).
///
/// # Errors
/// The store's errors.
pub async fn open(core: &Core, job: &ClaimedJob) -> Result<Option<(Access, IntakeSource)>, StoreError> {
    let access = Access::job(job, core.clock().clone());
    match core.store.intake_source(&access, IntakeId(job.subject)).await {
        Ok(source) => Ok(Some((access, source))),
        Err(StoreError::KeyGone(_) | StoreError::NotFound) => {
            core.store.write(&access, belofte_store::FinishJob(job.clone())).await?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Files `mail` into a conversation.
///
/// # Errors
/// The store's errors.
pub async fn file(
    core: &Core,
    access: &Access,
    job: &ClaimedJob,
    source: &IntakeSource,
    mail: &IncomingMail,
) -> Result<Filed, StoreError> {
    let filed = core.store.file(access, job, source, mail).await?;
    core.indexer.wake(access.tenant());
    let outcome = match filed {
        Filed::Message { .. } => "imported",
        // Nothing was done yet.
        Filed::Known(_) => return Ok(filed),
        Filed::Erased => "erased",
    };
    metrics::counter!("belofte_intake_total", "outcome" => outcome).increment(1);
    Ok(filed)
}

/// Ends the filing of a mail that is a copy of `message`.
///
/// # Errors
/// The store's errors.
pub async fn file_copy(
    core: &Core,
    access: &Access,
    job: &ClaimedJob,
    source: &IntakeSource,
    message: MessageId,
) -> Result<(), StoreError> {
    core.store.file_copy(access, job, source, message).await?;
    metrics::counter!("belofte_intake_total", "outcome" => "duplicate").increment(1);
    Ok(())
}

/// Sets a mail aside where the tenant sees it.
///
/// # Errors
/// The store's errors.
pub async fn quarantine(
    core: &Core,
    access: &Access,
    job: &ClaimedJob,
    reason: QuarantineReason,
) -> Result<(), StoreError> {
    set_aside(core, access, job, reason, None).await
}

/// Sets a mail aside in which a scanner found something, by the name of its signature.
///
/// # Errors
/// The store's errors.
pub async fn quarantine_infected(
    core: &Core,
    access: &Access,
    job: &ClaimedJob,
    signature: String,
) -> Result<(), StoreError> {
    set_aside(core, access, job, QuarantineReason::Malware, Some(signature)).await
}

async fn set_aside(
    core: &Core,
    access: &Access,
    job: &ClaimedJob,
    reason: QuarantineReason,
    signature: Option<String>,
) -> Result<(), StoreError> {
    let (now, intake) = (access.clock().now(), IntakeId(job.subject));
    core.store.write(access, Quarantine { job: job.clone(), intake, reason, signature, now }).await?;
    metrics::counter!("belofte_intake_total", "outcome" => "quarantined").increment(1);
    Ok(())
}

/// Puts a job back that waits for something outside: not its own fault, unless it `counts`.
///
/// # Errors
/// The store's errors.
pub async fn put_off(
    core: &Core,
    access: &Access,
    job: &ClaimedJob,
    code: &'static str,
    retry_in: Duration,
    counts: bool,
) -> Result<(), StoreError> {
    let now = access.clock().now();
    core.store.write(access, FailJob { job: job.clone(), code, retry_in, now, counts }).await.map(drop)
}

/// Puts a job back after `error`. A full disk and a lost lease are not the job's fault and do not
/// count towards the dead letters; a mail that fails for good is quarantined instead.
pub async fn retry_later(core: &Core, job: &ClaimedJob, error: &StoreError) {
    let access = Access::job(job, core.clock().clone());
    let (code, counts) = match error {
        StoreError::Full => ("storage_full", false),
        StoreError::Busy => ("busy", false),
        StoreError::Conflict => ("conflict", true),
        StoreError::KeyGone(_) => ("key_gone", true),
        StoreError::Vault(_) => ("seal_broken", true),
        StoreError::NotFound => ("not_found", true),
        _ => ("store_failed", true),
    };
    tracing::warn!(job = %job.id, kind = job.kind.as_str(), code, error = %error, "a job failed");
    let last = counts && job.attempts + 1 >= job.kind.max_attempts();
    let mut insistence = Insistence::new(core, job);
    loop {
        let put_back = if last && job.kind == JobKind::ProcessIntake {
            quarantine(core, &access, job, QuarantineReason::ProcessingFailed).await
        } else {
            let retry_in = Duration::from_secs(2 << job.attempts.min(8));
            let now = access.clock().now();
            let fail = FailJob { job: job.clone(), code, retry_in, now, counts };
            core.store.write(&access, fail).await.map(drop)
        };
        let Err(error) = put_back else { return };
        if !insistence.again(&error).await {
            // The lease ends by itself and the job is taken again.
            tracing::warn!(job = %job.id, error = %error, "a failed job waits for the end of its lease");
            return;
        }
    }
}
