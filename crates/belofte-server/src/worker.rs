// SPDX-License-Identifier: EUPL-1.2
//! The worker: claims due jobs, tenant by tenant, and hands each to the room that does it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use belofte_channels::dns::Dns;
use belofte_channels::email::deliver::{Delivering, deliver};
use belofte_channels::email::reconcile::reconcile;
use belofte_channels::email::retrieve::{Retrieving, retrieve};
use belofte_channels::email::signing_record::check;
use belofte_channels::push::{Pushing, push};
use belofte_core::{Core, Trouble};
use belofte_model::{JobKind, Places, TenantId, Turn, WorkClass};
use belofte_store::{Access, ClaimedJob, StoreError};

/// Jobs of one class that run at once. One tenant comes to half of them (decision 43).
const PLACES: u32 = 32;
/// Rounds between two looks at who has work, at most.
const ROUNDS: usize = 16;
/// How often due jobs are looked for.
const POLL: Duration = Duration::from_millis(100);

/// What the work takes.
#[derive(Clone)]
struct Tools {
    delivering: Delivering,
    retrieving: Retrieving,
    dns: Dns,
    pushing: Pushing,
}

/// The places of this process for one class of work. Clones share them.
#[derive(Clone)]
struct Room {
    class: WorkClass,
    places: Arc<Mutex<Places>>,
}

/// A place that a job of `tenant` holds until this is dropped, however the job ends.
struct Place {
    room: Room,
    tenant: TenantId,
}

impl Room {
    fn new(class: WorkClass) -> Self {
        Self { class, places: Arc::new(Mutex::new(Places::new(PLACES))) }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By itself, so that nothing is locked while the turn is made use of.
    fn next_turn(&self) -> Option<Turn> {
        self.places().next_turn()
    }

    fn take(&self, tenant: TenantId) -> Place {
        self.places().take(tenant);
        Place { room: self.clone(), tenant }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.places().give_back(self.tenant);
    }
}

/// Runs until the core's shutdown; jobs under way are finished, others keep for the next start.
pub async fn run(core: Core, delivering: Delivering, retrieving: Retrieving, dns: Dns, pushing: Pushing) {
    let tools = Tools { delivering, retrieving, dns, pushing };
    let rooms = [WorkClass::Inside, WorkClass::Outside].map(Room::new);
    let mut trouble = Trouble::default();
    while !core.shutdown.is_cancelled() {
        match look(&core, &tools, &rooms).await {
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

/// Looks who has work, and goes round among them while somebody finds more than its turn allows. A look goes through a
/// backlog for what it may hide, so that it is not taken before every few jobs.
async fn look(core: &Core, tools: &Tools, rooms: &[Room]) -> Result<usize, StoreError> {
    let mut due = core.store.system().due_work(core.clock().now()).await?;
    let (mut claimed, mut failed) = (0, None);
    for _ in 0..ROUNDS {
        let before = claimed;
        for room in rooms {
            let waiting = due.iter().filter(|(_, class)| *class == room.class).map(|(tenant, _)| *tenant);
            room.places().line_up(waiting);
            // What cannot be claimed for one room keeps no other waiting.
            match round(core, tools, room).await {
                Ok(served) => {
                    claimed += served.claimed;
                    due.retain(|(tenant, class)| *class != room.class || !served.at_end.contains(tenant));
                }
                Err(error) => failed = Some(error),
            }
        }
        if claimed == before || failed.is_some() || core.shutdown.is_cancelled() {
            break;
        }
    }
    failed.map_or(Ok(claimed), Err)
}

/// What came of a round.
#[derive(Default)]
struct Served {
    claimed: usize,
    /// Those that found less than they might have taken.
    at_end: Vec<TenantId>,
}

/// Gives each of those that stand in line for `room` a turn, as far as there are places for it.
async fn round(core: &Core, tools: &Tools, room: &Room) -> Result<Served, StoreError> {
    let now = core.clock().now();
    let mut served = Served::default();
    while let Some(Turn { tenant, most }) = room.next_turn() {
        if core.shutdown.is_cancelled() {
            break;
        }
        let jobs = match core.store.system().claim_work(tenant, room.class, most, now).await {
            Ok(jobs) => jobs,
            Err(error) => {
                // It may be this tenant's alone: the next round begins with others.
                room.places().pass(tenant);
                return Err(error);
            }
        };
        served.claimed += jobs.len();
        if jobs.len() < usize::try_from(most).unwrap_or(usize::MAX) {
            served.at_end.push(tenant);
        }
        for job in jobs {
            let place = room.take(tenant);
            let (core, tools) = (core.clone(), tools.clone());
            if job.kind == JobKind::Retrieve {
                // It lasts as long as the mailbox is read, and waits nearly all the time.
                drop(place);
                core.tasks.clone().spawn(async move { retrieve(&core, &tools.retrieving, &job).await });
                continue;
            }
            core.tasks.clone().spawn(async move {
                let _place = place;
                work(&core, &tools, &job).await;
            });
        }
    }
    Ok(served)
}

async fn work(core: &Core, tools: &Tools, job: &ClaimedJob) {
    if job.attempts >= job.kind.max_attempts() {
        // Every process that worked at it ended before it did. The house stands; the job is set aside.
        let error = StoreError::Inconsistent { what: "a job at which process after process has ended" };
        return belofte_core::retry_later(core, job, &error).await;
    }
    match job.kind {
        JobKind::ProcessIntake => tools.retrieving.processing.process(job).await,
        JobKind::Deliver => deliver(core, &tools.delivering, job).await,
        JobKind::Reconcile => reconcile(core, &tools.retrieving, job).await,
        JobKind::CheckSigning => check(core, &tools.dns, job).await,
        JobKind::Push => push(core, &tools.pushing, job).await,
        // Begun apart from the others.
        JobKind::Retrieve => {}
        JobKind::Checkpoint
        | JobKind::RotateKeys
        | JobKind::Sweep
        | JobKind::Wake
        | JobKind::SettleQueue
        | JobKind::RemoveField => {
            let access = Access::job(job, core.clock().clone());
            if let Err(error) = core.store.upkeep(&access, job).await {
                belofte_core::retry_later(core, job, &error).await;
            }
        }
    }
}
