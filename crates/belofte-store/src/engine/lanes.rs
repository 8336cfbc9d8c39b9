// SPDX-License-Identifier: EUPL-1.2
//! Writes on their way into PostgreSQL, committed in groups.
//!
//! A write joins the queue of its tenant. A lane takes what waits of every tenant that no other lane
//! is busy with, a few of each in turn, so that two writes of one tenant never wait for each other's
//! locks, and a flood of one tenant does not hold up the others. The new keys of a group become
//! durable in one commit of the key database while its statements run in the content; the content is
//! committed after that, so that no row is ever durable whose key is not.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use belofte_model::{Duration, KeyId, TenantId};
use deadpool_postgres::Pool;
use futures_util::future::BoxFuture;
use futures_util::poll;
use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::group::{self, Session, Work, settle};
use super::postgres::Open;
use super::{Tx, Write};
use crate::StoreError;
use crate::fail::{self, FailPoint};
use crate::keys::{self, SealedKey};

/// No group is larger: an answer never waits for more than this many other writes.
const GROUP: usize = 128;
/// Waiting writes beyond this make callers wait, which is the back-pressure of intake.
const QUEUE: usize = 1_024;
/// While others of its tenant wait, a group begins so long after the one before it at the earliest: one
/// commit for many costs the server half of what one for each does. A write alone never waits.
const PACE: Duration = Duration::from_millis(4);
/// A group whose connection broke before its COMMIT is run so often.
const TRIES: u32 = 3;

/// A write with everything that its lane needs to know.
struct Pending<W: Write> {
    tenant: TenantId,
    value: Arc<W>,
    keys: Option<Arc<[SealedKey]>>,
    out: Option<Result<W::Out, StoreError>>,
    reply: oneshot::Sender<Result<W::Out, StoreError>>,
    _place: OwnedSemaphorePermit,
}

/// A queued write that can be answered.
trait Queued: Work {
    fn new_keys(&self) -> &[SealedKey];
    fn dead_keys(&self) -> &[KeyId];
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
    fn work(&mut self) -> &mut dyn Work;
}

impl<W: Write> Work for Pending<W> {
    fn run<'w>(&'w mut self, session: &'w mut Session) -> BoxFuture<'w, bool> {
        Box::pin(async move {
            let out = self.value.run(&mut Tx::postgres(session, Some(self.tenant))).await;
            let keep = out.is_ok();
            self.out = Some(out);
            keep
        })
    }

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    fn refuse(&mut self, error: StoreError) {
        self.out = Some(Err(error));
    }

    fn reset(&mut self) {
        self.out = None;
    }

    fn succeeded(&self) -> bool {
        matches!(self.out, Some(Ok(_)))
    }
}

impl<W: Write> Queued for Pending<W> {
    fn new_keys(&self) -> &[SealedKey] {
        self.keys.as_deref().unwrap_or_else(|| self.value.new_keys())
    }

    fn dead_keys(&self) -> &[KeyId] {
        self.value.dead_keys()
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let out = match (self.out, committed) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (Some(out), Ok(())) => out,
            (None, Ok(())) => Err(StoreError::Busy),
        };
        // The caller may have gone away; what is durable stays.
        let _ = self.reply.send(out);
    }

    fn work(&mut self) -> &mut dyn Work {
        self
    }
}

type Boxed = Box<dyn Queued>;

/// Keys whose content is gone.
type Dead = Vec<(TenantId, KeyId)>;

/// Writes that wait for their lane.
#[derive(Default)]
struct Waiting {
    of: HashMap<TenantId, VecDeque<Boxed>>,
    /// Tenants with waiting writes that no lane is busy with, in the order of their turn.
    turn: VecDeque<TenantId>,
    busy: HashSet<TenantId>,
    closed: bool,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    news: Notify,
}

impl Queue {
    fn push(&self, write: Boxed) {
        let tenant = write.work_tenant();
        let mut waiting = self.waiting.lock().expect("no panic holds this lock");
        let queue = waiting.of.entry(tenant).or_default();
        queue.push_back(write);
        if queue.len() == 1 && !waiting.busy.contains(&tenant) {
            waiting.turn.push_back(tenant);
        }
        drop(waiting);
        self.news.notify_one();
    }

    /// The next group; `None` when there will be no more.
    async fn next(&self) -> Option<Vec<Boxed>> {
        loop {
            let news = self.news.notified();
            {
                let mut waiting = self.waiting.lock().expect("no panic holds this lock");
                let group = waiting.group();
                if !group.is_empty() {
                    return Some(group);
                }
                if waiting.closed {
                    // The others are to see it too.
                    self.news.notify_one();
                    return None;
                }
            }
            news.await;
        }
    }

    /// A group of `tenants` has ended. When that is `early`, gives those of which others wait already:
    /// they stay busy until it is called again.
    fn done(&self, tenants: &[TenantId], early: bool) -> Vec<TenantId> {
        let mut waiting = self.waiting.lock().expect("no panic holds this lock");
        let mut rest = Vec::new();
        for tenant in tenants {
            let more = waiting.of.contains_key(tenant);
            if early && more {
                rest.push(*tenant);
            } else if waiting.busy.remove(tenant) && more {
                waiting.turn.push_back(*tenant);
            }
        }
        let more = !waiting.turn.is_empty();
        drop(waiting);
        if more {
            self.news.notify_one();
        }
        rest
    }

    fn close(&self) {
        self.waiting.lock().expect("no panic holds this lock").closed = true;
        self.news.notify_one();
    }
}

impl Waiting {
    /// Takes one write of each tenant in turn until the group is full.
    fn group(&mut self) -> Vec<Boxed> {
        let mut group = Vec::new();
        let mut turn = std::mem::take(&mut self.turn);
        while group.len() < GROUP
            && let Some(tenant) = turn.pop_front()
        {
            let Some(queue) = self.of.get_mut(&tenant) else { continue };
            group.extend(queue.pop_front());
            self.busy.insert(tenant);
            if queue.is_empty() {
                self.of.remove(&tenant);
            } else {
                turn.push_back(tenant);
            }
        }
        // Whoever got nothing has the next turn; the others wait for this group.
        self.turn = turn.into_iter().filter(|tenant| !self.busy.contains(tenant)).collect();
        group
    }
}

trait Tenanted {
    fn work_tenant(&self) -> TenantId;
}

impl Tenanted for Boxed {
    fn work_tenant(&self) -> TenantId {
        self.tenant().expect("a queued write is of a tenant")
    }
}

/// The lanes of one store.
pub(super) struct Lanes {
    places: Arc<Semaphore>,
    queue: Arc<Queue>,
    tasks: TaskTracker,
}

impl Lanes {
    /// Starts `lanes` lanes on `threads`, and what destroys dead keys behind them.
    pub(super) fn start(lines: &Lines, threads: &Handle, lanes: usize) -> Self {
        let (dead, buried) = mpsc::unbounded_channel();
        let (queue, tasks) = (Arc::new(Queue::default()), TaskTracker::new());
        tasks.spawn_on(bury(lines.keys.clone(), buried), threads);
        for _ in 0..lanes {
            let (lines, dead, queue) = (lines.clone(), dead.clone(), Arc::clone(&queue));
            let lane = Lane { lines, dead, queue, tasks: tasks.clone() };
            tasks.spawn_on(lane.run(), threads);
        }
        Self { places: Arc::new(Semaphore::new(QUEUE)), queue, tasks }
    }

    /// Queues a write and waits until its group is durable.
    ///
    /// # Errors
    /// [`StoreError::KeyGone`], what the body answers, and the engine's errors.
    pub(super) async fn write<W: Write>(
        &self,
        tenant: TenantId,
        value: Arc<W>,
        keys: Option<Arc<[SealedKey]>>,
    ) -> Result<W::Out, StoreError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| StoreError::Busy)?;
        let (reply, answer) = oneshot::channel();
        self.queue.push(Box::new(Pending { tenant, value, keys, out: None, reply, _place: place }));
        answer.await.map_err(|_| StoreError::Busy)?
    }

    /// Takes no more work and finishes what is queued.
    pub(super) async fn close(&self) {
        // Whoever has a place is answered before it gives it up.
        let all = self.places.acquire_many(QUEUE as u32).await;
        self.places.close();
        drop(all);
        self.end();
        self.tasks.wait().await;
    }

    fn end(&self) {
        self.places.close();
        self.queue.close();
        self.tasks.close();
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.end();
    }
}

/// Destroys the keys of content that is gone, as many in one commit as wait for it. Those that it
/// cannot destroy stay as orphans for the sweep, as they do when the machine stops before.
async fn bury(pool: Pool, mut inbox: mpsc::UnboundedReceiver<Dead>) {
    let mut taken = Vec::new();
    while inbox.recv_many(&mut taken, 4 * GROUP).await > 0 {
        let dead: Dead = taken.drain(..).flatten().collect();
        if let Ok(client) = pool.get().await {
            let _ = keys::change_postgres(&client, &[], &dead).await;
        }
    }
}

/// Connections of the lanes, driven by the threads that these run on.
#[derive(Clone)]
pub(super) struct Lines {
    pub(super) content: Pool,
    pub(super) keys: Pool,
}

struct Lane {
    lines: Lines,
    dead: mpsc::UnboundedSender<Dead>,
    queue: Arc<Queue>,
    tasks: TaskTracker,
}

impl Lane {
    async fn run(self) {
        while let Some(mut group) = self.queue.next().await {
            let mut tenants: Vec<TenantId> = group.iter().map(Tenanted::work_tenant).collect();
            tenants.sort_unstable_by_key(|tenant| tenant.uuid());
            tenants.dedup();
            let mut pace = Box::pin(tokio::time::sleep(PACE));
            let _ = poll!(&mut pace);
            let committed = self.commit(&mut group).await;
            if committed.is_ok() {
                fail::hit(FailPoint::ContentCommitted);
            }
            let early = poll!(&mut pace).is_pending();
            let rest = self.queue.done(&tenants, early);
            if !rest.is_empty() {
                let queue = Arc::clone(&self.queue);
                self.tasks.spawn(async move {
                    pace.await;
                    queue.done(&rest, false);
                });
            }
            if committed.is_ok() {
                self.bury(&group);
            }
            for write in group {
                write.answer(committed.as_ref().map_err(|error| error.copy()).copied());
            }
            fail::hit(FailPoint::Answered);
        }
    }

    /// Hands over the keys that the content of a durable group no longer needs.
    fn bury(&self, group: &[Boxed]) {
        let mut dead = Dead::new();
        for write in group.iter().filter(|write| write.succeeded()) {
            let tenant = write.work_tenant();
            dead.extend(write.dead_keys().iter().map(|key| (tenant, *key)));
        }
        if !dead.is_empty() {
            let _ = self.dead.send(dead);
        }
    }

    /// Makes new keys durable, those of each write of a group; gives what keeps a write from being
    /// committed.
    async fn keep(&self, new: &[Vec<SealedKey>]) -> Vec<Option<StoreError>> {
        let slices: Vec<&[SealedKey]> = new.iter().map(Vec::as_slice).collect();
        let refused = match self.lines.keys.get().await {
            Ok(client) => keys::change_postgres(&client, &slices, &[]).await,
            Err(error) => Err(error.into()),
        };
        match refused {
            Ok(refused) => {
                fail::hit(FailPoint::KeysCommitted);
                refused.into_iter().map(|parent| parent.map(StoreError::KeyGone)).collect()
            }
            // Whoever brings no keys does without that database.
            Err(error) => new.iter().map(|keys| (!keys.is_empty()).then(|| error.copy())).collect(),
        }
    }

    /// Commits a group: the keys while the statements run, then the content.
    async fn commit(&self, group: &mut Vec<Boxed>) -> Result<(), StoreError> {
        let mut new: Vec<Vec<SealedKey>> = group.iter().map(|write| write.new_keys().to_vec()).collect();
        let mut tries = 0;
        loop {
            tries += 1;
            let mut session = Session::new(Open::get(&self.lines.content).await?, group::GROUP);
            let mut works: Vec<&mut dyn Work> = group.iter_mut().map(|write| write.work()).collect();
            let content = settle(&mut session, &mut works, false);
            let (content, refused) = if new.iter().all(Vec::is_empty) {
                (content.await, Vec::new())
            } else {
                tokio::join!(content, self.keep(&new))
            };
            if refused.iter().any(Option::is_some) {
                // Without keys there is no content: the others are run again by themselves. Theirs
                // are durable, or were not added because of these; another try adds what is missing.
                let _ = session.abandon().await;
                let (mut left, mut keys) = (Vec::new(), Vec::new());
                for ((mut write, own), refused) in group.drain(..).zip(new).zip(refused) {
                    write.reset();
                    match refused {
                        Some(error) => {
                            write.refuse(error);
                            write.answer(Ok(()));
                        }
                        None => {
                            left.push(write);
                            keys.push(own);
                        }
                    }
                }
                (*group, new, tries) = (left, keys, 0);
                if group.is_empty() {
                    return Ok(());
                }
                continue;
            }
            match content {
                Ok(()) => return session.commit().await,
                // Nothing was committed: the values are run again on another connection.
                Err(_) if tries < TRIES => works.iter_mut().for_each(|work| work.reset()),
                Err(error) => return Err(error),
            }
        }
    }
}
