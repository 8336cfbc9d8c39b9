// SPDX-License-Identifier: EUPL-1.2
//! Work that nobody asks for: index files follow their content.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::Trouble;
use belofte_model::{Duration, TenantId};
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
    done: Notify,
}

impl Indexer {
    pub(crate) fn start(store: &Store, tasks: &TaskTracker, shutdown: &CancellationToken) -> Self {
        let inner = Inner {
            store: store.clone(),
            behind: Mutex::default(),
            work: Notify::new(),
            done: Notify::new(),
        };
        let indexer = Self { inner: Arc::new(inner) };
        if !store.is_postgres() {
            tasks.spawn(indexer.clone().run(shutdown.clone()));
        }
        indexer
    }

    /// Says that a message of `tenant` was committed.
    pub fn wake(&self, tenant: TenantId) {
        if self.inner.store.is_postgres() {
            return;
        }
        *self.inner.behind.lock().expect("no panic holds this lock").entry(tenant).or_default() += 1;
        self.inner.work.notify_one();
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

    async fn run(self, shutdown: CancellationToken) {
        let (mut started, mut trouble) = (false, Trouble::default());
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
            if due.is_empty() {
                if stopping {
                    return;
                }
                tokio::select! {
                    () = self.inner.work.notified() => {}
                    () = shutdown.cancelled() => {}
                }
            }
            // A short rest lets messages gather: one index transaction for many of them.
            tokio::time::sleep(Duration::from_millis(8)).await;
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
