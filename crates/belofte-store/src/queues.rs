// SPDX-License-Identifier: EUPL-1.2
//! Queues: where conversations wait for somebody.

use belofte_model::{KeyId, QueueId, Timestamp, Use};

use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::{Access, Read, Store, StoreError, Tx};

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Its id.
    pub id: QueueId,
    /// What it is called.
    pub name: String,
    /// Whether conversations begin here when nothing says otherwise.
    pub is_default: bool,
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
}

struct AllQueues;

impl Read for AllQueues {
    type Out = Vec<QueueRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, name, key_id, is_default FROM queue WHERE tenant_id = $1 \
                 ORDER BY is_default DESC, created_at, id"
            ),
            params![tenant],
            |row| {
                Ok(QueueRow {
                    id: row.id(0)?,
                    name: row.bytes(1)?,
                    key: row.id(2)?,
                    is_default: row.bool(3)?,
                })
            },
        )
        .await
    }
}

/// Whether the tenant of `tx` has this queue.
pub(crate) async fn exists(tx: &mut Tx<'_>, queue: QueueId) -> Result<bool, StoreError> {
    let tenant = tx.tenant();
    let found = tx
        .query_opt(
            sql!("SELECT is_default FROM queue WHERE tenant_id = $1 AND id = $2"),
            params![tenant, queue],
            |row| row.bool(0),
        )
        .await?;
    Ok(found.is_some())
}

impl Store {
    /// The queues that `access` can see, the default one first.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn queues(&self, access: &Access) -> Result<Vec<Queue>, StoreError> {
        access.to(Use::Name)?;
        let mut queues = Vec::new();
        for row in self.read(access, AllQueues).await? {
            if !access.visible().queues.contains(&row.id) {
                continue;
            }
            let name = self
                .open_json(access.tenant(), columns::QUEUE_NAME, row.id.uuid(), row.key, &row.name)
                .await?;
            queues.push(Queue { id: row.id, name, is_default: row.is_default });
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
}
