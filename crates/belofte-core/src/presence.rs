// SPDX-License-Identifier: EUPL-1.2
//! Who is where at this moment: kept in memory, told to those who may see the case, and gone with the line
//! that said it (decision 29).
//!
//! Where several nodes share a database, each tells the others by rows that end by themselves, looked at once
//! in a second and only for tenants that somebody listens to.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use belofte_model::{
    ChannelAccountId, ConversationId, DraftKind, Duration, LineId, NodeId, PresenceState, Present, QueueId,
    TenantId, Timestamp, UserId, Visible, people, writer,
};
use belofte_store::{Access, DraftPlace, PresenceRow, Store, StoreError};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often nodes look at each other.
const LOOK: Duration = Duration::from_secs(1);
/// So often a node says again what has not changed; others forget it after three times that.
const AGAIN: Duration = Duration::from_secs(15);
/// What a slow listener may be behind before it has to begin anew.
const BUFFER: usize = 256;

/// What holds at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whisper {
    /// Who is in a case; all of them, each time.
    Present {
        /// The case.
        conversation: ConversationId,
        /// Where it lies.
        place: (QueueId, ChannelAccountId),
        /// Who, and what they do.
        people: Vec<(UserId, PresenceState)>,
        /// Whose reply it is.
        writer: Option<UserId>,
    },
    /// A user has saved a draft; for their own browsers alone.
    Draft {
        /// Whose.
        user: UserId,
        /// In which case; none for a mail that begins one.
        conversation: Option<ConversationId>,
        /// Which.
        kind: DraftKind,
        /// The version that is kept now, 0 for none.
        version: i64,
    },
}

/// Who is where.
#[derive(Clone)]
pub struct Presence {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    node: NodeId,
    rooms: Mutex<HashMap<TenantId, Room>>,
}

struct Room {
    lines: HashMap<LineId, Line>,
    /// What other nodes say.
    elsewhere: Vec<PresenceRow>,
    told: broadcast::Sender<Whisper>,
    /// Whether other nodes are to be told.
    changed: bool,
    told_at: Timestamp,
}

struct Line {
    user: UserId,
    at: Option<(ConversationId, (QueueId, ChannelAccountId), Present)>,
}

impl Room {
    fn rows(&self) -> Vec<PresenceRow> {
        let own = self.lines.iter().filter_map(|(line, of)| {
            let (conversation, place, present) = of.at?;
            Some(PresenceRow { line: *line, conversation, place, present })
        });
        own.collect()
    }

    /// How things are in a case.
    fn tell(&self, conversation: ConversationId, place: (QueueId, ChannelAccountId)) -> Whisper {
        let all = self.rows();
        let there: Vec<Present> = all
            .iter()
            .chain(&self.elsewhere)
            .filter(|row| row.conversation == conversation)
            .map(|row| row.present)
            .collect();
        Whisper::Present { conversation, place, people: people(&there), writer: writer(&there) }
    }

    fn say(&self, conversation: ConversationId, place: (QueueId, ChannelAccountId)) {
        // Nobody listening is no error.
        let _ = self.told.send(self.tell(conversation, place));
    }

    /// Everything, for who has just come.
    fn all(&self) -> VecDeque<Whisper> {
        let mut seen = BTreeSet::new();
        let own = self.rows();
        let mut all = VecDeque::new();
        for row in own.iter().chain(&self.elsewhere) {
            if seen.insert(row.conversation) {
                all.push_back(self.tell(row.conversation, row.place));
            }
        }
        all
    }
}

/// What a browser says of its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Here {
    /// The case that is open, and where it lies.
    pub at: Option<(ConversationId, (QueueId, ChannelAccountId))>,
    /// What they do there.
    pub state: PresenceState,
    /// Whether they take the reply over from who writes.
    pub take: bool,
}

/// The place of one browser: it is told what holds, and what it said ends with it.
pub struct Seat {
    presence: Presence,
    tenant: TenantId,
    line: LineId,
    user: UserId,
    visible: Visible,
    heard: broadcast::Receiver<Whisper>,
    first: VecDeque<Whisper>,
}

impl Presence {
    pub(crate) fn start(store: &Store, tasks: &TaskTracker, shutdown: &CancellationToken) -> Self {
        let node = NodeId::new(store.clock().now(), store.random().bytes());
        let inner = Inner { store: store.clone(), node, rooms: Mutex::default() };
        let presence = Self { inner: Arc::new(inner) };
        // A data folder of SQLite is one node: there is nobody else to tell.
        if store.is_postgres() {
            tasks.spawn(presence.clone().run(shutdown.clone()));
        }
        presence
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<TenantId, Room>> {
        self.inner.rooms.lock().expect("no panic holds this lock")
    }

    /// A place for one browser of the user of `access`; a program has none.
    #[must_use]
    pub fn sit_down(&self, access: &Access) -> Option<Seat> {
        let (user, tenant) = (access.user()?, access.tenant());
        let line = LineId::new(access.clock().now(), self.inner.store.random().bytes());
        let mut rooms = self.rooms();
        let room = rooms.entry(tenant).or_insert_with(|| Room {
            lines: HashMap::new(),
            elsewhere: Vec::new(),
            told: broadcast::channel(BUFFER).0,
            changed: false,
            told_at: Timestamp::from_secs(0),
        });
        room.lines.insert(line, Line { user, at: None });
        let (heard, first) = (room.told.subscribe(), room.all());
        drop(rooms);
        let visible = access.visible().clone();
        Some(Seat { presence: self.clone(), tenant, line, user, visible, heard, first })
    }

    /// Tells the browsers of the user of `access` on this node which version of a draft is kept now, 0 for
    /// none.
    pub fn draft_changed(&self, access: &Access, place: DraftPlace, version: i64) {
        let Some(user) = access.user() else { return };
        if let Some(room) = self.rooms().get(&access.tenant()) {
            let DraftPlace { conversation, kind } = place;
            let _ = room.told.send(Whisper::Draft { user, conversation, kind, version });
        }
    }

    /// Whether a user sits before a case at this moment, on this node or another: they see by themselves what is new.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn looks(&self, access: &Access, user: UserId) -> Result<bool, StoreError> {
        let there = |present: &Present| present.user == user && present.state != PresenceState::Away;
        let here = self.rooms().get(&access.tenant()).is_some_and(|room| {
            room.lines.values().filter_map(|line| line.at).any(|(_, _, present)| there(&present))
        });
        if here || !self.inner.store.is_postgres() {
            return Ok(here);
        }
        let elsewhere = self.inner.store.presence_elsewhere(access, self.inner.node).await?;
        Ok(elsewhere.iter().any(|row| there(&row.present)))
    }

    async fn run(self, shutdown: CancellationToken) {
        let mut failing = crate::Trouble::default();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = shutdown.cancelled() => return,
            }
            let tenants: Vec<TenantId> = self.rooms().keys().copied().collect();
            for tenant in tenants {
                match self.meet(tenant).await {
                    Ok(()) => {
                        failing.over();
                    }
                    Err(error) => {
                        if failing.met(&error, self.inner.store.clock().now()) {
                            tracing::warn!(tenant = %tenant, error = %error, "nodes could not be told who is where");
                        }
                    }
                }
            }
        }
    }

    /// Tells other nodes and hears them.
    async fn meet(&self, tenant: TenantId) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let access = store.system().upkeep(tenant);
        let now = store.clock().now();
        let (rows, empty) = {
            let mut rooms = self.rooms();
            let Some(room) = rooms.get_mut(&tenant) else { return Ok(()) };
            let rows = room.rows();
            let due = room.changed || (!rows.is_empty() && room.told_at + AGAIN <= now);
            room.changed = false;
            (due.then_some(rows), room.lines.is_empty())
        };
        if let Some(rows) = rows {
            let kept = store.keep_presence(&access, self.inner.node, rows).await;
            if let Some(room) = self.rooms().get_mut(&tenant) {
                room.changed |= kept.is_err();
                room.told_at = now;
            }
            kept?;
        }
        if empty {
            let mut rooms = self.rooms();
            if rooms.get(&tenant).is_some_and(|room| room.lines.is_empty() && !room.changed) {
                rooms.remove(&tenant);
            }
            return Ok(());
        }
        let found = store.presence_elsewhere(&access, self.inner.node).await?;
        let mut rooms = self.rooms();
        let Some(room) = rooms.get_mut(&tenant) else { return Ok(()) };
        let before = std::mem::replace(&mut room.elsewhere, found);
        let mut told = BTreeSet::new();
        let of = |rows: &[PresenceRow], case| -> Vec<PresenceRow> {
            rows.iter().filter(|row| row.conversation == case).copied().collect()
        };
        for row in before.iter().chain(&room.elsewhere) {
            let case = row.conversation;
            if told.insert(case) && of(&before, case) != of(&room.elsewhere, case) {
                room.say(case, row.place);
            }
        }
        Ok(())
    }
}

impl Seat {
    /// Where the user is from now on, and what they do there. What has not changed is told to nobody.
    pub fn say(&self, here: Here, now: Timestamp) {
        let mut rooms = self.presence.rooms();
        let Some(room) = rooms.get_mut(&self.tenant) else { return };
        let Some(line) = room.lines.get_mut(&self.line) else { return };
        let before = line.at;
        line.at = here.at.map(|(conversation, place)| {
            let writes = here.state == PresenceState::Writing;
            let same = before.filter(|(was, _, present)| *was == conversation && present.state == here.state);
            let taken = same.and_then(|(_, _, present)| present.taken_at);
            let present = Present {
                user: line.user,
                state: here.state,
                since: same.map_or(now, |(_, _, present)| present.since),
                taken_at: if here.take && writes { Some(now) } else { taken.filter(|_| writes) },
            };
            (conversation, place, present)
        });
        let after = line.at;
        if before == after {
            return;
        }
        room.changed = true;
        if let Some((conversation, place, _)) =
            before.filter(|(was, ..)| after.is_none_or(|(is, ..)| is != *was))
        {
            room.say(conversation, place);
        }
        if let Some((conversation, place, _)) = after {
            room.say(conversation, place);
        }
    }

    /// Waits for what this browser is to know; `None` when it is too far behind. Dropping the future loses
    /// nothing.
    pub async fn next(&mut self) -> Option<Whisper> {
        loop {
            let whisper = match self.first.pop_front() {
                Some(whisper) => whisper,
                None => match self.heard.recv().await {
                    Ok(whisper) => whisper,
                    // Who has missed something begins anew, with how everything is.
                    Err(broadcast::error::RecvError::Lagged(_) | broadcast::error::RecvError::Closed) => {
                        return None;
                    }
                },
            };
            if self.is_for(&whisper) {
                return Some(whisper);
            }
        }
    }

    fn is_for(&self, whisper: &Whisper) -> bool {
        match whisper {
            Whisper::Present { place: (queue, account), .. } => self.visible.sees_case(*queue, *account),
            Whisper::Draft { user, .. } => *user == self.user,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut rooms = self.presence.rooms();
        let Some(room) = rooms.get_mut(&self.tenant) else { return };
        if let Some((conversation, place, _)) = room.lines.remove(&self.line).and_then(|line| line.at) {
            room.changed = true;
            room.say(conversation, place);
        }
        // Where other nodes listen they are told first.
        if room.lines.is_empty() && !self.presence.inner.store.is_postgres() {
            rooms.remove(&self.tenant);
        }
    }
}
