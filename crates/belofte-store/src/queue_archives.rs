// SPDX-License-Identifier: EUPL-1.2
//! Queues that are archived and restored: their open cases go to another queue, and come back (decision 40).
//!
//! Archiving says so in one short write, and a job does it, in small steps that each stand by themselves. It has the
//! id of its queue, so that there is one, and looks at each step at what the queue is by then. Of each case it keeps
//! from where it went; who moves the case or resolves it ends that.

use belofte_model::{
    ActivityId, ChannelAccountId, ConversationId, ConversationStatus, Duration, EventKind, LedgerKind,
    QueueId, Timestamp, Use,
};
use serde_json::json;

use crate::access::ClaimedJob;
use crate::conversations::insert_activity;
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::events::Event;
use crate::jobs;
use crate::queues::{self, QueueError, QueueSetUp, Standing, lock_all, told};
use crate::{Access, NewLeaf, Read, Store, StoreError, Tx, Write};

/// So many cases are moved in one write: it holds up others meanwhile.
const STEP: i64 = 25;
/// After so many steps the job lets others have its place.
const STEPS: usize = 40;
/// Counted no further than this.
const COUNTED: i64 = 100_000;
/// A mail that was planned before its queue was archived is filed within this.
const GRACE: Duration = Duration::from_secs(60);

/// What is on its way out of an archived queue, or back into a restored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueMoving {
    /// So many cases are left; at most 100,000.
    pub left: i64,
    /// So many have gone out of it and can come back.
    pub moved: i64,
    /// Whether the work failed for good, and waits among the dead letters.
    pub failed: bool,
}

/// Has the cases of `queue` moved from now on: by the one job that it has, also when that had failed for good.
async fn settle_soon(tx: &mut Tx<'_>, queue: QueueId, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!(
            "INSERT INTO job (tenant_id, id, kind, subject_id, state, run_at, attempts, fence, lease_until, error_code, \
             created_at, changed_at) VALUES ($1, $2, 'settle_queue', $2, 'ready', $3, 0, 0, NULL, NULL, $3, $3) \
             ON CONFLICT (tenant_id, id) DO UPDATE SET \
             run_at = CASE WHEN job.state = 'leased' THEN job.run_at ELSE excluded.run_at END, \
             attempts = CASE WHEN job.state = 'leased' THEN job.attempts ELSE 0 END, \
             state = CASE WHEN job.state = 'leased' THEN 'leased' ELSE 'ready' END, changed_at = excluded.changed_at"
        ),
        params![tenant, queue, now],
    )
    .await
    .map(drop)
}

/// Has a case that is open again moved when it lies in an archived queue; called by what opens cases. A job that waits
/// need not wait any more; one that had failed for good is left to who sees that.
pub(crate) async fn follow(tx: &mut Tx<'_>, case: ConversationId, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!(
            "INSERT INTO job (tenant_id, id, kind, subject_id, state, run_at, attempts, fence, lease_until, error_code, \
             created_at, changed_at) SELECT q.tenant_id, q.id, 'settle_queue', q.id, 'ready', CAST($3 AS bigint), 0, 0, \
             NULL, NULL, CAST($3 AS bigint), CAST($3 AS bigint) FROM conversation c JOIN queue q \
             ON q.tenant_id = c.tenant_id AND q.id = c.queue_id WHERE c.tenant_id = $1 AND c.id = $2 \
             AND q.archived_at IS NOT NULL ON CONFLICT (tenant_id, id) DO UPDATE SET \
             run_at = CASE WHEN job.state = 'ready' THEN excluded.run_at ELSE job.run_at END, \
             changed_at = excluded.changed_at"
        ),
        params![tenant, case, now],
    )
    .await
    .map(drop)
}

/// As [`follow`], for every archived queue that has open cases: what came into it by another way. For the sweep.
pub(crate) async fn follow_all(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!(
            "INSERT INTO job (tenant_id, id, kind, subject_id, state, run_at, attempts, fence, lease_until, error_code, \
             created_at, changed_at) SELECT q.tenant_id, q.id, 'settle_queue', q.id, 'ready', CAST($2 AS bigint), 0, 0, \
             NULL, NULL, CAST($2 AS bigint), CAST($2 AS bigint) FROM queue q WHERE q.tenant_id = $1 \
             AND q.archived_at IS NOT NULL AND EXISTS (SELECT 1 FROM conversation c WHERE c.tenant_id = q.tenant_id \
             AND c.queue_id = q.id AND c.status IN ('open', 'snoozed', 'waiting')) ORDER BY q.id ON CONFLICT DO NOTHING"
        ),
        params![tenant, now],
    )
    .await
    .map(drop)
}

/// Forgets from where a case was moved: somebody moved or resolved it.
pub(crate) async fn forget(tx: &mut Tx<'_>, case: ConversationId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!("DELETE FROM queue_move WHERE tenant_id = $1 AND conversation_id = $2"),
        params![tenant, case],
    )
    .await
    .map(drop)
}

/// Whether an open case lies in `queue`; asks one index.
async fn holds_open(tx: &mut Tx<'_>, queue: QueueId) -> Result<bool, StoreError> {
    let tenant = tx.tenant();
    let found = tx
        .query_opt(
            sql!(
                "SELECT id FROM conversation WHERE tenant_id = $1 AND queue_id = $2 \
                 AND status IN ('open', 'snoozed', 'waiting') LIMIT 1"
            ),
            params![tenant, queue],
            |row| row.uuid(0),
        )
        .await?;
    Ok(found.is_some())
}

/// The accounts that deliver into `queue`, in the order of their ids.
async fn accounts_of(tx: &mut Tx<'_>, queue: QueueId) -> Result<Vec<ChannelAccountId>, StoreError> {
    let tenant = tx.tenant();
    tx.query(
        sql!(
            "SELECT id FROM channel_account WHERE tenant_id = $1 AND queue_id = $2 AND state <> 'removed' ORDER BY id"
        ),
        params![tenant, queue],
        |row| row.id(0),
    )
    .await
}

struct AccountsOf(QueueId);

impl Read for AccountsOf {
    type Out = Vec<ChannelAccountId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        accounts_of(tx, self.0).await
    }
}

/// The queue in use at the end of the way that begins at `queue`, when the archived ones lead on as in `all`.
/// There is one: a queue is archived into one in use, so that no way leads back.
fn end_of(all: &[Standing], queue: QueueId) -> Option<QueueId> {
    let mut at = queue;
    for _ in 0..=all.len() {
        let here = all.iter().find(|one| one.id == at)?;
        if !here.archived {
            return Some(at);
        }
        at = here.archived_into?;
    }
    None
}

/// Why nothing was archived or restored.
enum Refused {
    IsDefault,
    NotEmpty,
    NoSuchTarget,
    WrongState,
}

struct Archive {
    id: QueueId,
    planned_on: i64,
    into: Option<QueueId>,
    /// Those that the ledger says are to deliver elsewhere.
    accounts: Vec<ChannelAccountId>,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Archive {
    type Out = Result<(), Refused>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let all = lock_all(tx).await?;
        let this = all.iter().find(|queue| queue.id == self.id).ok_or(StoreError::NotFound)?;
        if this.archived {
            return Ok(Err(Refused::WrongState));
        }
        if this.version != self.planned_on {
            return Err(StoreError::Conflict);
        }
        if this.is_default {
            return Ok(Err(Refused::IsDefault));
        }
        let default = all.iter().find(|queue| queue.is_default).map(|queue| queue.id);
        let target = match self.into {
            Some(into) => all
                .iter()
                .find(|queue| queue.id == into && queue.id != self.id && !queue.archived)
                .map(|queue| queue.id),
            None if holds_open(tx, self.id).await? || !self.accounts.is_empty() => {
                return Ok(Err(Refused::NotEmpty));
            }
            None => default,
        };
        let Some(target) = target else { return Ok(Err(Refused::NoSuchTarget)) };
        if accounts_of(tx, self.id).await? != self.accounts {
            return Err(StoreError::Conflict);
        }
        tx.execute_one(
            sql!(
                "UPDATE queue SET archived_at = $3, archived_into = $4, settles_in = $4, version = version + 1 \
                 WHERE tenant_id = $1 AND id = $2"
            ),
            params![tenant, self.id, self.now, target],
        )
        .await?;
        // What was archived into this one goes on to where this one goes.
        tx.execute(
            sql!("UPDATE queue SET settles_in = $3 WHERE tenant_id = $1 AND settles_in = $2"),
            params![tenant, self.id, target],
        )
        .await?;
        tx.execute(
            sql!(
                "UPDATE channel_account SET queue_id = $3, version = version + 1 WHERE tenant_id = $1 AND queue_id = $2"
            ),
            params![tenant, self.id, target],
        )
        .await?;
        settle_soon(tx, self.id, self.now).await?;
        let rerouted = i64::from(!self.accounts.is_empty());
        let numbers =
            counters::take(tx, Needs { events: 1 + rerouted, leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await?;
        let event = Event { queue: Some(self.id), ..Event::new(EventKind::QueuesChanged, self.now) };
        event.append(tx, numbers.event).await?;
        if rerouted > 0 {
            let event = Event { kind: EventKind::ChannelAccountChanged, queue: Some(target), ..event };
            event.append(tx, numbers.event + 1).await?;
        }
        Ok(Ok(()))
    }
}

struct Restore {
    id: QueueId,
    planned_on: i64,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Restore {
    type Out = Result<(), Refused>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let mut all = lock_all(tx).await?;
        let this = all.iter_mut().find(|queue| queue.id == self.id).ok_or(StoreError::NotFound)?;
        if !this.archived {
            return Ok(Err(Refused::WrongState));
        }
        if this.version != self.planned_on {
            return Err(StoreError::Conflict);
        }
        (this.archived, this.archived_into, this.settles_in) = (false, None, None);
        tx.execute_one(
            sql!(
                "UPDATE queue SET archived_at = NULL, archived_into = NULL, settles_in = NULL, version = version + 1 \
                 WHERE tenant_id = $1 AND id = $2"
            ),
            params![tenant, self.id],
        )
        .await?;
        for queue in all.iter().filter(|queue| queue.archived) {
            let end = end_of(&all, queue.id);
            if end.is_some() && end != queue.settles_in {
                tx.execute_one(
                    sql!("UPDATE queue SET settles_in = $3 WHERE tenant_id = $1 AND id = $2"),
                    params![tenant, queue.id, end],
                )
                .await?;
            }
        }
        settle_soon(tx, self.id, self.now).await?;
        queues::record(tx, &self.leaf, Some(self.id), self.now).await?;
        Ok(Ok(()))
    }
}

/// Where a queue stands for the job that moves its cases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It is archived since then, and its cases go there.
    Out { to: QueueId, since: Timestamp },
    /// It is in use: what went out of it comes back.
    Back,
}

/// Reads where a queue stands; in a write it stays so until COMMIT.
async fn way(tx: &mut Tx<'_>, queue: QueueId, keep: bool) -> Result<Option<Way>, StoreError> {
    let tenant = tx.tenant();
    let text = if keep && tx.is_postgres() {
        sql!("SELECT archived_at, settles_in FROM queue WHERE tenant_id = $1 AND id = $2 FOR SHARE")
    } else {
        sql!("SELECT archived_at, settles_in FROM queue WHERE tenant_id = $1 AND id = $2")
    };
    let found =
        tx.query_opt(text, params![tenant, queue], |row| Ok((row.opt_time(0)?, row.opt_id(1)?))).await?;
    found
        .map(|found| match found {
            (Some(since), Some(to)) => Ok(Way::Out { to, since }),
            (None, _) => Ok(Way::Back),
            (Some(_), None) => Err(StoreError::Inconsistent { what: "queue.settles_in" }),
        })
        .transpose()
}

/// What there is to do next; read outside the write that does it.
struct Next(QueueId);

impl Read for Next {
    type Out = Option<(Way, Vec<ConversationId>)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let Some(way) = way(tx, self.0, false).await? else { return Ok(None) };
        let text = match way {
            Way::Out { .. } => sql!(
                "SELECT id FROM conversation WHERE tenant_id = $1 AND queue_id = $2 \
                 AND status IN ('open', 'snoozed', 'waiting') LIMIT $3"
            ),
            Way::Back => sql!(
                "SELECT DISTINCT conversation_id FROM queue_move WHERE tenant_id = $1 AND from_queue = $2 \
                 ORDER BY conversation_id LIMIT $3"
            ),
        };
        let cases = tx.query(text, params![tenant, self.0, STEP], |row| row.id(0)).await?;
        Ok(Some((way, cases)))
    }
}

/// What became of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stepped {
    /// There may be more.
    On,
    /// There is nothing more, and the job has ended or waits.
    Ended,
}

struct Step {
    job: ClaimedJob,
    queue: QueueId,
    way: Way,
    cases: Vec<(ConversationId, ActivityId)>,
    now: Timestamp,
}

/// One move of a case out of an archived queue.
struct Moved {
    step: i64,
    from: QueueId,
    to: QueueId,
}

impl Step {
    /// Where a case lies and whether it is open; it stays so until COMMIT.
    async fn case(
        tx: &mut Tx<'_>,
        id: ConversationId,
    ) -> Result<Option<(QueueId, ChannelAccountId, bool)>, StoreError> {
        let tenant = tx.tenant();
        let text = if tx.is_postgres() {
            sql!(
                "SELECT queue_id, channel_account_id, status FROM conversation WHERE tenant_id = $1 AND id = $2 \
                 FOR UPDATE"
            )
        } else {
            sql!(
                "SELECT queue_id, channel_account_id, status FROM conversation WHERE tenant_id = $1 AND id = $2"
            )
        };
        tx.query_opt(text, params![tenant, id], |row| {
            let open = row.name(2, ConversationStatus::parse)? != ConversationStatus::Resolved;
            Ok((row.id(0)?, row.id(1)?, open))
        })
        .await
    }

    async fn moves(tx: &mut Tx<'_>, case: ConversationId) -> Result<Vec<Moved>, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT step, from_queue, to_queue FROM queue_move WHERE tenant_id = $1 AND conversation_id = $2 \
                 ORDER BY step"
            ),
            params![tenant, case],
            |row| Ok(Moved { step: row.int(0)?, from: row.id(1)?, to: row.id(2)? }),
        )
        .await
    }

    /// Forgets the moves of a case from `step` on.
    async fn forget_from(tx: &mut Tx<'_>, case: ConversationId, step: i64) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!("DELETE FROM queue_move WHERE tenant_id = $1 AND conversation_id = $2 AND step >= $3"),
            params![tenant, case, step],
        )
        .await
        .map(drop)
    }

    async fn put(
        &self,
        tx: &mut Tx<'_>,
        (case, activity): (ConversationId, ActivityId),
        from: QueueId,
        to: QueueId,
    ) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!("UPDATE conversation SET queue_id = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2"),
            params![tenant, case, to],
        )
        .await?;
        let text = |queue: QueueId| queue.uuid().to_string();
        let (from, to, actor) = (text(from), text(to), ("job", self.job.id.uuid()));
        insert_activity(tx, case, activity, "queue", actor, Some(&from), Some(&to), self.now).await
    }

    /// Moves one case out; gives where it lies now, when it moved.
    async fn out(
        &self,
        tx: &mut Tx<'_>,
        one: (ConversationId, ActivityId),
        to: QueueId,
    ) -> Result<Option<(QueueId, ChannelAccountId)>, StoreError> {
        let tenant = tx.tenant();
        let Some((lies, account, true)) = Self::case(tx, one.0).await? else { return Ok(None) };
        if lies != self.queue {
            return Ok(None);
        }
        let moves = Self::moves(tx, one.0).await?;
        // What came here by another way than these moves begins anew, and so does what has come home.
        let goes_on = moves.last().is_some_and(|last| last.to == lies);
        let home = moves.iter().find(|moved| moved.from == lies).map(|moved| moved.step);
        let first = if goes_on { home } else { Some(0) };
        let step = first.unwrap_or_else(|| moves.last().map_or(0, |last| last.step + 1));
        if first.is_some() {
            Self::forget_from(tx, one.0, step).await?;
        }
        tx.execute_one(
            sql!(
                "INSERT INTO queue_move (tenant_id, conversation_id, step, from_queue, to_queue, moved_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)"
            ),
            params![tenant, one.0, step, lies, to, self.now],
        )
        .await?;
        self.put(tx, one, lies, to).await?;
        Ok(Some((to, account)))
    }

    /// Moves one case back, unless somebody resolved or moved it; gives where it lies now, when it moved.
    async fn back(
        &self,
        tx: &mut Tx<'_>,
        one: (ConversationId, ActivityId),
    ) -> Result<Option<(QueueId, ChannelAccountId)>, StoreError> {
        let case = Self::case(tx, one.0).await?;
        let moves = Self::moves(tx, one.0).await?;
        let Some(home) = moves.iter().find(|moved| moved.from == self.queue).map(|moved| moved.step) else {
            return Ok(None);
        };
        let untouched =
            case.filter(|(lies, _, open)| *open && moves.last().is_some_and(|last| last.to == *lies));
        let Some((lies, account, _)) = untouched else {
            Self::forget_from(tx, one.0, 0).await?;
            return Ok(None);
        };
        Self::forget_from(tx, one.0, home).await?;
        if lies == self.queue {
            return Ok(None);
        }
        self.put(tx, one, lies, self.queue).await?;
        Ok(Some((self.queue, account)))
    }

    async fn end(&self, tx: &mut Tx<'_>) -> Result<Stepped, StoreError> {
        if let Way::Out { since, .. } = self.way {
            if holds_open(tx, self.queue).await? {
                jobs::go_on(tx, &self.job, self.now).await?;
                return Ok(Stepped::On);
            }
            if self.now < since + GRACE {
                jobs::wait_until(tx, &self.job, since + GRACE, self.now).await?;
                return Ok(Stepped::Ended);
            }
        }
        jobs::finish(tx, &self.job).await?;
        Ok(Stepped::Ended)
    }
}

impl Write for Step {
    type Out = Stepped;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Stepped, StoreError> {
        // First the queue, then the cases and then the job: in the order in which those go who change a case.
        if way(tx, self.queue, true).await? != Some(self.way) {
            jobs::go_on(tx, &self.job, self.now).await?;
            return Ok(Stepped::On);
        }
        if self.cases.is_empty() {
            return self.end(tx).await;
        }
        let mut moved = Vec::with_capacity(self.cases.len());
        for one in &self.cases {
            let place = match self.way {
                Way::Out { to, .. } => self.out(tx, *one, to).await?,
                Way::Back => self.back(tx, *one).await?,
            };
            moved.extend(place.map(|place| (one.0, place)));
        }
        jobs::go_on(tx, &self.job, self.now).await?;
        let events = i64::try_from(moved.len()).unwrap_or(i64::MAX);
        let numbers = counters::take(tx, Needs { events, ..Needs::default() }).await?;
        for (no, (case, (queue, account))) in (numbers.event..).zip(moved) {
            let event = Event {
                conversation: Some(case),
                account: Some(account),
                queue: Some(queue),
                ..Event::new(EventKind::ConversationChanged, self.now)
            };
            event.append(tx, no).await?;
        }
        Ok(Stepped::On)
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

/// Takes at most `most` steps; gives whether there may be more.
pub(crate) async fn steps(
    store: &Store,
    access: &Access,
    job: &ClaimedJob,
    most: usize,
) -> Result<bool, StoreError> {
    let queue = QueueId(job.subject);
    for _ in 0..most {
        let Some((way, cases)) = store.read(access, Next(queue)).await? else {
            store.write(access, crate::FinishJob(job.clone())).await?;
            return Ok(false);
        };
        let now = access.clock().now();
        let cases =
            cases.into_iter().map(|case| (case, ActivityId::new(now, store.random().bytes()))).collect();
        let step = Step { job: job.clone(), queue, way, cases, now };
        if store.write(access, step).await? == Stepped::Ended {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Moves the cases of the queue of `job`, and ends the job or puts it back.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease was lost; the engine's errors. Steps that were taken stand.
pub(crate) async fn run(store: &Store, access: &Access, job: &ClaimedJob) -> Result<(), StoreError> {
    if steps(store, access, job, STEPS).await? {
        store.write(access, Later(job.clone(), access.clock().now())).await?;
    }
    Ok(())
}

struct Moving {
    queue: QueueId,
    archived: bool,
}

impl Read for Moving {
    type Out = Option<QueueMoving>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let went = sql!(
            "SELECT CAST(count(*) AS bigint) FROM (SELECT 1 FROM queue_move WHERE tenant_id = $1 AND from_queue = $2 \
             LIMIT $3) m"
        );
        let moved = tx.query_one(went, params![tenant, self.queue, COUNTED], |row| row.int(0)).await?;
        let left = if self.archived {
            let open = sql!(
                "SELECT CAST(count(*) AS bigint) FROM (SELECT 1 FROM conversation WHERE tenant_id = $1 AND queue_id = $2 \
                 AND status IN ('open', 'snoozed', 'waiting') LIMIT $3) c"
            );
            tx.query_one(open, params![tenant, self.queue, COUNTED], |row| row.int(0)).await?
        } else {
            moved
        };
        let state = tx
            .query_opt(
                sql!("SELECT state FROM job WHERE tenant_id = $1 AND id = $2 AND kind = 'settle_queue'"),
                params![tenant, self.queue],
                |row| row.text(0),
            )
            .await?;
        let failed = state.as_deref() == Some("dead");
        let told = left > 0 || failed;
        Ok(told.then_some(QueueMoving { left, moved, failed }))
    }
}

impl Store {
    pub(crate) async fn queue_moving(
        &self,
        access: &Access,
        queue: QueueId,
        archived: bool,
    ) -> Result<Option<QueueMoving>, StoreError> {
        self.read(access, Moving { queue, archived }).await
    }

    /// Archives a queue: channel accounts deliver into `into` from now on, and its open cases go there. Without
    /// `into` there must be neither.
    ///
    /// # Errors
    /// [`QueueError`]; [`StoreError::Conflict`] when somebody else changed it at the same moment.
    pub async fn archive_queue(
        &self,
        access: &Access,
        id: QueueId,
        into: Option<QueueId>,
    ) -> Result<QueueSetUp, QueueError> {
        access.to(Use::Configure)?;
        let before = self.queue_set_up(access, id).await?;
        // Asked for again, it is done.
        if before.queue.archived && into.is_none_or(|into| before.archived_into == Some(into)) {
            return Ok(before);
        }
        if into.is_some_and(|into| !access.visible().queues.contains(&into)) {
            return Err(QueueError::NoSuchTarget);
        }
        let accounts = self.read(access, AccountsOf(id)).await?;
        let keys = self.keys(access).await?;
        let mut after = before.clone();
        after.queue.archived = true;
        let detail = json!({
            "what": "queue", "act": "archived", "id": id, "name": &before.queue.name, "into": into,
            "accounts": &accounts, "before": told(&before), "after": told(&after),
        });
        let archive = Archive {
            id,
            planned_on: before.queue.version,
            into,
            accounts,
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            now: access.clock().now(),
        };
        let archived = self.write(access, archive).await;
        self.resolved().forget();
        refused(archived?)?;
        Ok(self.queue_set_up(access, id).await?)
    }

    /// Takes an archived queue into use again. Those cases come back that were moved out of it and that nobody
    /// has resolved or moved since; channel accounts deliver where they do.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] when somebody else changed it at the same moment.
    pub async fn restore_queue(&self, access: &Access, id: QueueId) -> Result<QueueSetUp, QueueError> {
        access.to(Use::Configure)?;
        let before = self.queue_set_up(access, id).await?;
        // Asked for again, it is done.
        if !before.queue.archived {
            return Ok(before);
        }
        let keys = self.keys(access).await?;
        let mut after = before.clone();
        after.queue.archived = false;
        let detail = json!({
            "what": "queue", "act": "restored", "id": id, "name": &before.queue.name,
            "before": told(&before), "after": told(&after),
        });
        let restore = Restore {
            id,
            planned_on: before.queue.version,
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            now: access.clock().now(),
        };
        refused(self.write(access, restore).await?)?;
        Ok(self.queue_set_up(access, id).await?)
    }
}

fn refused(done: Result<(), Refused>) -> Result<(), QueueError> {
    done.map_err(|refused| match refused {
        Refused::IsDefault => QueueError::IsDefault,
        Refused::NotEmpty => QueueError::NotEmpty,
        Refused::NoSuchTarget => QueueError::NoSuchTarget,
        Refused::WrongState => QueueError::WrongState,
    })
}
