// SPDX-License-Identifier: EUPL-1.2
//! When queues are open. Calendars are sealed apart from the names, and opened on the page of their queue and
//! where it has to be found out anew whether a queue is open: what was found holds until the queue opens or
//! closes, so that a list of queues opens none.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use belofte_model::{Duration, HoursSettings, KeyId, LedgerKind, QueueId, TenantId, Timestamp, Use};
use serde_json::json;

use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::queues::{self, QueueError, QueueSetUp, told};
use crate::sealing::seal_json;
use crate::{Access, NewLeaf, Read, Store, StoreError, Tx, Write};

/// Whether a queue is open, and until when that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Whether it is open.
    pub open: bool,
    /// When it opens or closes; `None` when that is not in sight.
    pub changes_at: Option<Timestamp>,
}

/// So many are kept at most, and so long where no change is in sight.
const KEPT: usize = 4_096;
const IN_SIGHT: Duration = Duration::from_secs(24 * 3_600);

/// What was found out of calendars, by queue and version.
#[derive(Default)]
pub(crate) struct Openings {
    known: Mutex<HashMap<(TenantId, QueueId), Known>>,
}

#[derive(Clone, Copy)]
struct Known {
    version: i64,
    opening: Opening,
    from: Timestamp,
    until: Timestamp,
}

impl Openings {
    fn get(&self, tenant: TenantId, queue: QueueId, version: i64, now: Timestamp) -> Option<Opening> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let one = known.get(&(tenant, queue))?;
        (one.version == version && (one.from..one.until).contains(&now)).then_some(one.opening)
    }

    fn put(&self, tenant: TenantId, queue: QueueId, one: Known) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert((tenant, queue), one);
    }
}

struct Versions;

impl Read for Versions {
    type Out = Vec<(QueueId, i64)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!("SELECT queue_id, version FROM queue_hours WHERE tenant_id = $1"),
            params![tenant],
            |row| Ok((row.id(0)?, row.int(1)?)),
        )
        .await
    }
}

struct HoursOf(QueueId);

impl Read for HoursOf {
    type Out = Option<(Vec<u8>, KeyId, i64)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_opt(
            sql!("SELECT hours, key_id, version FROM queue_hours WHERE tenant_id = $1 AND queue_id = $2"),
            params![tenant, self.0],
            |row| Ok((row.bytes(0)?, row.id(1)?, row.int(2)?)),
        )
        .await
    }
}

struct SetHours {
    id: QueueId,
    planned_on: i64,
    /// Sealed; `None` to be open always.
    hours: Option<Vec<u8>>,
    key: KeyId,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for SetHours {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!("UPDATE queue SET version = version + 1 WHERE tenant_id = $1 AND id = $2 AND version = $3"),
            params![tenant, self.id, self.planned_on],
        )
        .await?;
        tx.execute(
            sql!("DELETE FROM queue_hours WHERE tenant_id = $1 AND queue_id = $2"),
            params![tenant, self.id],
        )
        .await?;
        if let Some(hours) = &self.hours {
            // The version of the queue, which never comes again.
            tx.execute_one(
                sql!(
                    "INSERT INTO queue_hours (tenant_id, queue_id, hours, key_id, version) VALUES ($1, $2, $3, $4, $5)"
                ),
                params![tenant, self.id, hours, self.key, self.planned_on + 1],
            )
            .await?;
        }
        queues::record(tx, &self.leaf, Some(self.id), self.now).await
    }
}

impl Store {
    async fn open_hours(
        &self,
        access: &Access,
        id: QueueId,
    ) -> Result<Option<(HoursSettings, i64)>, StoreError> {
        let Some((sealed, key, version)) = self.read(access, HoursOf(id)).await? else { return Ok(None) };
        let column = columns::QUEUE_HOURS;
        let hours = self.open_json(access.tenant(), column, id.uuid(), key, &sealed).await?;
        Ok(Some((hours, version)))
    }

    /// The calendar of a queue; `None` when it is always open.
    pub(crate) async fn hours_of(
        &self,
        access: &Access,
        id: QueueId,
    ) -> Result<Option<HoursSettings>, StoreError> {
        Ok(self.open_hours(access, id).await?.map(|(hours, _)| hours))
    }

    /// Whether the queues that `access` can see are open now; one that has no calendar is not among them, and
    /// always open.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn queue_openings(&self, access: &Access) -> Result<HashMap<QueueId, Opening>, StoreError> {
        access.to(Use::Name)?;
        let (tenant, now) = (access.tenant(), access.clock().now());
        let mut openings = HashMap::new();
        for (id, version) in self.read(access, Versions).await? {
            if !access.visible().queues.contains(&id) {
                continue;
            }
            if let Some(known) = self.openings().get(tenant, id, version, now) {
                openings.insert(id, known);
                continue;
            }
            let Some((settings, version)) = self.open_hours(access, id).await? else { continue };
            let hours =
                settings.check().map_err(|_| StoreError::Inconsistent { what: "queue_hours.hours" })?;
            let opening = Opening { open: hours.is_open(now), changes_at: hours.next_change(now) };
            let until = opening.changes_at.unwrap_or(now + IN_SIGHT);
            self.openings().put(tenant, id, Known { version, opening, from: now, until });
            openings.insert(id, opening);
        }
        Ok(openings)
    }

    /// Gives a queue a calendar, or has it open always; `version` is the one that the change was made on, none
    /// to change whatever is there. That the calendar holds is for the caller to have checked.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] when somebody else changed the queue; the engine's
    /// errors and those of sealing.
    pub async fn set_business_hours(
        &self,
        access: &Access,
        id: QueueId,
        version: Option<i64>,
        hours: Option<HoursSettings>,
    ) -> Result<QueueSetUp, QueueError> {
        access.to(Use::Configure)?;
        let before = self.queue_set_up(access, id).await?;
        if version.is_some_and(|expected| expected != before.queue.version) {
            return Err(StoreError::Conflict.into());
        }
        let keys = self.keys(access).await?;
        let mut after = QueueSetUp { hours, ..before.clone() };
        after.queue.version += 1;
        let detail = json!({
            "what": "queue", "act": "hours", "id": id, "name": &after.queue.name,
            "before": told(&before), "after": told(&after),
        });
        let sealed = after
            .hours
            .as_ref()
            .map(|hours| seal_json(&keys, self.random(), columns::QUEUE_HOURS, id.uuid(), hours));
        let write = SetHours {
            id,
            planned_on: before.queue.version,
            hours: sealed.transpose()?,
            key: keys.settings.id(),
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            now: access.clock().now(),
        };
        self.write(access, write).await?;
        Ok(after)
    }
}
