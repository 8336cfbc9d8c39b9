// SPDX-License-Identifier: EUPL-1.2
//! The worker: claims due jobs, tenant by tenant, and hands each to the room that does it.

use std::sync::Arc;
use std::time::Duration;

use belofte_channels::dns::Dns;
use belofte_channels::email::deliver::{Delivering, deliver};
use belofte_channels::email::reconcile::reconcile;
use belofte_channels::email::retrieve::{Retrieving, retrieve};
use belofte_channels::email::signing_record::check;
use belofte_channels::push::{Pushing, push};
use belofte_core::{Core, Trouble};
use belofte_model::JobKind;
use belofte_store::{Access, ClaimedJob, StoreError};
use tokio::sync::Semaphore;

/// Jobs that run at once.
const PLACES: usize = 16;
/// Jobs of one tenant that are claimed before another tenant has its turn.
const TURN: u32 = 4;
/// How often due jobs are looked for.
const POLL: Duration = Duration::from_millis(100);

/// Runs until the core's shutdown; jobs under way are finished, others keep for the next start.
pub async fn run(core: Core, delivering: Delivering, retrieving: Retrieving, dns: Dns, pushing: Pushing) {
    let places = Arc::new(Semaphore::new(PLACES));
    let mut trouble = Trouble::default();
    while !core.shutdown.is_cancelled() {
        match turn(&core, (&delivering, &retrieving, &dns, &pushing), &places).await {
            Ok(claimed) => {
                if trouble.over() {
                    tracing::info!("jobs can be claimed again");
                }
                // There may be more: look again at once.
                if claimed > 0 {
                    continue;
                }
            }
            Err(error) => {
                if trouble.met(&error, core.clock().now()) {
                    tracing::warn!(error = %error, "jobs cannot be claimed; tried again all the time");
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = core.shutdown.cancelled() => {}
        }
    }
}

/// One turn around all tenants that have work.
async fn turn(
    core: &Core,
    (delivering, retrieving, dns, pushing): (&Delivering, &Retrieving, &Dns, &Pushing),
    places: &Arc<Semaphore>,
) -> Result<usize, StoreError> {
    let now = core.clock().now();
    let mut claimed = 0;
    for tenant in core.store.system().tenants_with_due_jobs(now).await? {
        let free = u32::try_from(places.available_permits()).unwrap_or(TURN).min(TURN);
        if free == 0 || core.shutdown.is_cancelled() {
            break;
        }
        for job in core.store.system().claim_jobs(tenant, free, now).await? {
            claimed += 1;
            let Ok(place) = Arc::clone(places).acquire_owned().await else { return Ok(claimed) };
            let core = core.clone();
            if job.kind == JobKind::Retrieve {
                // It lasts as long as the mailbox is read, and waits nearly all the time.
                drop(place);
                let retrieving = retrieving.clone();
                core.tasks.clone().spawn(async move { retrieve(&core, &retrieving, &job).await });
                continue;
            }
            let (delivering, retrieving, dns) = (delivering.clone(), retrieving.clone(), dns.clone());
            let pushing = pushing.clone();
            core.tasks.clone().spawn(async move {
                let _place = place;
                work(&core, (&delivering, &retrieving, &dns, &pushing), &job).await;
            });
        }
    }
    Ok(claimed)
}

async fn work(
    core: &Core,
    (delivering, retrieving, dns, pushing): (&Delivering, &Retrieving, &Dns, &Pushing),
    job: &ClaimedJob,
) {
    if job.attempts >= job.kind.max_attempts() {
        // Every process that worked at it ended before it did. The house stands; the job is set aside.
        let error = StoreError::Inconsistent { what: "a job at which process after process has ended" };
        return belofte_core::retry_later(core, job, &error).await;
    }
    match job.kind {
        JobKind::ProcessIntake => retrieving.processing.process(job).await,
        JobKind::Deliver => deliver(core, delivering, job).await,
        JobKind::Reconcile => reconcile(core, retrieving, job).await,
        JobKind::CheckSigning => check(core, dns, job).await,
        JobKind::Push => push(core, pushing, job).await,
        // Begun apart from the others.
        JobKind::Retrieve => {}
        JobKind::Checkpoint | JobKind::RotateKeys | JobKind::Sweep | JobKind::Wake | JobKind::SettleQueue => {
            let access = Access::job(job, core.clock().clone());
            if let Err(error) = core.store.upkeep(&access, job).await {
                belofte_core::retry_later(core, job, &error).await;
            }
        }
    }
}
