// SPDX-License-Identifier: EUPL-1.2
//! The verbs that have more than one caller: taking something in, answering, sending, telling
//! those who listen.
//!
//! What this crate does *not* know: SQL, HTTP, sockets, mail formats, keys. It knows the order in
//! which things become true.

mod conversations;
mod intake;
mod live;
mod outbox;
mod upkeep;

pub use conversations::{NewReply, ReplyError, note, reply};
pub use intake::{ReceiveError, Received, file, open, quarantine, receive, resolve, retry_later};
pub use live::{Listener, Live, Notice};
pub use outbox::{Parcel, ParcelFile, REPLY_ADDRESS, Recipient, begin, parcel, record};
pub use upkeep::{Indexer, index_all};

use belofte_store::{Clock, Store};
use belofte_vault::Random;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What every verb needs. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Core {
    /// The stores.
    pub store: Store,
    /// The tracker of all background work: a shutdown waits for it.
    pub tasks: TaskTracker,
    /// Tells background work to end.
    pub shutdown: CancellationToken,
    /// Brings index files up to date.
    pub indexer: Indexer,
    /// Tells listeners what happened.
    pub live: Live,
}

impl Core {
    /// The verbs over `store`; background work is counted by `tasks` and ends with `shutdown`.
    #[must_use]
    pub fn new(store: Store, tasks: TaskTracker, shutdown: CancellationToken) -> Self {
        let indexer = Indexer::start(&store, &tasks, &shutdown);
        let live = Live::start(&store, &tasks, &shutdown);
        Self { store, tasks, shutdown, indexer, live }
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.store.clock()
    }

    /// The randomness.
    #[must_use]
    pub fn random(&self) -> &Random {
        self.store.random()
    }
}
