// SPDX-License-Identifier: EUPL-1.2
//! Work that nobody asks for: the index files of this node follow their content.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::Trouble;
use belofte_model::{Duration, TenantId, Timestamp};
use belofte_store::{Access, Store, StoreError, UNINDEXED_LIMIT};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Brings the index file of each tenant up to date after its messages were committed.
#[derive(Clone)]
pub struct Indexer {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    /// Messages committed here and not yet in the index, per tenant.
    behind: Mutex<HashMap<TenantId, i64>>,
    work: Notify,
    /// So many wait that the rest between two steps ends.
    many: Notify,
    done: Notify,
}

/// What a node knows of what others wrote.
#[derive(Default)]
struct Others {
    asked: Option<Timestamp>,
    /// The number of the newest event of each tenant.
    seen: HashMap<TenantId, i64>,
}

/// An index is written in steps with a rest between them, in which messages gather: a step costs the
/// engine nearly as much for one of them as for a hundred. A search knows from memory what those hold
/// that wait. The rest is this long …
const REST: Duration = Duration::from_secs(1);
/// … and ends when nothing came for so long: nothing more gathers then.
const QUIET: Duration = Duration::from_millis(50);
/// So often a node asks what other nodes wrote.
const OTHERS: Duration = Duration::from_millis(500);
/// It ends when so many messages of a tenant wait.
const MANY: i64 = UNINDEXED_LIMIT / 2;

impl Indexer {
    pub(crate) fn start(store: &Store, tasks: &TaskTracker, shutdown: &CancellationToken) -> Self {
        let inner = Inner {
            store: store.clone(),
            behind: Mutex::default(),
            work: Notify::new(),
            many: Notify::new(),
            done: Notify::new(),
        };
        let indexer = Self { inner: Arc::new(inner) };
        tasks.spawn(indexer.clone().run(shutdown.clone()));
        indexer
    }

    /// Says that a message of `tenant` was committed.
    pub fn wake(&self, tenant: TenantId) {
        let behind = {
            let mut behind = self.inner.behind.lock().expect("no panic holds this lock");
            let behind = behind.entry(tenant).or_default();
            *behind += 1;
            *behind
        };
        self.inner.work.notify_one();
        if behind == MANY {
            self.inner.many.notify_one();
        }
    }

    /// Waits while the index of the tenant is too far behind: a search looks through what is not
    /// indexed one by one.
    pub(crate) async fn room(&self, access: &Access) {
        loop {
            let done = self.inner.done.notified();
            let behind = {
                let behind = self.inner.behind.lock().expect("no panic holds this lock");
                behind.get(&access.tenant()).copied().unwrap_or(0)
            };
            if behind < UNINDEXED_LIMIT {
                return;
            }
            // Not for ever: an index that cannot be written (disk full) must not stop intake.
            if tokio::time::timeout(Duration::from_secs(2), done).await.is_err() {
                return;
            }
        }
    }

    /// Finds the tenants of which another node wrote something since it was asked last.
    async fn look_at_others(&self, others: &mut Others) -> Result<(), StoreError> {
        let now = self.inner.store.clock().now();
        if !self.inner.store.is_postgres() || others.asked.is_some_and(|asked| now.since(asked) < OTHERS) {
            return Ok(());
        }
        others.asked = Some(now);
        let newest = self.inner.store.system().newest_events().await?;
        let mut behind = self.inner.behind.lock().expect("no panic holds this lock");
        for (tenant, no) in newest {
            if others.seen.insert(tenant, no) != Some(no) {
                behind.entry(tenant).or_default();
            }
        }
        Ok(())
    }

    async fn run(self, shutdown: CancellationToken) {
        let (mut started, mut trouble) = (false, Trouble::default());
        let mut others = Others::default();
        // Tenants whose index was written since it was last merged.
        let mut unmerged: Vec<TenantId> = Vec::new();
        loop {
            let stopping = shutdown.is_cancelled();
            let mut failed = false;
            if !started {
                match index_all(&self.inner.store).await {
                    Ok(()) => started = true,
                    Err(error) => {
                        failed = true;
                        if trouble.met(&error, self.inner.store.clock().now()) {
                            tracing::warn!(error = %error, "an index cannot be brought up to date at start");
                        }
                    }
                }
            }
            if let Err(error) = self.look_at_others(&mut others).await {
                failed = true;
                if trouble.met(&error, self.inner.store.clock().now()) {
                    tracing::warn!(error = %error, "what other nodes wrote cannot be read");
                }
            }
            let due: Vec<(TenantId, i64)> = {
                let mut behind = self.inner.behind.lock().expect("no panic holds this lock");
                behind.drain().collect()
            };
            for (tenant, messages) in &due {
                let access = self.inner.store.system().upkeep(*tenant);
                if let Err(error) = self.inner.store.index(&access).await {
                    if trouble.met(&error, self.inner.store.clock().now()) {
                        tracing::warn!(tenant = %tenant, error = %error, "an index cannot be written");
                    }
                    failed = true;
                    let mut behind = self.inner.behind.lock().expect("no panic holds this lock");
                    *behind.entry(*tenant).or_default() += messages;
                }
            }
            self.inner.done.notify_waiters();
            if failed {
                // Full disks get room again without a word: tried again, whether mail comes or not.
                if stopping {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(crate::AGAIN) => {}
                    () = shutdown.cancelled() => {}
                }
                continue;
            }
            if trouble.over() {
                tracing::info!("indexes are written again");
            }
            for (tenant, _) in &due {
                if !unmerged.contains(tenant) {
                    unmerged.push(*tenant);
                }
            }
            if due.is_empty() {
                if stopping {
                    return;
                }
                if let Some(tenant) = unmerged.pop() {
                    // Whoever searches waits for no step of this, and a message for one at most.
                    let access = self.inner.store.system().upkeep(tenant);
                    match self.inner.store.merge_index(&access).await {
                        Ok(true) => unmerged.push(tenant),
                        Ok(false) => {}
                        Err(error) => tracing::warn!(%tenant, %error, "an index cannot be merged"),
                    }
                    continue;
                }
                tokio::select! {
                    () = self.inner.work.notified() => {}
                    () = tokio::time::sleep(OTHERS), if self.inner.store.is_postgres() => {}
                    () = shutdown.cancelled() => {}
                }
            }
            tokio::select! {
                () = self.rest() => {}
                () = self.inner.many.notified() => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// Rests until no message comes any more, or until it was long enough.
    async fn rest(&self) {
        let waiting =
            || -> i64 { self.inner.behind.lock().expect("no panic holds this lock").values().sum() };
        let mut before = waiting();
        let mut left = REST;
        while !left.is_zero() {
            let step = left.min(QUIET);
            tokio::time::sleep(step).await;
            left -= step;
            let now = waiting();
            if now == before {
                return;
            }
            before = now;
        }
    }
}

/// Brings every index file up to date, as at start: what a crash took is applied again.
///
/// # Errors
/// The first store error; the other tenants were still looked at.
pub async fn index_all(store: &Store) -> Result<(), StoreError> {
    let mut result = Ok(());
    for tenant in store.system().tenants().await? {
        let access = store.system().upkeep(tenant);
        if let Err(error) = store.index(&access).await {
            result = Err(error);
        }
    }
    result
}
