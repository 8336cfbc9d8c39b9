// SPDX-License-Identifier: EUPL-1.2
//! Queues: where conversations wait for somebody. What becomes of one that is archived stands in
//! `queue_archives`, when one is open in `business_hours`.

use belofte_model::{EventKind, HoursSettings, KeyId, LedgerKind, QueueId, Timestamp, Use};
use serde_json::{Value, json};

use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::queue_archives::QueueMoving;
use crate::sealing::seal_json;
use crate::{Access, NewLeaf, Read, Row, Store, StoreError, TenantKeys, Tx, Write};

/// So many queues a tenant has at most, archived ones included.
pub const MOST_QUEUES: usize = 200;

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Its id.
    pub id: QueueId,
    /// What it is called.
    pub name: String,
    /// Whether conversations begin here when nothing says otherwise.
    pub is_default: bool,
    /// Whether nothing comes into it any more.
    pub archived: bool,
    /// Changes with every change.
    pub version: i64,
}

/// A queue with how it is set up.
#[derive(Clone, Debug)]
pub struct QueueSetUp {
    /// The queue.
    pub queue: Queue,
    /// What it is for; may be empty.
    pub description: String,
    /// When it is open; always when `None`.
    pub hours: Option<HoursSettings>,
    /// Where its conversations were to go when it was archived.
    pub archived_into: Option<QueueId>,
    /// What is on its way out of it, or back.
    pub moving: Option<QueueMoving>,
}

/// A change of a queue; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct QueueChange {
    /// The version that the change was made on; none to change whatever is there.
    pub version: Option<i64>,
    /// What it is called.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// That it becomes the one in which conversations begin.
    pub make_default: bool,
}

/// Why a queue was not made, changed, archived or restored.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The tenant has as many as one may have.
    #[error("the tenant has as many queues as one may have")]
    TooMany,
    /// Conversations begin in it when nothing says otherwise.
    #[error("the queue is the one in which conversations begin")]
    IsDefault,
    /// Something lies in it, or comes into it, and it was not said where that goes.
    #[error("the queue is not empty")]
    NotEmpty,
    /// The queue that is to take what lies in it is not there, is archived, or is the same one.
    #[error("the queue that is to take the conversations cannot")]
    NoSuchTarget,
    /// It is archived, or it is not.
    #[error("the queue is archived already, or is not")]
    WrongState,
    /// Not every queue in use was named once.
    #[error("the order does not name every queue once")]
    NotAll,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A queue before it is stored.
pub(crate) struct NewQueue {
    pub(crate) id: QueueId,
    pub(crate) name: Vec<u8>,
    pub(crate) key: KeyId,
    pub(crate) is_default: bool,
}

impl NewQueue {
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, at: Timestamp) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!(
                "INSERT INTO queue (tenant_id, id, name, key_id, is_default, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)"
            ),
            params![tenant, self.id, &self.name, self.key, self.is_default, at],
        )
        .await
    }
}

struct QueueRow {
    id: QueueId,
    name: Vec<u8>,
    key: KeyId,
    is_default: bool,
    archived: bool,
    version: i64,
}

fn queue_row(row: &Row<'_>) -> Result<QueueRow, StoreError> {
    Ok(QueueRow {
        id: row.id(0)?,
        name: row.bytes(1)?,
        key: row.id(2)?,
        is_default: row.bool(3)?,
        archived: row.opt_time(4)?.is_some(),
        version: row.int(5)?,
    })
}

struct AllQueues;

impl Read for AllQueues {
    type Out = Vec<QueueRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, name, key_id, is_default, archived_at, version FROM queue WHERE tenant_id = $1 \
                 ORDER BY position, created_at, id"
            ),
            params![tenant],
            queue_row,
        )
        .await
    }
}

struct OneQueue(QueueId);

impl Read for OneQueue {
    type Out = Option<(QueueRow, Option<Vec<u8>>, Option<QueueId>)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_opt(
            sql!(
                "SELECT id, name, key_id, is_default, archived_at, version, description, archived_into FROM queue \
                 WHERE tenant_id = $1 AND id = $2"
            ),
            params![tenant, self.0],
            |row| Ok((queue_row(row)?, row.opt_bytes(6)?, row.opt_id(7)?)),
        )
        .await
    }
}

/// What a change of the queues of a tenant stands on.
pub(crate) struct Standing {
    pub(crate) id: QueueId,
    pub(crate) is_default: bool,
    pub(crate) archived: bool,
    pub(crate) archived_into: Option<QueueId>,
    pub(crate) settles_in: Option<QueueId>,
    pub(crate) version: i64,
}

/// All queues of the tenant; they stay so until COMMIT, and who else changes one of them waits.
pub(crate) async fn lock_all(tx: &mut Tx<'_>) -> Result<Vec<Standing>, StoreError> {
    let tenant = tx.tenant();
    let text = if tx.is_postgres() {
        sql!(
            "SELECT id, is_default, archived_at, archived_into, settles_in, version FROM queue WHERE tenant_id = $1 \
             ORDER BY id FOR UPDATE"
        )
    } else {
        sql!(
            "SELECT id, is_default, archived_at, archived_into, settles_in, version FROM queue WHERE tenant_id = $1 \
             ORDER BY id"
        )
    };
    tx.query(text, params![tenant], |row| {
        Ok(Standing {
            id: row.id(0)?,
            is_default: row.bool(1)?,
            archived: row.opt_time(2)?.is_some(),
            archived_into: row.opt_id(3)?,
            settles_in: row.opt_id(4)?,
            version: row.int(5)?,
        })
    })
    .await
}

/// Whether the tenant of `tx` has this queue and uses it; it stays so until COMMIT.
pub(crate) async fn in_use(tx: &mut Tx<'_>, queue: QueueId) -> Result<bool, StoreError> {
    let tenant = tx.tenant();
    let text = if tx.is_postgres() {
        sql!("SELECT version FROM queue WHERE tenant_id = $1 AND id = $2 AND archived_at IS NULL FOR SHARE")
    } else {
        sql!("SELECT version FROM queue WHERE tenant_id = $1 AND id = $2 AND archived_at IS NULL")
    };
    Ok(tx.query_opt(text, params![tenant, queue], |row| row.int(0)).await?.is_some())
}

/// Appends the leaf of a change and tells of it.
pub(crate) async fn record(
    tx: &mut Tx<'_>,
    leaf: &NewLeaf,
    queue: Option<QueueId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
    leaf.append(tx, numbers.leaf).await?;
    Event { queue, ..Event::new(EventKind::QueuesChanged, now) }.append(tx, numbers.event).await
}

/// What is sealed of a queue.
struct Sealed {
    name: Vec<u8>,
    description: Vec<u8>,
    key: KeyId,
}

impl Store {
    fn seal_queue(
        &self,
        keys: &TenantKeys,
        id: QueueId,
        name: &str,
        description: &str,
    ) -> Result<Sealed, StoreError> {
        Ok(Sealed {
            name: seal_json(keys, self.random(), columns::QUEUE_NAME, id.uuid(), &name)?,
            description: seal_json(keys, self.random(), columns::QUEUE_DESCRIPTION, id.uuid(), &description)?,
            key: keys.settings.id(),
        })
    }
}

struct Create {
    id: QueueId,
    sealed: Sealed,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Create {
    /// Whether there was room.
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        if lock_all(tx).await?.len() >= MOST_QUEUES {
            return Ok(false);
        }
        let Sealed { name, description, key } = &self.sealed;
        let last = sql!("SELECT CAST(coalesce(max(position), 0) AS bigint) FROM queue WHERE tenant_id = $1");
        let last = tx.query_one(last, params![tenant], |row| row.int(0)).await?;
        tx.execute_one(
            sql!(
                "INSERT INTO queue (tenant_id, id, name, key_id, is_default, created_at, description, position) \
                 VALUES ($1, $2, $3, $4, 0, $5, $6, $7) ON CONFLICT DO NOTHING"
            ),
            params![tenant, self.id, name, *key, self.now, description, last + 1],
        )
        .await?;
        record(tx, &self.leaf, Some(self.id), self.now).await?;
        Ok(true)
    }
}

struct Change {
    id: QueueId,
    planned_on: i64,
    sealed: Sealed,
    make_default: bool,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Change {
    /// Whether it could become the one in which conversations begin, if it was to.
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        let all = lock_all(tx).await?;
        let this = all.iter().find(|queue| queue.id == self.id).ok_or(StoreError::NotFound)?;
        if this.version != self.planned_on {
            return Err(StoreError::Conflict);
        }
        if self.make_default && this.archived {
            return Ok(false);
        }
        let Sealed { name, description, key } = &self.sealed;
        tx.execute_one(
            sql!(
                "UPDATE queue SET name = $3, description = $4, key_id = $5, version = version + 1 \
                 WHERE tenant_id = $1 AND id = $2"
            ),
            params![tenant, self.id, name, description, *key],
        )
        .await?;
        if self.make_default {
            tx.execute(
                sql!(
                    "UPDATE queue SET version = version + CASE WHEN is_default = 1 AND id <> $2 THEN 1 ELSE 0 END, \
                     is_default = CASE WHEN id = $2 THEN 1 ELSE 0 END WHERE tenant_id = $1"
                ),
                params![tenant, self.id],
            )
            .await?;
        }
        record(tx, &self.leaf, Some(self.id), self.now).await?;
        Ok(true)
    }
}

struct Order {
    ids: Vec<QueueId>,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Order {
    /// Whether every queue in use was named, and no other.
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        let all = lock_all(tx).await?;
        if self.ids.iter().any(|id| all.iter().all(|queue| queue.id != *id)) {
            return Err(StoreError::NotFound);
        }
        let mut there: Vec<_> = all.iter().filter(|queue| !queue.archived).map(|queue| queue.id).collect();
        let mut named = self.ids.clone();
        there.sort_unstable();
        named.sort_unstable();
        if there != named {
            return Ok(false);
        }
        for (place, id) in (1_i64..).zip(&self.ids) {
            tx.execute_one(
                sql!("UPDATE queue SET position = $3 WHERE tenant_id = $1 AND id = $2"),
                params![tenant, *id, place],
            )
            .await?;
        }
        record(tx, &self.leaf, None, self.now).await?;
        Ok(true)
    }
}

/// What the ledger says a queue is.
pub(crate) fn told(set_up: &QueueSetUp) -> Value {
    let queue = &set_up.queue;
    json!({
        "name": queue.name, "description": set_up.description, "default": queue.is_default,
        "archived": queue.archived, "hours": set_up.hours,
    })
}

impl Store {
    async fn open_queue(&self, access: &Access, row: QueueRow) -> Result<Queue, StoreError> {
        let name =
            self.open_json(access.tenant(), columns::QUEUE_NAME, row.id.uuid(), row.key, &row.name).await?;
        let QueueRow { id, is_default, archived, version, .. } = row;
        Ok(Queue { id, name, is_default, archived, version })
    }

    /// The queues that `access` can see, archived ones too, in the tenant's order. Of what is sealed about
    /// them only the names are opened.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn queues(&self, access: &Access) -> Result<Vec<Queue>, StoreError> {
        access.to(Use::Name)?;
        let mut queues = Vec::new();
        for row in self.read(access, AllQueues).await? {
            if access.visible().queues.contains(&row.id) {
                queues.push(self.open_queue(access, row).await?);
            }
        }
        Ok(queues)
    }

    /// The queue in which conversations begin when nothing says otherwise.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when `access` can see none, and the engine's errors.
    pub async fn default_queue(&self, access: &Access) -> Result<QueueId, StoreError> {
        access.to(Use::Name)?;
        let queues = self.read(access, AllQueues).await?;
        let mut seen = queues.iter().filter(|queue| access.visible().queues.contains(&queue.id));
        seen.find(|queue| queue.is_default).map(|queue| queue.id).ok_or(StoreError::NotFound)
    }

    /// One queue with how it is set up, and what is on its way out of it or back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors and those of sealing.
    pub async fn queue_set_up(&self, access: &Access, id: QueueId) -> Result<QueueSetUp, StoreError> {
        access.to(Use::Configure)?;
        if !access.visible().queues.contains(&id) {
            return Err(StoreError::NotFound);
        }
        let (row, description, archived_into) =
            self.read(access, OneQueue(id)).await?.ok_or(StoreError::NotFound)?;
        let description = match description {
            Some(sealed) => {
                let column = columns::QUEUE_DESCRIPTION;
                self.open_json(access.tenant(), column, id.uuid(), row.key, &sealed).await?
            }
            None => String::new(),
        };
        let queue = self.open_queue(access, row).await?;
        let hours = self.hours_of(access, id).await?;
        let moving = self.queue_moving(access, id, queue.archived).await?;
        Ok(QueueSetUp { queue, description, hours, archived_into, moving })
    }

    /// Makes a queue, behind the others; with `intended` under that id, and the one that an earlier try of
    /// the same request made under it is the answer.
    ///
    /// # Errors
    /// [`QueueError::TooMany`]; those of the store.
    pub async fn create_queue(
        &self,
        access: &Access,
        intended: Option<QueueId>,
        name: &str,
        description: &str,
    ) -> Result<QueueSetUp, QueueError> {
        access.to(Use::Configure)?;
        if let Some(id) = intended {
            match self.queue_set_up(access, id).await {
                Err(StoreError::NotFound) => {}
                made => return Ok(made?),
            }
        }
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let id = intended.unwrap_or_else(|| QueueId::new(now, self.random().bytes()));
        let made = QueueSetUp {
            queue: Queue { id, name: name.to_owned(), is_default: false, archived: false, version: 1 },
            description: description.to_owned(),
            hours: None,
            archived_into: None,
            moving: None,
        };
        let detail = json!({
            "what": "queue", "act": "created", "id": id, "name": name, "before": null, "after": told(&made),
        });
        let create = Create {
            id,
            sealed: self.seal_queue(&keys, id, name, description)?,
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            now,
        };
        if self.write(access, create).await? { Ok(made) } else { Err(QueueError::TooMany) }
    }

    /// Renames or describes a queue, or makes it the one in which conversations begin.
    ///
    /// # Errors
    /// [`QueueError::WrongState`] for an archived one in which conversations would begin;
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] when somebody else changed it.
    pub async fn change_queue(
        &self,
        access: &Access,
        id: QueueId,
        change: QueueChange,
    ) -> Result<QueueSetUp, QueueError> {
        access.to(Use::Configure)?;
        let before = self.queue_set_up(access, id).await?;
        if change.version.is_some_and(|expected| expected != before.queue.version) {
            return Err(StoreError::Conflict.into());
        }
        let keys = self.keys(access).await?;
        let mut after = before.clone();
        after.queue.version += 1;
        after.queue.is_default |= change.make_default;
        after.queue.name = change.name.unwrap_or(after.queue.name);
        after.description = change.description.unwrap_or(after.description);
        let detail = json!({
            "what": "queue", "act": "changed", "id": id, "name": &after.queue.name,
            "before": told(&before), "after": told(&after),
        });
        let write = Change {
            id,
            planned_on: before.queue.version,
            sealed: self.seal_queue(&keys, id, &after.queue.name, &after.description)?,
            make_default: change.make_default,
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            now: access.clock().now(),
        };
        if self.write(access, write).await? { Ok(after) } else { Err(QueueError::WrongState) }
    }

    /// Puts the queues in use into this order. Each of them is named once.
    ///
    /// # Errors
    /// [`QueueError::NotAll`]; [`StoreError::NotFound`] for one that the tenant does not have; the engine's errors and
    /// those of sealing.
    pub async fn order_queues(&self, access: &Access, ids: Vec<QueueId>) -> Result<(), QueueError> {
        access.to(Use::Configure)?;
        let queues = self.queues(access).await?;
        let before: Vec<_> = queues.iter().filter(|queue| !queue.archived).map(|queue| queue.id).collect();
        let keys = self.keys(access).await?;
        let detail = json!({ "what": "queue", "act": "ordered", "before": before, "after": &ids });
        let order = Order {
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            ids,
            now: access.clock().now(),
        };
        if self.write(access, order).await? { Ok(()) } else { Err(QueueError::NotAll) }
    }
}
