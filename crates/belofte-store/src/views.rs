// SPDX-License-Identifier: EUPL-1.2
//! Views: who looked at what. Each view of content by a tenant's user or program stands in the
//! tenant's ledger, where only its privacy officer reads it.
//!
//! Views are gathered in memory and committed in batches, at the latest after a second: one leaf
//! holds the views of one tenant since the last one. A process that is killed takes the views of its
//! last second with it; one that is stopped commits them all, also those of its last answers. While
//! the ledger cannot be written they wait, 10,000 at most, and then nothing more is shown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use belofte_model::{Actor, Duration, LedgerKind, TenantId, Timestamp};
use serde::Serialize;
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::counters::{self, Needs};
use crate::{Access, NewLeaf, Store, StoreError, Tx, Write};

/// A batch is committed at the latest after this long …
const EVERY: Duration = Duration::from_secs(1);
/// … or when so many views are waiting; no leaf holds more.
const BATCH: usize = 200;
/// When the ledger cannot be written, looking ends here: nothing is shown that cannot be recorded.
const MOST: usize = 10_000;

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// A conversation and its messages.
    Conversation,
    /// The list of conversations; the subject is the queue, or nothing for all.
    ConversationList,
    /// A contact.
    Contact,
    /// What is known of people, taken out all at once; the subject is the tenant, and each of them is viewed.
    ContactExport,
    /// Values of a field, shown to who considers to change its kind.
    Field,
    /// The bytes of an attachment.
    Attachment,
    /// A message as it was received.
    MessageSource,
    /// The remote images of a message, for which their servers were asked.
    RemoteImages,
    /// A quarantined mail as it was received.
    QuarantineSource,
    /// Results of a search; the subject is the conversation found.
    SearchResult,
    /// The ledger itself, read or exported; the subject is the tenant.
    Ledger,
}

#[derive(Clone, Copy, Serialize)]
struct View {
    actor: Actor,
    view: ViewKind,
    subject: Uuid,
    at: Timestamp,
}

/// Gathers views. Clones gather together.
#[derive(Clone)]
pub struct Views {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    waiting: Mutex<Waiting>,
    full: Notify,
    /// Held while a flush writes, so that "flushed" means it for everybody.
    flushing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    views: HashMap<TenantId, Vec<View>>,
    count: usize,
    /// Nothing will be committed any more, so nothing may be shown any more.
    ended: bool,
}

struct Append(NewLeaf);

impl Write for Append {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        self.0.append(tx, numbers.leaf).await
    }
}

impl Views {
    /// Gathers for the ledgers of `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        let inner = Inner {
            store,
            waiting: Mutex::default(),
            full: Notify::new(),
            flushing: tokio::sync::Mutex::new(()),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Notes that the user or program of `access` is about to be shown `subject`. Acts of the house
    /// itself (jobs, channels) are no views.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the ledger could not be written for so long that nothing more may
    /// be shown, or when the house is closing.
    pub fn note(&self, access: &Access, view: ViewKind, subject: Uuid) -> Result<(), StoreError> {
        let actor = access.actor();
        match actor {
            Actor::User(_) | Actor::ApiKey(_) => {}
            Actor::Channel(_) | Actor::Job(_) | Actor::Operator(_) | Actor::System => return Ok(()),
        }
        let mut waiting = self.inner.waiting.lock().expect("no panic holds this lock");
        if waiting.ended || waiting.count >= MOST {
            return Err(StoreError::Busy);
        }
        let view = View { actor, view, subject, at: access.clock().now() };
        waiting.views.entry(access.tenant()).or_default().push(view);
        waiting.count += 1;
        if waiting.count >= BATCH {
            self.inner.full.notify_one();
        }
        Ok(())
    }

    /// Records at once that the user or program of `access` is about to be shown all of `views`, and returns when they
    /// are in the ledger: for whoever shows more than may wait. Who goes away meanwhile was shown nothing.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the house is closing, and the engine's errors.
    pub async fn record(&self, access: &Access, views: &[(ViewKind, Uuid)]) -> Result<(), StoreError> {
        if self.inner.waiting.lock().expect("no panic holds this lock").ended {
            return Err(StoreError::Busy);
        }
        let (actor, at) = (access.actor(), access.clock().now());
        let views: Vec<View> =
            views.iter().map(|(view, subject)| View { actor, view: *view, subject: *subject, at }).collect();
        for batch in views.chunks(BATCH) {
            self.commit(access.tenant(), batch).await?;
        }
        Ok(())
    }

    /// How many views wait to be committed.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.inner.waiting.lock().expect("no panic holds this lock").count
    }

    /// Commits what is waiting; what cannot be committed goes on waiting.
    ///
    /// # Errors
    /// The first error of the engine; the other tenants were tried all the same.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let _turn = self.inner.flushing.lock().await;
        let waiting = std::mem::take(&mut self.inner.waiting.lock().expect("no panic holds this lock").views);
        let mut outcome = Ok(());
        for (tenant, mut views) in waiting {
            while !views.is_empty() {
                let rest = views.split_off(views.len().min(BATCH));
                match self.commit(tenant, &views).await {
                    Ok(()) => self.done(views.len()),
                    Err(error) => {
                        views.extend(rest);
                        self.put_back(tenant, views);
                        outcome = outcome.and(Err(error));
                        break;
                    }
                }
                views = rest;
            }
        }
        outcome
    }

    async fn commit(&self, tenant: TenantId, views: &[View]) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let keys = store.tenant_keys(tenant).await?;
        let (now, detail) = (store.clock().now(), json!({ "views": views }));
        // Many users in one leaf: the actors stand with the views.
        let leaf = NewLeaf::by(Actor::System, now, &keys, store.random(), LedgerKind::Views, detail)?;
        store.write_for(Some(tenant), Arc::new(Append(leaf))).await
    }

    fn done(&self, count: usize) {
        self.inner.waiting.lock().expect("no panic holds this lock").count -= count;
    }

    fn put_back(&self, tenant: TenantId, mut views: Vec<View>) {
        let mut waiting = self.inner.waiting.lock().expect("no panic holds this lock");
        let newer = waiting.views.remove(&tenant).unwrap_or_default();
        views.extend(newer);
        waiting.views.insert(tenant, views);
    }

    /// The end, after the last request and before the store closes: commits what is waiting, and
    /// lets nothing be shown after it.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub async fn finish(&self) -> Result<(), StoreError> {
        self.inner.waiting.lock().expect("no panic holds this lock").ended = true;
        self.flush().await
    }

    /// Commits batches until `stop`. Requests go on being answered after it, so
    /// [`finish`](Self::finish) follows when they are done. Runs under the task tracker.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.inner.full.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
            if let Err(error) = self.flush().await {
                tracing::error!(%error, "views could not be written to the ledger; they wait");
                // Not again at once: the cause is a full disk or a database that is away.
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(EVERY) => {}
                }
            }
        }
    }
}
