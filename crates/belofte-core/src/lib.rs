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
mod presence;
mod trouble;
mod upkeep;

pub use conversations::{
    Addressee, NewMail, NewNote, NewReply, ReplyError, begin_conversation, note, reply, written,
};
pub use intake::{
    AtDoor, ReceiveError, Received, door, file, file_at_door, file_copy, open, put_off, quarantine,
    quarantine_infected, receive, resolve, retry_later,
};
pub use live::{Listener, Live, Notice};
pub use outbox::{
    Enclosed, Parcel, ParcelFile, REPLY_ADDRESS, REPLY_NUMBER, Recipient, begin, enclosed, enveloped,
    number_octets, parcel, record,
};
pub use presence::{Here, Presence, Seat, Whisper};
pub use trouble::Trouble;
pub use upkeep::{Indexer, index_all};

use belofte_model::{Duration, MessageId};
use belofte_store::{ClaimedJob, Clock, Store, StoreError};
use belofte_vault::Random;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the store could not take is given to it again after this long.
const AGAIN: Duration = Duration::from_secs(1);

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
    /// Who is where at this moment.
    pub presence: Presence,
}

impl Core {
    /// An id for a message that is to be written.
    #[must_use]
    pub fn new_message_id(&self) -> MessageId {
        MessageId::new(self.clock().now(), self.random().bytes())
    }

    /// The verbs over `store`; background work is counted by `tasks` and ends with `shutdown`.
    #[must_use]
    pub fn new(store: Store, tasks: TaskTracker, shutdown: CancellationToken) -> Self {
        let indexer = Indexer::start(&store, &tasks, &shutdown);
        let live = Live::start(&store, &tasks, &shutdown);
        let presence = Presence::start(&store, &tasks, &shutdown);
        Self { store, tasks, shutdown, indexer, live, presence }
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

/// How a job ended is written again and again while there is no room or the store is busy, for as
/// long as the job's lease lasts: otherwise nobody would know before its end.
pub(crate) struct Insistence<'a> {
    shutdown: &'a CancellationToken,
    left: Duration,
}

impl<'a> Insistence<'a> {
    pub(crate) const fn new(core: &'a Core, job: &ClaimedJob) -> Self {
        Self { shutdown: &core.shutdown, left: job.kind.lease() }
    }

    /// Whether to write again after `error`; waits a little first.
    pub(crate) async fn again(&mut self, error: &StoreError) -> bool {
        let passes = matches!(error, StoreError::Full | StoreError::Busy);
        if !passes || self.left <= AGAIN || self.shutdown.is_cancelled() {
            return false;
        }
        self.left -= AGAIN;
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = self.shutdown.cancelled() => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_end_is_written_again_while_there_is_no_room_and_the_lease_lasts() {
        let shutdown = CancellationToken::new();
        let mut insistence = Insistence { shutdown: &shutdown, left: AGAIN * 2 };
        assert!(!insistence.again(&StoreError::Conflict).await, "the lease was lost");
        assert!(insistence.again(&StoreError::Full).await);
        assert!(!insistence.again(&StoreError::Full).await, "the lease ends");
        let mut insistence = Insistence { shutdown: &shutdown, left: AGAIN * 9 };
        shutdown.cancel();
        assert!(!insistence.again(&StoreError::Busy).await, "the process ends");
    }
}
