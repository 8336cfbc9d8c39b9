// SPDX-License-Identifier: EUPL-1.2
//! Browsers of users that are told when something is new, and never what (RFC 8030; decision 36).
//!
//! A device belongs to the session in which its user turned it on, and ends with it: who signs out, is blocked or
//! has not come back for long is told nothing more. Where it is reached is sealed together with whose it is, so that
//! a row cannot be given to somebody else. Of the keys for contents that browsers offer (RFC 8291) none is kept:
//! there are no contents.

use belofte_model::{KeyId, LedgerKind, PushDeviceId, PushProblem, SessionId, Timestamp, Use, UserId};
use belofte_vault::{Pii, PushKey, SealContext};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access::ClaimedJob;
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::sealing::seal_json;
use crate::sessions::session_holds;
use crate::{Access, NewLeaf, Read, Store, StoreError, TenantKeys, Tx, Write, jobs};

/// So many devices one user has at most.
pub const PUSH_DEVICES: i64 = 10;
/// So long after its cause a device is told: several causes at once are one, and who looks at the desk has seen it.
const SOON: belofte_model::Duration = belofte_model::Duration::from_secs(2);

/// A device in the list of its user.
#[derive(Clone, Debug)]
pub struct PushDevice {
    /// Its id.
    pub id: PushDeviceId,
    /// The session that it belongs to.
    pub session: SessionId,
    /// Where its push service reaches it.
    pub endpoint: Pii<String>,
    /// What its browser called itself.
    pub user_agent: Pii<String>,
    /// Why it was not told the last time.
    pub problem: Option<PushProblem>,
    /// When it was told last.
    pub told_at: Option<Timestamp>,
    /// Since when it is one.
    pub created_at: Timestamp,
}

/// A browser that is to be told from now on.
#[derive(Clone, Debug)]
pub struct NewPushDevice {
    /// The session in which its user asks for it.
    pub session: SessionId,
    /// Where its push service reaches it; that this is a service of the operator's list is for the caller to see.
    pub endpoint: Pii<String>,
    /// What the browser calls itself.
    pub user_agent: Pii<String>,
}

/// Why a device was not added.
#[derive(Debug, thiserror::Error)]
pub enum PushDeviceError {
    /// The tenant does not allow browser push.
    #[error("the tenant does not allow browser push")]
    NotAllowed,
    /// The user has as many as one may have.
    #[error("the user has as many devices as one may have")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a device is told, and by which key; for who tells it.
#[derive(Clone, Debug)]
pub struct PushTarget {
    /// Whose it is.
    pub user: UserId,
    /// Where its push service reaches it.
    pub endpoint: Pii<String>,
    /// Says who sends.
    pub key: PushKey,
    /// When that happened which is to be told; now, where no job asks.
    pub cause: Timestamp,
}

/// What came of telling a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushOutcome {
    /// Its push service took it.
    Told,
    /// The device is there no more.
    Gone,
    /// It was not told, and will not be about this.
    Failed(PushProblem),
    /// It is to be tried again.
    Later(Timestamp),
    /// There was nobody to tell.
    NotNeeded,
}

#[derive(Serialize, Deserialize)]
struct Details {
    user: UserId,
    endpoint: String,
    agent: String,
}

fn index(keys: &TenantKeys, endpoint: &str) -> [u8; 16] {
    keys.lookup.index("push-endpoint", endpoint)
}

/// Has every device of a user told soon, in the write of what is new for them. There is one job for each device, with
/// its id: while it waits it stands for everything that came since, and what a push service is told has no content.
/// Users are told in the order of their ids, where one write tells several: no two writes then wait for each other.
pub(crate) async fn tell_devices(tx: &mut Tx<'_>, user: UserId, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!(
            "INSERT INTO job (tenant_id, id, kind, subject_id, state, run_at, attempts, fence, lease_until, error_code, \
             created_at, changed_at) SELECT d.tenant_id, d.id, 'push', d.id, 'ready', CAST($3 AS bigint), 0, 0, NULL, \
             NULL, CAST($4 AS bigint), CAST($4 AS bigint) FROM push_device d WHERE d.tenant_id = $1 AND d.user_id = $2 \
             ORDER BY d.id ON CONFLICT DO NOTHING"
        ),
        params![tenant, user, now + SOON, now],
    )
    .await
    .map(drop)
}

/// Forgets the devices of a user whose session has ended; called by what ends sessions.
pub(crate) async fn forget_ended(tx: &mut Tx<'_>, user: UserId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!(
            "DELETE FROM push_device WHERE tenant_id = $1 AND user_id = $2 AND session_id NOT IN \
             (SELECT id FROM session WHERE tenant_id = $1 AND user_id = $2)"
        ),
        params![tenant, user],
    )
    .await
    .map(drop)
}

/// Forgets at most `limit` devices of the tenant whose session is gone; gives how many there were. For the sweep.
pub(crate) async fn forget_without_session(tx: &mut Tx<'_>, limit: i64) -> Result<u64, StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!(
            "DELETE FROM push_device WHERE tenant_id = $1 AND id IN (SELECT d.id FROM push_device d \
             WHERE d.tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM session s WHERE s.tenant_id = d.tenant_id \
             AND s.user_id = d.user_id AND s.id = d.session_id) LIMIT $2)"
        ),
        params![tenant, limit],
    )
    .await
}

struct DeviceRow {
    id: PushDeviceId,
    session: SessionId,
    details: Vec<u8>,
    key: KeyId,
    problem: Option<PushProblem>,
    told_at: Option<Timestamp>,
    created_at: Timestamp,
}

struct DevicesOf(UserId);

impl Read for DevicesOf {
    type Out = Vec<DeviceRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, session_id, details, key_id, problem, told_at, created_at FROM push_device \
                 WHERE tenant_id = $1 AND user_id = $2 ORDER BY created_at DESC, id"
            ),
            params![tenant, self.0],
            |row| {
                Ok(DeviceRow {
                    id: row.id(0)?,
                    session: row.id(1)?,
                    details: row.bytes(2)?,
                    key: row.id(3)?,
                    problem: row.opt_text(4)?.as_deref().and_then(PushProblem::parse),
                    told_at: row.opt_time(5)?,
                    created_at: row.time(6)?,
                })
            },
        )
        .await
    }
}

struct Add {
    id: PushDeviceId,
    user: UserId,
    session: SessionId,
    index: [u8; 16],
    details: Vec<u8>,
    key: KeyId,
    leaf: NewLeaf,
    now: Timestamp,
}

/// What became of it; a refusal has written nothing.
enum Added {
    Done,
    NotAllowed,
    TooMany,
}

impl Write for Add {
    type Out = Added;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Added, StoreError> {
        let tenant = tx.tenant();
        // The tenant's row is locked first: two browsers take turns, and nobody forbids it meanwhile.
        counters::take(tx, Needs::default()).await?;
        let allowed = tx
            .query_opt(
                sql!("SELECT allowed_at FROM push_setting WHERE tenant_id = $1"),
                params![tenant],
                |row| row.time(0),
            )
            .await?;
        if allowed.is_none() {
            return Ok(Added::NotAllowed);
        }
        let session = tx
            .query_opt(
                sql!("SELECT created_at FROM session WHERE tenant_id = $1 AND user_id = $2 AND id = $3"),
                params![tenant, self.user, self.session],
                |row| row.time(0),
            )
            .await?;
        if session.is_none() {
            return Err(StoreError::NotFound);
        }
        let others = tx
            .query_one(
                sql!(
                    "SELECT count(*) FROM push_device WHERE tenant_id = $1 AND user_id = $2 AND endpoint_index <> $3 \
                     AND session_id <> $4"
                ),
                params![tenant, self.user, &self.index, self.session],
                |row| row.int(0),
            )
            .await?;
        if others >= PUSH_DEVICES {
            return Ok(Added::TooMany);
        }
        // A browser has one user at a time, and a session one browser: what it was before ends here.
        let renewed = tx
            .execute(
                sql!(
                    "DELETE FROM push_device WHERE tenant_id = $1 AND user_id = $2 AND (endpoint_index = $3 OR session_id = $4)"
                ),
                params![tenant, self.user, &self.index, self.session],
            )
            .await?;
        tx.execute(
            sql!("DELETE FROM push_device WHERE tenant_id = $1 AND endpoint_index = $2"),
            params![tenant, &self.index],
        )
        .await?;
        tx.execute_one(
            sql!(
                "INSERT INTO push_device (tenant_id, id, user_id, session_id, endpoint_index, details, key_id, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"
            ),
            params![
                tenant,
                self.id,
                self.user,
                self.session,
                &self.index,
                &self.details,
                self.key,
                self.now
            ],
        )
        .await?;
        // Only what is new to the user is told: their browser says again where it is whenever they sign in.
        if renewed == 0 {
            let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
            self.leaf.append(tx, numbers.leaf).await?;
        }
        Ok(Added::Done)
    }
}

struct Remove {
    id: PushDeviceId,
    user: UserId,
    leaf: NewLeaf,
}

impl Write for Remove {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        // A job that waits for it finds nothing and ends.
        let gone = tx
            .execute(
                sql!("DELETE FROM push_device WHERE tenant_id = $1 AND id = $2 AND user_id = $3"),
                params![tenant, self.id, self.user],
            )
            .await?;
        if gone == 0 {
            return Err(StoreError::NotFound);
        }
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await
    }
}

struct FoundTarget {
    user: UserId,
    details: Vec<u8>,
    key: KeyId,
    secret: Vec<u8>,
    secret_key: KeyId,
    expires_at: Timestamp,
    last_seen_at: Timestamp,
    cause: Option<Timestamp>,
}

struct Target {
    id: PushDeviceId,
    job: Option<ClaimedJob>,
}

impl Read for Target {
    type Out = Option<FoundTarget>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let found = tx
            .query_opt(
                sql!(
                    "SELECT d.user_id, d.details, d.key_id, p.secret, p.key_id, s.expires_at, s.last_seen_at \
                     FROM push_device d JOIN push_setting p ON p.tenant_id = d.tenant_id \
                     JOIN session s ON s.tenant_id = d.tenant_id AND s.user_id = d.user_id AND s.id = d.session_id \
                     JOIN user_account u ON u.tenant_id = d.tenant_id AND u.id = d.user_id AND u.state = 'active' \
                     WHERE d.tenant_id = $1 AND d.id = $2"
                ),
                params![tenant, self.id],
                |row| {
                    Ok(FoundTarget {
                        user: row.id(0)?,
                        details: row.bytes(1)?,
                        key: row.id(2)?,
                        secret: row.bytes(3)?,
                        secret_key: row.id(4)?,
                        expires_at: row.time(5)?,
                        last_seen_at: row.time(6)?,
                        cause: None,
                    })
                },
            )
            .await?;
        let Some(mut found) = found else { return Ok(None) };
        let Some(job) = &self.job else { return Ok(Some(found)) };
        found.cause = tx
            .query_opt(
                sql!("SELECT created_at FROM job WHERE tenant_id = $1 AND id = $2"),
                params![tenant, job.id],
                |row| row.time(0),
            )
            .await?;
        Ok(Some(found))
    }
}

struct Note {
    id: PushDeviceId,
    outcome: PushOutcome,
    job: Option<ClaimedJob>,
    /// Whose it must be, where a user asks.
    of: Option<UserId>,
    now: Timestamp,
}

impl Write for Note {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        if let Some(user) = self.of {
            let own =
                sql!("SELECT created_at FROM push_device WHERE tenant_id = $1 AND id = $2 AND user_id = $3");
            let own = tx.query_opt(own, params![tenant, self.id, user], |row| row.time(0)).await?;
            if own.is_none() {
                return Err(StoreError::NotFound);
            }
        }
        match (&self.job, self.outcome) {
            (Some(job), PushOutcome::Later(at)) => jobs::wait_until(tx, job, at, self.now).await?,
            (Some(job), _) => jobs::finish(tx, job).await?,
            (None, _) => {}
        }
        // The device may have been removed meanwhile: then there is nothing to note.
        match self.outcome {
            PushOutcome::Told => {
                tx.execute(
                    sql!(
                        "UPDATE push_device SET told_at = $3, problem = NULL WHERE tenant_id = $1 AND id = $2"
                    ),
                    params![tenant, self.id, self.now],
                )
                .await?;
            }
            PushOutcome::Failed(problem) => {
                tx.execute(
                    sql!("UPDATE push_device SET problem = $3 WHERE tenant_id = $1 AND id = $2"),
                    params![tenant, self.id, problem.as_str()],
                )
                .await?;
            }
            PushOutcome::Gone => {
                tx.execute(
                    sql!("DELETE FROM push_device WHERE tenant_id = $1 AND id = $2"),
                    params![tenant, self.id],
                )
                .await?;
            }
            PushOutcome::Later(_) | PushOutcome::NotNeeded => {}
        }
        Ok(())
    }
}

impl Store {
    /// The devices of the user who asks, the newest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when a program asks; the engine's errors and those of sealing.
    pub async fn push_devices(&self, access: &Access) -> Result<Vec<PushDevice>, StoreError> {
        access.to(Use::Configure)?;
        let user = access.user().ok_or(StoreError::NotFound)?;
        let mut devices = Vec::new();
        for row in self.read(access, DevicesOf(user)).await? {
            let column = columns::PUSH_DEVICE_DETAILS;
            let details: Details =
                self.open_json(access.tenant(), column, row.id.uuid(), row.key, &row.details).await?;
            if details.user != user {
                continue;
            }
            devices.push(PushDevice {
                id: row.id,
                session: row.session,
                endpoint: Pii::new(details.endpoint),
                user_agent: Pii::new(details.agent),
                problem: row.problem,
                told_at: row.told_at,
                created_at: row.created_at,
            });
        }
        Ok(devices)
    }

    /// Has a browser of the user who asks told from now on, under the id `intended` if there is one. A browser that
    /// is known takes the place of what it was, also when it was somebody else's.
    ///
    /// # Errors
    /// [`PushDeviceError`]; [`StoreError::NotFound`] when a program asks, or the session is not the user's.
    pub async fn add_push_device(
        &self,
        access: &Access,
        intended: Option<PushDeviceId>,
        new: NewPushDevice,
    ) -> Result<PushDeviceId, PushDeviceError> {
        access.to(Use::Configure)?;
        let user = access.user().ok_or(StoreError::NotFound)?;
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let id = intended.unwrap_or_else(|| PushDeviceId::new(now, self.random().bytes()));
        let index = index(&keys, new.endpoint.expose());
        let details =
            Details { user, endpoint: new.endpoint.into_inner(), agent: new.user_agent.into_inner() };
        let detail = json!({ "act": "push_device_added", "user": user, "device": id });
        let add = Add {
            id,
            user,
            session: new.session,
            index,
            details: seal_json(&keys, self.random(), columns::PUSH_DEVICE_DETAILS, id.uuid(), &details)?,
            key: keys.settings.id(),
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Membership, detail)?,
            now,
        };
        match self.write(access, add).await? {
            Added::Done => Ok(id),
            Added::NotAllowed => Err(PushDeviceError::NotAllowed),
            Added::TooMany => Err(PushDeviceError::TooMany),
        }
    }

    /// Takes a device of the user who asks away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when they have no such device, or a program asks; the engine's errors.
    pub async fn remove_push_device(&self, access: &Access, id: PushDeviceId) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        let user = access.user().ok_or(StoreError::NotFound)?;
        let keys = self.keys(access).await?;
        let detail = json!({ "act": "push_device_removed", "user": user, "device": id });
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Membership, detail)?;
        self.write(access, Remove { id, user, leaf }).await
    }

    /// Where a device is told now, and by which key; `None` when nothing is to be told there: it is gone, its user is
    /// blocked, its session has ended, or the tenant does not allow it. A user reaches their own devices alone.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn push_target(
        &self,
        access: &Access,
        id: PushDeviceId,
        job: Option<&ClaimedJob>,
    ) -> Result<Option<PushTarget>, StoreError> {
        access.to(Use::Notify)?;
        let (tenant, now) = (access.tenant(), access.clock().now());
        let Some(found) = self.read(access, Target { id, job: job.cloned() }).await? else { return Ok(None) };
        if access.user().is_some_and(|user| user != found.user)
            || !session_holds(found.expires_at, found.last_seen_at, now)
        {
            return Ok(None);
        }
        let column = columns::PUSH_DEVICE_DETAILS;
        let details: Details = self.open_json(tenant, column, id.uuid(), found.key, &found.details).await?;
        if details.user != found.user {
            // Somebody gave the row to another user by hand; it is nobody's.
            return Ok(None);
        }
        let context = SealContext { tenant, column: columns::PUSH_SETTING_SECRET, row: tenant.uuid() };
        let key = PushKey::open(&self.key(tenant, found.secret_key).await?, &context, &found.secret)?;
        Ok(Some(PushTarget {
            user: found.user,
            endpoint: Pii::new(details.endpoint),
            key,
            cause: found.cause.unwrap_or(now),
        }))
    }

    /// Notes what came of telling a device, and ends `job` or has it wait.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a user who has no such device; [`StoreError::Conflict`] when the lease was lost;
    /// the engine's errors.
    pub async fn note_push(
        &self,
        access: &Access,
        id: PushDeviceId,
        outcome: PushOutcome,
        job: Option<&ClaimedJob>,
    ) -> Result<(), StoreError> {
        access.to(Use::Notify)?;
        let (of, now) = (access.user(), access.clock().now());
        self.write(access, Note { id, outcome, job: job.cloned(), of, now }).await
    }
}
