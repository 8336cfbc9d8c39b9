// SPDX-License-Identifier: EUPL-1.2
//! Rotation: a tenant gets a new key, all its other keys are wrapped anew under it, and the old
//! one is destroyed.
//!
//! Every step leaves rows that can be read: a key's row names the key that wraps it. In one
//! transaction the new key comes and the old one retires; from then on nothing new is wrapped by
//! the old one, on any node (the insert of a key asks whether what wraps it is active). So one
//! walk over the keys finds all that are left, and a walk that was cut off is begun again.

use std::sync::Arc;

use belofte_model::{Actor, JobKind, KeyId, LedgerKind, TenantId, Timestamp};
use belofte_vault::{DataKey, RootKey};
use serde_json::json;
use uuid::Uuid;

use super::schedule::{Lease, standing_job};
use crate::access::ClaimedJob;
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::jobs;
use crate::key_backups::epoch_of;
use crate::keys::{ORPHAN, SYSTEM};
use crate::{Access, NewLeaf, OperatorAct, Read, Store, StoreError, SystemTx, TenantKeys, Tx, Write};

/// Keys per step.
const BATCH: usize = 200;
/// A walk finds all keys that are left; a key that turns up again after so many is a defect.
const WALKS: usize = 4;

/// How far the rotation of a tenant's keys is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationProgress {
    /// The number of the tenant's present key; the first is 0.
    pub epoch: i64,
    /// How many of its other keys are wrapped by that key.
    pub rewrapped: u64,
    /// How many there are.
    pub total: u64,
    /// Whether an earlier key still exists.
    pub under_way: bool,
}

struct Progress;

impl Read for Progress {
    type Out = Option<RotationProgress>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let own = tx
            .query_opt(
                sql!(
                    "SELECT id, epoch FROM key WHERE tenant_id = $1 AND class = 'tenant' AND state = 'active' \
                     ORDER BY epoch DESC, created_at DESC, id DESC LIMIT 1"
                ),
                params![tenant],
                |row| Ok((row.id::<KeyId>(0)?, row.int(1)?)),
            )
            .await?;
        let Some((own, epoch)) = own else { return Ok(None) };
        let number = |value: i64| u64::try_from(value).unwrap_or(0);
        let (total, rewrapped) = tx
            .query_one(
                sql!(
                    "SELECT CAST(count(*) AS bigint), \
                     CAST(coalesce(sum(CASE WHEN parent_id = $2 THEN 1 ELSE 0 END), 0) AS bigint) FROM key \
                     WHERE tenant_id = $1 AND class <> 'tenant' AND state <> 'destroyed'"
                ),
                params![tenant, own],
                |row| Ok((number(row.int(0)?), number(row.int(1)?))),
            )
            .await?;
        let under_way = !Retired.run(tx).await?.is_empty();
        Ok(Some(RotationProgress { epoch, rewrapped, total, under_way }))
    }
}

/// The keys that a rotation replaced and did not destroy yet.
struct Retired;

impl Read for Retired {
    type Out = Vec<KeyId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!("SELECT id FROM key WHERE tenant_id = $1 AND class = 'tenant' AND state = 'retired'"),
            params![tenant],
            |row| row.id(0),
        )
        .await
    }
}

/// Brings the new key and retires those before it. Runs on the key database.
struct Begin {
    id: KeyId,
    root: KeyId,
    wrapped: Vec<u8>,
    now: Timestamp,
}

impl Write for Begin {
    /// Whether the key was not there yet.
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        // Two rotations of one tenant take turns; on SQLite all writes do.
        if tx.is_postgres() {
            let lock = sql!(
                "SELECT id FROM key WHERE tenant_id = $1 AND class = 'tenant' AND state = 'active' FOR UPDATE"
            );
            tx.query(lock, params![tenant], |_| Ok(())).await?;
        }
        let newest = tx
            .query_one(
                sql!("SELECT coalesce(max(epoch), 0) FROM key WHERE tenant_id = $1 AND class = 'tenant'"),
                params![tenant],
                |row| row.int(0),
            )
            .await?;
        let made = tx
            .execute(
                sql!(
                    "INSERT INTO key (tenant_id, id, class, state, epoch, parent_id, owner_id, wrapped, created_at, changed_at) \
                     VALUES ($1, $2, 'tenant', 'active', $3, $4, NULL, $5, $6, $6) ON CONFLICT DO NOTHING"
                ),
                params![tenant, self.id, newest + 1, self.root, &self.wrapped, self.now],
            )
            .await?;
        tx.execute(
            sql!(
                "UPDATE key SET state = 'retired', changed_at = $3 WHERE tenant_id = $1 AND class = 'tenant' \
                 AND state = 'active' AND epoch < (SELECT n.epoch FROM key n WHERE n.tenant_id = $1 AND n.id = $2)"
            ),
            params![tenant, self.id, self.now],
        )
        .await?;
        Ok(made == 1)
    }
}

/// A key that is wrapped by another than the newest.
struct Left {
    id: KeyId,
    parent: KeyId,
    wrapped: Vec<u8>,
}

/// A page of them after `after`. Those marked for erasure are among them: the erasure still opens
/// with them.
struct LeftAfter {
    after: Uuid,
    parent: KeyId,
}

impl Read for LeftAfter {
    type Out = Vec<Left>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, parent_id, wrapped FROM key WHERE tenant_id = $1 AND id > $2 AND class <> 'tenant' \
                 AND parent_id <> $3 AND state <> 'destroyed' ORDER BY id LIMIT $4"
            ),
            params![tenant, self.after, self.parent, BATCH as i64],
            |row| Ok(Left { id: row.id(0)?, parent: row.id(1)?, wrapped: row.bytes(2)? }),
        )
        .await
    }
}

/// Wraps keys anew. Runs on the key database.
struct Rewrap {
    parent: KeyId,
    keys: Vec<Left>,
    now: Timestamp,
}

impl Write for Rewrap {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let tenant = tx.tenant();
        let mut changed = 0;
        for key in &self.keys {
            // A key that was destroyed or wrapped anew by another worker in the meantime stays so.
            changed += tx
                .execute(
                    sql!(
                        "UPDATE key SET parent_id = $4, wrapped = $5, changed_at = $6 WHERE tenant_id = $1 AND id = $2 \
                         AND parent_id = $3 AND state <> 'destroyed'"
                    ),
                    params![tenant, key.id, key.parent, self.parent, &key.wrapped, self.now],
                )
                .await?;
        }
        Ok(changed)
    }
}

/// The retired keys that still wrap something.
struct StillNeeded;

impl Read for StillNeeded {
    type Out = Vec<KeyId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT DISTINCT parent_id FROM key WHERE tenant_id = $1 AND class <> 'tenant' AND state <> 'destroyed'"
            ),
            params![tenant],
            |row| row.id(0),
        )
        .await
    }
}

/// Destroys retired keys that wrap nothing any more. Runs on the key database.
struct Destroy {
    keys: Vec<KeyId>,
    now: Timestamp,
}

impl Write for Destroy {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        for key in &self.keys {
            tx.execute(
                sql!(
                    "UPDATE key SET state = 'destroyed', wrapped = $3, changed_at = $4 WHERE tenant_id = $1 AND id = $2 \
                     AND class = 'tenant' AND state = 'retired'"
                ),
                params![tenant, *key, &[][..] as &[u8], self.now],
            )
            .await?;
        }
        Ok(())
    }
}

/// What a rotation that is done says of itself.
struct Summary {
    epoch: i64,
    destroyed: Vec<KeyId>,
    keys: i64,
}

/// Asked of the rows, so that a rotation that was cut off says the same as one that was not.
struct Summarise(KeyId);

impl Read for Summarise {
    type Out = Summary;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Summary, StoreError> {
        let tenant = tx.tenant();
        let (epoch, since) = tx
            .query_one(
                sql!("SELECT epoch, created_at FROM key WHERE tenant_id = $1 AND id = $2"),
                params![tenant, self.0],
                |row| Ok((row.int(0)?, row.time(1)?)),
            )
            .await?;
        let destroyed = tx
            .query(
                sql!(
                    "SELECT id FROM key WHERE tenant_id = $1 AND class = 'tenant' AND state = 'destroyed' \
                     AND epoch < $2 AND changed_at >= $3 ORDER BY epoch"
                ),
                params![tenant, epoch, since],
                |row| row.id(0),
            )
            .await?;
        let keys = tx
            .query_one(
                sql!("SELECT CAST(count(*) AS bigint) FROM key WHERE tenant_id = $1 AND parent_id = $2"),
                params![tenant, self.0],
                |row| row.int(0),
            )
            .await?;
        Ok(Summary { epoch, destroyed, keys })
    }
}

/// A leaf, and the end of the job when `job` is given.
struct Record {
    leaf: NewLeaf,
    job: Option<ClaimedJob>,
}

impl Write for Record {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if let Some(job) = &self.job {
            jobs::finish(tx, job).await?;
        }
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await
    }
}

/// Rotates the keys of the tenant of `job` and ends it. The subject of the job is the id of the
/// new key, so that whoever takes the job over goes on with the same one.
pub(super) async fn run(store: &Store, access: &Access, job: &ClaimedJob) -> Result<(), StoreError> {
    let (tenant, target) = (access.tenant(), KeyId(job.subject));
    let mut lease = Lease::new(store, access, job);
    let leaf =
        |keys: &TenantKeys, detail| NewLeaf::new(access, keys, store.random(), LedgerKind::Keys, detail);
    if begin(store, tenant, target).await? {
        let detail = json!({ "act": "rotating", "made": [format!("tenant:{target}")] });
        let leaf = leaf(&*store.tenant_keys(tenant).await?, detail)?;
        store.write(access, Record { leaf, job: None }).await?;
    }
    replace(store, tenant, Some(&mut lease)).await?;
    let done = store.read_keys(tenant, Summarise(target)).await?;
    let destroyed: Vec<String> = done.destroyed.iter().map(|key| format!("tenant:{key}")).collect();
    let detail = json!({
        "act": "rotated", "by": format!("tenant:{target}"), "destroyed": destroyed, "epoch": done.epoch,
        "rewrapped": done.keys,
    });
    let leaf = leaf(&*store.tenant_keys(tenant).await?, detail)?;
    store.write(access, Record { leaf, job: Some(job.clone()) }).await
}

/// Brings the key `id`, unless it is there; gives whether it was not.
async fn begin(store: &Store, tenant: TenantId, id: KeyId) -> Result<bool, StoreError> {
    let (root, random) = (&store.ring().root, store.random());
    // When the row is there already this one is forgotten: what counts is what is stored.
    let fresh = DataKey::generate(id, random);
    let wrapped = root.wrap(random, tenant, &fresh);
    let begin = Begin { id, root: root.id(), wrapped, now: store.clock().now() };
    let made = store.write_keys(Some(tenant), begin).await?;
    store.ring().forget_tenant(tenant);
    Ok(made)
}

/// Wraps all keys of `tenant` by its newest and destroys those before it.
async fn replace(
    store: &Store,
    tenant: TenantId,
    mut lease: Option<&mut Lease<'_>>,
) -> Result<(), StoreError> {
    for _ in 0..WALKS {
        walk(store, tenant, &mut lease).await?;
        let retired = store.read_keys(tenant, Retired).await?;
        let needed = store.read_keys(tenant, StillNeeded).await?;
        if retired.iter().any(|key| needed.contains(key)) {
            continue;
        }
        store.write_keys(Some(tenant), Destroy { keys: retired, now: store.clock().now() }).await?;
        store.ring().forget_tenant(tenant);
        return Ok(());
    }
    Err(StoreError::Inconsistent { what: "a retired key goes on wrapping others" })
}

async fn walk(store: &Store, tenant: TenantId, lease: &mut Option<&mut Lease<'_>>) -> Result<(), StoreError> {
    store.ring().forget_tenant(tenant);
    let keys = store.tenant_keys(tenant).await?;
    let (parent, random, mut after) = (keys.wrapping.id(), store.random(), Uuid::nil());
    loop {
        let mut page = store.read_keys(tenant, LeftAfter { after, parent }).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id.uuid();
        for key in &mut page {
            let old = keys.parent(key.parent).ok_or(ORPHAN)?;
            let open = old.unwrap_key(tenant, key.id, &key.wrapped)?;
            key.wrapped = keys.wrapping.wrap(random, tenant, &open);
        }
        let now = store.clock().now();
        store.write_keys(Some(tenant), Rewrap { parent, keys: page, now }).await?;
        if let Some(lease) = lease {
            lease.hold().await?;
        }
    }
}

/// When the newest key of a tenant was made.
struct Newest;

impl Read for Newest {
    type Out = Option<Timestamp>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let text = sql!(
            "SELECT created_at FROM key WHERE tenant_id = $1 AND class = 'tenant' AND state = 'active' \
             ORDER BY epoch DESC, created_at DESC LIMIT 1"
        );
        tx.query_opt(text, params![tenant], |row| row.time(0)).await
    }
}

/// Whether an epoch has begun since the newest key of `tenant` was made. A key of a time far ahead was made by
/// a clock that was wrong, and would be the newest until then; the clock of another node is ahead by less.
async fn is_due(store: &Store, tenant: TenantId) -> Result<bool, StoreError> {
    let (newest, now) = (store.read_keys(tenant, Newest).await?, epoch_of(store.clock().now()));
    Ok(newest.is_some_and(|made| epoch_of(made) < now || epoch_of(made) > now + 1))
}

/// Enqueues the rotation that each epoch begins with, when it has not been yet.
pub(super) async fn begin_epoch(store: &Store, tenant: TenantId) -> Result<(), StoreError> {
    if is_due(store, tenant).await? {
        store.system().rotate_keys(tenant).await?;
    }
    Ok(())
}

/// Enqueues a rotation, unless one is under way; one that failed for good is tried again.
struct Enqueue {
    tenant: TenantId,
    key: KeyId,
    now: Timestamp,
}

impl Write for Enqueue {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let changed = tx
            .execute(
                sql!(
                    "INSERT INTO job (tenant_id, id, kind, subject_id, state, run_at, attempts, fence, lease_until, \
                     error_code, created_at, changed_at) VALUES ($1, $2, $3, $4, 'ready', $5, 0, 0, NULL, NULL, $5, $5) \
                     ON CONFLICT (tenant_id, id) DO UPDATE SET state = 'ready', attempts = 0, run_at = $5, changed_at = $5 \
                     WHERE job.state = 'dead'"
                ),
                params![
                    self.tenant,
                    standing_job(self.tenant, JobKind::RotateKeys),
                    JobKind::RotateKeys.as_str(),
                    self.key.uuid(),
                    self.now
                ],
            )
            .await?;
        Ok(changed == 1)
    }
}

/// A tenant's key as the root key wraps it.
struct UnderRoot {
    tenant: TenantId,
    id: KeyId,
    parent: KeyId,
    wrapped: Vec<u8>,
}

struct AllUnderRoot;

impl Read for AllUnderRoot {
    type Out = Vec<UnderRoot>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query(
            sql!(
                "SELECT tenant_id, id, parent_id, wrapped FROM key WHERE class = 'tenant' AND state <> 'destroyed' \
                 ORDER BY tenant_id, id"
            ),
            params![],
            |row| {
                Ok(UnderRoot {
                    tenant: row.id(0)?,
                    id: row.id(1)?,
                    parent: row.id(2)?,
                    wrapped: row.bytes(3)?,
                })
            },
        )
        .await
    }
}

struct Roots;

impl Read for Roots {
    type Out = Vec<KeyId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let text = sql!("SELECT DISTINCT parent_id FROM key WHERE class = 'tenant' AND state <> 'destroyed'");
        tx.query(text, params![], |row| row.id(0)).await
    }
}

/// Wraps the keys of all tenants by another root key, all or none. Runs on the key database.
struct ChangeRoot {
    from: KeyId,
    to: KeyId,
    keys: Vec<UnderRoot>,
    now: Timestamp,
}

impl Write for ChangeRoot {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        for key in &self.keys {
            tx.execute_one(
                sql!(
                    "UPDATE key SET parent_id = $4, wrapped = $5, changed_at = $6 \
                     WHERE tenant_id = $1 AND id = $2 AND parent_id = $3 AND state <> 'destroyed'"
                ),
                params![key.tenant, key.id, self.from, self.to, &key.wrapped, self.now],
            )
            .await?;
        }
        // A tenant that was founded since would be lost with the old root key.
        let left = tx
            .query_one(
                sql!(
                    "SELECT CAST(count(*) AS bigint) FROM key WHERE class = 'tenant' AND state <> 'destroyed' \
                     AND parent_id <> $1"
                ),
                params![self.to],
                |row| row.int(0),
            )
            .await?;
        if left > 0 { Err(StoreError::Conflict) } else { Ok(self.keys.len() as u64) }
    }
}

impl SystemTx<'_> {
    /// Enqueues the rotation of a tenant's keys; `false` when one is under way already.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such tenant; the engine's errors.
    pub async fn rotate_keys(&self, tenant: TenantId) -> Result<bool, StoreError> {
        let (store, now) = (self.store, self.store.clock().now());
        store.tenant_keys(tenant).await?;
        let key = KeyId::new(now, store.random().bytes());
        store.write_for(Some(tenant), Arc::new(Enqueue { tenant, key, now })).await
    }

    /// How far the rotation of a tenant's keys is, read from the keys themselves: the same on
    /// every node, and after any crash.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such tenant; the engine's errors.
    pub async fn rotation_progress(&self, tenant: TenantId) -> Result<RotationProgress, StoreError> {
        self.store.read_keys(tenant, Progress).await?.ok_or(StoreError::NotFound)
    }

    /// Rotates the installation's own keys, at once: they are five. One that was cut off is ended
    /// by the next.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] before the installation was founded; the engine's errors.
    pub async fn rotate_system_keys(&self) -> Result<(), StoreError> {
        let store = self.store;
        self.note(Actor::System, &OperatorAct::RotateKeys(None)).await?;
        let id = KeyId::new(store.clock().now(), store.random().bytes());
        begin(store, SYSTEM, id).await?;
        replace(store, SYSTEM, None).await
    }

    /// As [`rotate_system_keys`](Self::rotate_system_keys), when an epoch has begun since the last
    /// time. (Those of tenants are rotated by their upkeep.)
    ///
    /// # Errors
    /// As there.
    pub async fn begin_epoch(&self) -> Result<bool, StoreError> {
        let due = is_due(self.store, SYSTEM).await?;
        if due {
            self.rotate_system_keys().await?;
        }
        Ok(due)
    }

    /// The root keys that wrap keys of tenants: one, unless something went wrong.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn root_keys(&self) -> Result<Vec<KeyId>, StoreError> {
        self.store.read_keys(SYSTEM, Roots).await
    }

    /// Wraps the keys of all tenants by `new` instead of the root key that these stores were opened
    /// with, in one transaction; gives how many were wrapped. After it these stores, and every
    /// other node, must be opened with `new`: this is work for a command while nothing else runs.
    /// Called again after it was done, it does nothing.
    ///
    /// # Errors
    /// [`StoreError::Vault`] when a key is wrapped by neither of the two; [`StoreError::Conflict`]
    /// when a tenant was founded meanwhile; the engine's errors. Nothing is changed then.
    pub async fn change_root(&self, new: &RootKey) -> Result<u64, StoreError> {
        let (store, old) = (self.store, &self.store.ring().root);
        let mut keys = store.read_keys(SYSTEM, AllUnderRoot).await?;
        keys.retain(|key| key.parent != new.id());
        for key in &mut keys {
            let open = old.unwrap_key(key.tenant, key.id, &key.wrapped)?;
            key.wrapped = new.wrap(store.random(), key.tenant, &open);
        }
        let (from, to, now) = (old.id(), new.id(), store.clock().now());
        store.write_keys(None, ChangeRoot { from, to, keys, now }).await
    }
}
