// SPDX-License-Identifier: EUPL-1.2
//! Live events: the desk is told what happened, by number, and fetches what it shows.
//!
//! Every node reads the rows of the tenants that somebody on it listens to, every 50 ms; a write
//! on the same node only makes it look sooner. So two nodes on one database work from the first
//! day, and a listener that comes back resumes by number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use belofte_model::{Duration, TenantId};
use belofte_store::{Access, Event, Fact, Store, StoreError};
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often rows of active tenants are looked at without a hint.
const POLL: Duration = Duration::from_millis(50);
/// Rows per look.
const PAGE: i64 = 500;
/// Events that a slow listener may be behind before it starts over.
const BUFFER: usize = 1_024;

/// Tells listeners what happened.
#[derive(Clone)]
pub struct Live {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    topics: Mutex<HashMap<TenantId, Weak<Topic>>>,
    changed: Notify,
}

struct Topic {
    events: broadcast::Sender<Event>,
    /// The number of the last event that was sent.
    seq: tokio::sync::Mutex<i64>,
}

/// What a listener is told.
#[derive(Clone, Copy, Debug)]
pub enum Notice {
    /// Something happened.
    Event(Event),
    /// Something happened that this listener may not see: only its number is told, so that a
    /// later resumption does not ask for it again.
    Hidden(i64),
    /// Events are gone, or the listener was too slow: load everything again, from this number on.
    Resync(i64),
}

/// One listener.
pub struct Listener {
    events: broadcast::Receiver<Event>,
    topic: Arc<Topic>,
    backlog: std::collections::VecDeque<Fact>,
    seq: i64,
    resync: bool,
    access: Access,
}

impl Live {
    pub(crate) fn start(store: &Store, tasks: &TaskTracker, shutdown: &CancellationToken) -> Self {
        let inner = Inner { store: store.clone(), topics: Mutex::default(), changed: Notify::new() };
        let live = Self { inner: Arc::new(inner) };
        tasks.spawn(live.clone().run(shutdown.clone()));
        live
    }

    /// Listens for the tenant of `access`, from after number `since`; without one from now on.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn listen(&self, access: &Access, since: Option<i64>) -> Result<Listener, StoreError> {
        let tenant = access.tenant();
        let topic = {
            let mut topics = self.inner.topics.lock().expect("no panic holds this lock");
            match topics.get(&tenant).and_then(Weak::upgrade) {
                Some(topic) => topic,
                None => {
                    let topic = Arc::new(Topic {
                        events: broadcast::channel(BUFFER).0,
                        seq: tokio::sync::Mutex::new(-1),
                    });
                    topics.insert(tenant, Arc::downgrade(&topic));
                    topic
                }
            }
        };
        // The lock keeps the poller from sending between the look and the subscription.
        let mut seq = topic.seq.lock().await;
        let newest = self.inner.store.events(access, i64::MAX, 0).await?.newest;
        if *seq < 0 {
            *seq = newest;
        }
        let events = topic.events.subscribe();
        let mut listener = Listener {
            events,
            seq: *seq,
            resync: false,
            backlog: std::collections::VecDeque::new(),
            access: access.clone(),
            topic: Arc::clone(&topic),
        };
        if let Some(since) = since.filter(|since| *since != listener.seq) {
            let missed = self.inner.store.events(access, since, PAGE).await?;
            let all = missed.items.last().is_none_or(|last| last.seq() >= listener.seq);
            if missed.gap || !all {
                listener.resync = true;
            } else {
                let upto = listener.seq;
                listener.backlog.extend(missed.items.into_iter().filter(|fact| fact.seq() <= upto));
            }
        }
        drop(seq);
        self.inner.changed.notify_one();
        Ok(listener)
    }

    async fn run(self, shutdown: CancellationToken) {
        let mut hints = self.inner.store.hints().listen();
        loop {
            let active: Vec<(TenantId, Arc<Topic>)> = {
                let mut topics = self.inner.topics.lock().expect("no panic holds this lock");
                topics.retain(|_, topic| topic.strong_count() > 0);
                topics.iter().filter_map(|(tenant, topic)| Some((*tenant, topic.upgrade()?))).collect()
            };
            for (tenant, topic) in &active {
                if let Err(error) = self.forward(*tenant, topic).await {
                    tracing::warn!(tenant = %tenant, error = %error, "live events could not be read");
                }
            }
            let idle = active.is_empty();
            drop(active);
            if idle {
                tokio::select! {
                    () = self.inner.changed.notified() => {}
                    () = shutdown.cancelled() => return,
                }
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                _ = hints.recv() => {
                    // Many writes, one look: what comes within two milliseconds is seen together.
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    while hints.try_recv().is_ok() {}
                }
                () = shutdown.cancelled() => return,
            }
        }
    }

    async fn forward(&self, tenant: TenantId, topic: &Topic) -> Result<(), StoreError> {
        let mut seq = topic.seq.lock().await;
        if *seq < 0 {
            return Ok(());
        }
        let access = self.inner.store.system().upkeep(tenant);
        loop {
            let events = self.inner.store.events(&access, *seq, PAGE).await?;
            let full = events.items.len() as i64 == PAGE;
            for fact in events.items {
                *seq = fact.seq();
                // Upkeep sees all of them; each listener sees to its own.
                let Fact::Seen(event) = fact else { continue };
                // Nobody listening any more is no error.
                let _ = topic.events.send(event);
            }
            if !full {
                return Ok(());
            }
        }
    }
}

impl Listener {
    /// The number from which this listener goes on.
    #[must_use]
    pub const fn seq(&self) -> i64 {
        self.seq
    }

    /// Waits for the next notice. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Notice> {
        if std::mem::take(&mut self.resync) {
            return Some(Notice::Resync(self.seq));
        }
        if let Some(fact) = self.backlog.pop_front() {
            return Some(notice(fact));
        }
        loop {
            match self.events.recv().await {
                Ok(event) => {
                    self.seq = event.seq;
                    // What others are told of is none of this one's business, and changes none of its lists.
                    if event.is_for(&self.access) {
                        return Some(notice(Fact::of(event, &self.access)));
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.seq = *self.topic.seq.lock().await;
                    self.events = self.topic.events.subscribe();
                    return Some(Notice::Resync(self.seq));
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

const fn notice(fact: Fact) -> Notice {
    match fact {
        Fact::Seen(event) => Notice::Event(event),
        Fact::Hidden(seq) => Notice::Hidden(seq),
    }
}
