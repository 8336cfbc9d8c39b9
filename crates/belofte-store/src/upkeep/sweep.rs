// SPDX-License-Identifier: EUPL-1.2
//! The sweep: removes what nothing refers to, and what has ended by itself.
//!
//! A file is written before its row and a key before its content, so both are without an owner
//! for a moment in the life of every mail. What is younger than [`YOUNG`] may belong to a write
//! under way and is never looked at. Everything goes in small steps: no transaction is long.
//!
//! That something is missing is weak evidence: a content database that was restored from a back-up
//! misses all that came later, and the right one may still come. So what only *misses* its owner is
//! kept for [`ABSENT_KEPT`], nothing is destroyed while content and keys do not belong together
//! (`lineage`), and a sweep that finds too much to destroy destroys nothing and says so.

use std::collections::HashSet;
use std::sync::Arc;

use belofte_model::{
    BlobId, Duration, JobId, KeyClass, KeyId, LedgerKind, MessageId, SESSION_IDLE, Timestamp, uuid_v7,
};
use serde_json::json;
use uuid::Uuid;

use super::lineage::{self, Standpoint};
use super::rotation;
use super::schedule::{Lease, renew};
use crate::access::ClaimedJob;
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::system::{FAILURES_KEPT, INVITATIONS_KEPT};
use crate::{
    Access, NewLeaf, Param, Read, Store, StoreError, Tx, Write, drafts, idempotency, jobs,
    notification_lines, push_devices, queue_archives, remote_images, sign_in_steps,
};

/// What is younger may belong to a write that is under way.
const YOUNG: Duration = Duration::from_secs(3_600);
/// The key of a filed mail is left behind by a crash in the same minute: an hourly sweep looks at
/// those of the last two days, and once a day at all.
const RECENT: Duration = Duration::from_secs(48 * 3_600);
/// A key or file whose owner is not there is kept this long. It harms nobody meanwhile.
const ABSENT_KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);
/// More orphans than this, and more than one in [`PLAUSIBLE_SHARE`], are no work of crashes.
const PLAUSIBLE: usize = 50;
/// See [`PLAUSIBLE`].
const PLAUSIBLE_SHARE: usize = 20;
/// An upload that no message took is kept this long.
const UPLOADS_KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Live events are kept this long: a browser that slept longer loads its page anew.
const EVENTS_KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Rows per step.
const BATCH: usize = 200;
/// Steps of one kind in one sweep; what is left comes in the next, a minute later.
const STEPS: usize = 200;
/// Keys destroyed in one sweep: their ids stand in one ledger leaf.
const KEYS: usize = 1_000;

/// The ids that are looked at: those made from `from` on and before `to`.
#[derive(Clone, Copy)]
struct Span {
    from: Uuid,
    to: Uuid,
}

/// The smallest version 7 id of an instant: ids made earlier are smaller.
pub(super) fn floor(at: Timestamp) -> Uuid {
    uuid_v7(at, [0; 10])
}

/// Sweeps the tenant of `access`; `false` when something was left for the next time.
pub(super) async fn run(store: &Store, access: &Access, job: &ClaimedJob) -> Result<bool, StoreError> {
    let now = access.clock().now();
    let mut lease = Lease::new(store, access, job);
    // Each tenant has its own hour of the day for the whole house.
    let turn = i64::from(access.tenant().uuid().as_bytes()[15]) % 24;
    let whole = now.as_secs().div_euclid(3_600).rem_euclid(24) == turn;
    let from = if whole { Uuid::nil() } else { floor(now - RECENT) };
    let span = Span { from, to: floor(now - YOUNG) };

    let mut clean = expired(&mut lease, now).await?;
    clean &= events(&mut lease, now).await?;
    // From here on something is destroyed that no database can give back.
    let standpoint = lineage::look_at(store, access.tenant()).await?;
    if let Some(doubt) = standpoint.doubt {
        tracing::error!(
            tenant = %access.tenant(), doubt = doubt.as_str(),
            "content and keys do not belong together: nothing is destroyed for this tenant. See `belofte doctor`"
        );
        return Ok(clean);
    }
    clean &= uploads(&mut lease, now).await?;
    if whole {
        rotation::begin_epoch(store, access.tenant()).await?;
        clean &= blob_rows(&mut lease, span).await?;
        let old = Span { from: Uuid::nil(), to: floor(now - ABSENT_KEPT) };
        clean &= blob_files(&mut lease, old, standpoint).await?;
    }
    clean &= deliveries(&mut lease).await?;
    clean &= keys(&mut lease, span, standpoint, floor(now - ABSENT_KEPT)).await?;
    Ok(clean)
}

/// Whether so many orphans among so many are what crashes leave behind.
const fn plausible(orphans: usize, among: usize) -> bool {
    orphans <= PLAUSIBLE || orphans <= among / PLAUSIBLE_SHARE
}

/// Says that there are too many orphans of a kind to destroy any.
async fn too_many(lease: &Lease<'_>, what: &'static str, orphans: usize) -> Result<(), StoreError> {
    let tenant = lease.access.tenant();
    tracing::error!(
        tenant = %tenant, what, count = orphans,
        "so many have no content that content seems to be missing: nothing is destroyed. See `belofte doctor`"
    );
    lineage::raise(lease.store, tenant, orphans).await
}

/// Rows of a tenant that have ended by themselves.
struct Expired {
    job: ClaimedJob,
    now: Timestamp,
}

impl Write for Expired {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let (tenant, now, limit) = (tx.tenant(), self.now, BATCH as i64);
        renew(tx, &self.job, now).await?;
        // The condition stands twice in each: a row that was renewed since it was chosen stays.
        let sessions = tx
            .execute(
                sql!(
                    "DELETE FROM session WHERE token_hash IN (SELECT token_hash FROM session WHERE tenant_id = $1 \
                     AND (expires_at <= $2 OR last_seen_at <= $3) LIMIT $4) \
                     AND (expires_at <= $2 OR last_seen_at <= $3)"
                ),
                params![tenant, now, now - SESSION_IDLE, limit],
            )
            .await?;
        let invitations = tx
            .execute(
                sql!(
                    "DELETE FROM invitation WHERE tenant_id = $1 AND id IN (SELECT id FROM invitation \
                     WHERE tenant_id = $1 AND expires_at <= $2 LIMIT $3) AND expires_at <= $2"
                ),
                params![tenant, now - INVITATIONS_KEPT, limit],
            )
            .await?;
        let answers = tx
            .execute(
                sql!(
                    "DELETE FROM idempotency WHERE tenant_id = $1 AND (actor_id, key_hash) IN (SELECT actor_id, key_hash \
                     FROM idempotency WHERE tenant_id = $1 AND at <= $2 LIMIT $3) AND at <= $2"
                ),
                params![tenant, now - idempotency::MEMORY, limit],
            )
            .await?;
        let drafts = drafts::expire(tx, now - drafts::KEPT, limit).await?;
        let images = tx
            .execute(
                sql!(
                    "DELETE FROM remote_image WHERE tenant_id = $1 AND id IN (SELECT id FROM remote_image \
                     WHERE tenant_id = $1 AND fetched_at <= $2 LIMIT $3) AND fetched_at <= $2"
                ),
                params![tenant, now - remote_images::IMAGES_KEPT, limit],
            )
            .await?;
        let lines = notification_lines::expire(tx, now, limit).await?;
        let devices = push_devices::forget_without_session(tx, limit).await?;
        let steps = sign_in_steps::expire(tx, now, limit).await?;
        queue_archives::follow_all(tx, now).await?;
        let gone = [sessions, invitations, answers, drafts, images, lines, devices, steps];
        Ok(gone.iter().all(|gone| *gone < BATCH as u64))
    }
}

/// The same of the installation, which no tenant owns; whichever sweep comes first takes them.
struct ExpiredOfAll(Timestamp);

impl Write for ExpiredOfAll {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let (now, limit) = (self.0, BATCH as i64);
        let sessions = tx
            .execute(
                sql!(
                    "DELETE FROM operator_session WHERE token_hash IN (SELECT token_hash FROM operator_session \
                     WHERE expires_at <= $1 LIMIT $2) AND expires_at <= $1"
                ),
                params![now, limit],
            )
            .await?;
        let failures = tx
            .execute(
                sql!(
                    "DELETE FROM sign_in_failure WHERE subject IN (SELECT subject FROM sign_in_failure \
                     WHERE last_at <= $1 LIMIT $2) AND last_at <= $1"
                ),
                params![now - FAILURES_KEPT, limit],
            )
            .await?;
        Ok(sessions.max(failures) < BATCH as u64)
    }
}

async fn expired(lease: &mut Lease<'_>, now: Timestamp) -> Result<bool, StoreError> {
    for _ in 0..STEPS {
        let own = lease.store.write(lease.access, Expired { job: lease.job.clone(), now }).await?;
        let all = lease.store.write_for(None, Arc::new(ExpiredOfAll(now))).await?;
        if own && all {
            return Ok(true);
        }
        lease.hold().await?;
    }
    Ok(false)
}

/// The oldest live events, as far as they are too old.
struct OldEvents {
    job: ClaimedJob,
    now: Timestamp,
}

impl Write for OldEvents {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        renew(tx, &self.job, self.now).await?;
        let oldest = tx
            .query(
                sql!("SELECT seq, at FROM event WHERE tenant_id = $1 ORDER BY seq LIMIT $2"),
                params![tenant, BATCH as i64],
                |row| Ok((row.int(0)?, row.time(1)?)),
            )
            .await?;
        // From the beginning on and without a hole: a listener sees by the numbers what it missed.
        let until = self.now - EVENTS_KEPT;
        let old = oldest.iter().take_while(|(_, at)| *at <= until);
        let Some((last, _)) = old.clone().last() else { return Ok(true) };
        tx.execute(sql!("DELETE FROM event WHERE tenant_id = $1 AND seq <= $2"), params![tenant, *last])
            .await?;
        Ok(old.count() < BATCH)
    }
}

async fn events(lease: &mut Lease<'_>, now: Timestamp) -> Result<bool, StoreError> {
    for _ in 0..STEPS {
        if lease.store.write(lease.access, OldEvents { job: lease.job.clone(), now }).await? {
            return Ok(true);
        }
        lease.hold().await?;
    }
    Ok(false)
}

/// Gives messages a job whose deliveries wait, or are held, while nothing would ever look at them.
/// No write leaves such a row; a person who waits for an answer is not to depend on that.
struct Stranded {
    job: ClaimedJob,
    /// Ids for the jobs, as many as one step may make.
    ids: Vec<JobId>,
    now: Timestamp,
}

impl Write for Stranded {
    type Out = usize;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
        let tenant = tx.tenant();
        renew(tx, &self.job, self.now).await?;
        let messages: Vec<MessageId> = tx
            .query(
                sql!(
                    "SELECT DISTINCT d.message_id FROM delivery d WHERE d.tenant_id = $1 \
                     AND d.state IN ('queued', 'sending') AND NOT EXISTS (SELECT 1 FROM job j \
                     WHERE j.tenant_id = $1 AND j.subject_id = d.message_id AND j.kind = 'deliver') \
                     AND EXISTS (SELECT 1 FROM message m WHERE m.tenant_id = $1 AND m.id = d.message_id) LIMIT $2"
                ),
                params![tenant, self.ids.len() as i64],
                |row| row.id(0),
            )
            .await?;
        for (message, id) in messages.iter().zip(&self.ids) {
            jobs::deliver_now(tx, *id, *message, self.now).await?;
        }
        Ok(messages.len())
    }
}

async fn deliveries(lease: &mut Lease<'_>) -> Result<bool, StoreError> {
    let (store, now) = (lease.store, lease.access.clock().now());
    let ids = (0..BATCH).map(|_| JobId::new(now, store.random().bytes())).collect();
    let found = store.write(lease.access, Stranded { job: lease.job.clone(), ids, now }).await?;
    Ok(found < BATCH)
}

/// Uploads that no message took, with their blobs. Gives the blobs that went.
struct OldUploads {
    job: ClaimedJob,
    now: Timestamp,
}

impl Write for OldUploads {
    type Out = Vec<BlobId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        renew(tx, &self.job, self.now).await?;
        // The condition stands twice: an answer or a draft may take the file at this moment.
        let gone: Vec<BlobId> = tx
            .query(
                sql!(
                    "DELETE FROM attachment WHERE tenant_id = $1 AND id IN (SELECT id FROM attachment \
                     WHERE tenant_id = $1 AND message_id IS NULL AND draft_id IS NULL AND created_at <= $2 LIMIT $3) \
                     AND message_id IS NULL AND draft_id IS NULL RETURNING blob_id"
                ),
                params![tenant, self.now - UPLOADS_KEPT, BATCH as i64],
                |row| row.id(0),
            )
            .await?;
        for blob in &gone {
            delete_blob(tx, *blob).await?;
        }
        Ok(gone)
    }
}

async fn delete_blob(tx: &mut Tx<'_>, blob: BlobId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(sql!("DELETE FROM blob WHERE tenant_id = $1 AND id = $2"), params![tenant, blob]).await?;
    Ok(())
}

async fn uploads(lease: &mut Lease<'_>, now: Timestamp) -> Result<bool, StoreError> {
    for _ in 0..STEPS {
        let gone = lease.store.write(lease.access, OldUploads { job: lease.job.clone(), now }).await?;
        let last = gone.len() < BATCH;
        remove_files(lease, gone).await?;
        if last {
            return Ok(true);
        }
        lease.hold().await?;
    }
    Ok(false)
}

/// Removes the files of blobs whose rows are gone.
async fn remove_files(lease: &Lease<'_>, blobs: Vec<BlobId>) -> Result<(), StoreError> {
    if blobs.is_empty() {
        return Ok(());
    }
    let (store, tenant) = (lease.store.clone(), lease.access.tenant());
    blocking(move || blobs.iter().try_for_each(|blob| store.blobs().remove(tenant, *blob))).await?
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Busy)
}

/// Blobs that no attachment, intake or message names. A blob is stored with its owner in one
/// write, so there are none unless an owner went without its blob.
struct Unowned(Span);

impl Read for Unowned {
    type Out = Vec<BlobId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let suspects: Vec<BlobId> = tx
            .query(
                sql!(
                    "SELECT id FROM blob WHERE tenant_id = $1 AND id >= $2 AND id < $3 \
                     EXCEPT SELECT blob_id FROM attachment WHERE tenant_id = $1 \
                     EXCEPT SELECT blob_id FROM intake WHERE tenant_id = $1 ORDER BY id LIMIT $4"
                ),
                params![tenant, self.0.from, self.0.to, BATCH as i64],
                |row| row.id(0),
            )
            .await?;
        let (Some(first), Some(last)) = (suspects.first(), suspects.last()) else { return Ok(suspects) };
        // Messages are many and long; they are asked only when there is somebody to ask about.
        let named: HashSet<Uuid> = tx
            .query(
                sql!(
                    "SELECT source_blob_id FROM message WHERE tenant_id = $1 AND source_blob_id >= $2 \
                     AND source_blob_id <= $3"
                ),
                params![tenant, *first, *last],
                |row| row.uuid(0),
            )
            .await?
            .into_iter()
            .collect();
        Ok(suspects.into_iter().filter(|blob| !named.contains(&blob.uuid())).collect())
    }
}

struct DropBlobs {
    job: ClaimedJob,
    blobs: Vec<BlobId>,
    now: Timestamp,
}

impl Write for DropBlobs {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        renew(tx, &self.job, self.now).await?;
        for blob in &self.blobs {
            delete_blob(tx, *blob).await?;
        }
        Ok(())
    }
}

async fn blob_rows(lease: &mut Lease<'_>, span: Span) -> Result<bool, StoreError> {
    let blobs = lease.store.read(lease.access, Unowned(span)).await?;
    if blobs.is_empty() {
        return Ok(true);
    }
    let last = blobs.len() < BATCH;
    let (job, now) = (lease.job.clone(), lease.access.clock().now());
    lease.store.write(lease.access, DropBlobs { job, blobs: blobs.clone(), now }).await?;
    remove_files(lease, blobs).await?;
    Ok(last)
}

/// What keeps a blob's file or a key alive.
#[derive(Clone, Copy)]
enum Keeper {
    Blob,
    Contact,
    Conversation,
    /// A mail that is not filed yet: once it is, its key has done its work.
    Spool,
}

impl Keeper {
    const fn of(class: KeyClass) -> Option<Self> {
        match class {
            KeyClass::Contact => Some(Self::Contact),
            KeyClass::Conversation => Some(Self::Conversation),
            KeyClass::Spool => Some(Self::Spool),
            KeyClass::Tenant
            | KeyClass::Lookup
            | KeyClass::Search
            | KeyClass::Ledger
            | KeyClass::Settings => None,
        }
    }

    /// Those of `ids` that are there, and of mails those that wait to be filed.
    async fn present(self, tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<HashSet<Uuid>, StoreError> {
        let tenant = tx.tenant();
        if tx.is_postgres() {
            let text = match self {
                Self::Blob => sql!("SELECT id FROM blob WHERE tenant_id = $1 AND id = ANY($2)"),
                Self::Contact => sql!("SELECT id FROM contact WHERE tenant_id = $1 AND id = ANY($2)"),
                Self::Conversation => {
                    sql!(
                        "SELECT id FROM conversation WHERE tenant_id = $1 AND id = ANY($2) UNION \
                         SELECT id FROM merged_conversation WHERE tenant_id = $1 AND id = ANY($2)"
                    )
                }
                Self::Spool => sql!(
                    "SELECT id FROM intake WHERE tenant_id = $1 AND id = ANY($2) \
                     AND state IN ('received', 'quarantined')"
                ),
            };
            let found = tx.query(text, &[tenant.into(), Param::Uuids(ids)], |row| row.uuid(0)).await?;
            return Ok(found.into_iter().collect());
        }
        let text = match self {
            Self::Blob => sql!("SELECT id FROM blob WHERE tenant_id = $1 AND id = $2"),
            Self::Contact => sql!("SELECT id FROM contact WHERE tenant_id = $1 AND id = $2"),
            Self::Conversation => sql!(
                "SELECT id FROM conversation WHERE tenant_id = $1 AND id = $2 UNION \
                 SELECT id FROM merged_conversation WHERE tenant_id = $1 AND id = $2"
            ),
            Self::Spool => sql!(
                "SELECT id FROM intake WHERE tenant_id = $1 AND id = $2 AND state IN ('received', 'quarantined')"
            ),
        };
        let mut found = HashSet::new();
        for id in ids {
            found.extend(tx.query_opt(text, params![tenant, *id], |row| row.uuid(0)).await?);
        }
        Ok(found)
    }
}

struct Present {
    keeper: Keeper,
    ids: Vec<Uuid>,
}

impl Read for Present {
    type Out = HashSet<Uuid>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        self.keeper.present(tx, &self.ids).await
    }
}

/// Those mails of `ids` that the content knows, filed or not.
struct KnownMails(Vec<Uuid>);

impl Read for KnownMails {
    type Out = HashSet<Uuid>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        if tx.is_postgres() {
            let text = sql!("SELECT id FROM intake WHERE tenant_id = $1 AND id = ANY($2)");
            let found = tx.query(text, &[tenant.into(), Param::Uuids(&self.0)], |row| row.uuid(0)).await?;
            return Ok(found.into_iter().collect());
        }
        let text = sql!("SELECT id FROM intake WHERE tenant_id = $1 AND id = $2");
        let mut found = HashSet::new();
        for id in &self.0 {
            found.extend(tx.query_opt(text, params![tenant, *id], |row| row.uuid(0)).await?);
        }
        Ok(found)
    }
}

async fn blob_files(lease: &mut Lease<'_>, span: Span, standpoint: Standpoint) -> Result<bool, StoreError> {
    let (store, tenant) = (lease.store.clone(), lease.access.tenant());
    let mut files = blocking(move || store.blobs().list(tenant, span.to)).await??;
    files.retain(|blob| {
        let id = blob.uuid();
        id.get_version_num() == 7 && id >= span.from && id < span.to
    });
    let (mut orphans, counted) = (Vec::new(), lineage::counted_from(standpoint));
    for some in files.chunks(BATCH) {
        let ids = some.iter().map(|blob| blob.uuid()).collect();
        let rows = lease.store.read(lease.access, Present { keeper: Keeper::Blob, ids }).await?;
        orphans.extend(some.iter().copied().filter(|blob| !rows.contains(&blob.uuid())));
        lease.hold().await?;
    }
    let strange = orphans.iter().filter(|blob| blob.uuid() >= counted).count();
    if !plausible(strange, files.len()) {
        too_many(lease, "files", strange).await?;
        return Ok(true);
    }
    for some in orphans.chunks(BATCH) {
        remove_files(lease, some.to_vec()).await?;
        lease.hold().await?;
    }
    Ok(true)
}

/// A key that belongs to one contact, conversation or mail.
#[derive(Clone, Copy)]
pub(crate) struct Owned {
    id: KeyId,
    class: KeyClass,
    keeper: Keeper,
    owner: Uuid,
}

impl Owned {
    /// `None` for a key of another class, which no sweep touches.
    pub(crate) const fn new(id: KeyId, class: KeyClass, owner: Uuid) -> Option<Self> {
        match Keeper::of(class) {
            Some(keeper) => Some(Self { id, class, keeper, owner }),
            None => None,
        }
    }
}

/// A page of them, in the order of their ids.
struct OwnedKeys {
    span: Span,
    limit: i64,
}

impl Read for OwnedKeys {
    type Out = Vec<(KeyId, KeyClass, Option<Uuid>)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, class, owner_id FROM key WHERE tenant_id = $1 AND id >= $2 AND id < $3 \
                 AND state = 'active' AND class IN ('contact', 'conversation', 'spool') ORDER BY id LIMIT $4"
            ),
            params![tenant, self.span.from, self.span.to, self.limit],
            |row| Ok((row.id(0)?, row.name(1, KeyClass::parse)?, row.opt_uuid(2)?)),
        )
        .await
    }
}

/// Destroys keys whose owners are not there, with the leaf that says so.
struct DestroyKeys {
    job: ClaimedJob,
    keys: Vec<Owned>,
    dead: Vec<KeyId>,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for DestroyKeys {
    type Out = ();

    fn dead_keys(&self) -> &[KeyId] {
        &self.dead
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        renew(tx, &self.job, self.now).await?;
        // Asked again where nothing can come between: a key that lives is never destroyed.
        for keeper in [Keeper::Contact, Keeper::Conversation, Keeper::Spool] {
            let owners = owners(&self.keys, keeper);
            if !owners.is_empty() && !keeper.present(tx, &owners).await?.is_empty() {
                return Err(StoreError::Conflict);
            }
        }
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await
    }
}

fn owners(keys: &[Owned], keeper: Keeper) -> Vec<Uuid> {
    let same = |key: &&Owned| std::mem::discriminant(&key.keeper) == std::mem::discriminant(&keeper);
    keys.iter().filter(same).map(|key| key.owner).collect()
}

/// Which of a page's keys have no owner.
#[derive(Default)]
struct Orphans {
    /// The content says that they have done their work.
    done: Vec<Owned>,
    /// The content says nothing of their owners.
    absent: Vec<Owned>,
}

async fn orphans_of(lease: &Lease<'_>, owned: &[Owned]) -> Result<Orphans, StoreError> {
    let (store, access, mut orphans) = (lease.store, lease.access, Orphans::default());
    for keeper in [Keeper::Contact, Keeper::Conversation, Keeper::Spool] {
        let ids = owners(owned, keeper);
        if ids.is_empty() {
            continue;
        }
        let present = store.read(access, Present { keeper, ids: ids.clone() }).await?;
        let known = match keeper {
            Keeper::Spool => store.read(access, KnownMails(ids)).await?,
            Keeper::Blob | Keeper::Contact | Keeper::Conversation => HashSet::new(),
        };
        let same = |key: &&Owned| std::mem::discriminant(&key.keeper) == std::mem::discriminant(&keeper);
        for key in owned.iter().filter(same).filter(|key| !present.contains(&key.owner)) {
            let to = if known.contains(&key.owner) { &mut orphans.done } else { &mut orphans.absent };
            to.push(*key);
        }
    }
    Ok(orphans)
}

async fn keys(
    lease: &mut Lease<'_>,
    span: Span,
    standpoint: Standpoint,
    old: Uuid,
) -> Result<bool, StoreError> {
    let (store, tenant, counted) = (lease.store, lease.access.tenant(), lineage::counted_from(standpoint));
    let (mut dead, mut absent, mut next) = (Vec::new(), Vec::new(), span.from);
    let (mut among, mut strange) = (0, 0);
    loop {
        let page = OwnedKeys { span: Span { from: next, to: span.to }, limit: BATCH as i64 };
        let rows = store.read_keys(tenant, page).await?;
        let Some((last, ..)) = rows.last() else { break };
        next = Uuid::from_u128(last.uuid().as_u128().saturating_add(1));
        let owned: Vec<Owned> =
            rows.iter().filter_map(|(id, class, owner)| Owned::new(*id, *class, (*owner)?)).collect();
        let mut orphans = orphans_of(lease, &owned).await?;
        orphans.absent.retain(|key| key.id.uuid() < old);
        among += owned.len();
        strange += orphans.absent.iter().filter(|key| key.id.uuid() >= counted).count();
        // All are counted, and so many are remembered as one sweep destroys.
        for (all, some) in [(&mut dead, orphans.done), (&mut absent, orphans.absent)] {
            all.extend(some.into_iter().take((KEYS + 1).saturating_sub(all.len())));
        }
        lease.hold().await?;
    }
    if plausible(strange, among) {
        dead.append(&mut absent);
    } else {
        too_many(lease, "keys", strange).await?;
    }
    let clean = dead.len() <= KEYS;
    dead.truncate(KEYS);
    destroy(lease, dead).await?;
    Ok(clean)
}

/// Destroys `keys`, whose owners were not there.
///
/// # Errors
/// [`StoreError::Conflict`] when one is there after all; nothing is destroyed then.
pub(crate) async fn destroy(lease: &Lease<'_>, keys: Vec<Owned>) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let (store, access, now) = (lease.store, lease.access, lease.access.clock().now());
    let names: Vec<String> = keys.iter().map(|key| format!("{}:{}", key.class.as_str(), key.id)).collect();
    let detail = json!({ "act": "swept", "destroyed": names });
    let leaf = NewLeaf::new(access, &*store.keys(access).await?, store.random(), LedgerKind::Keys, detail)?;
    let dead = keys.iter().map(|key| key.id).collect();
    store.write(access, DestroyKeys { job: lease.job.clone(), keys, dead, leaf, now }).await
}
