// SPDX-License-Identifier: EUPL-1.2
//! Keys at rest: rows of the key database, and the ring of those in use.
//!
//! The key database never lies in a content back-up. A key is durable before the first content
//! that it seals, cached only after that content is durable, and destroyed only after the content
//! that named it is gone.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use belofte_model::{Duration, KeyClass, KeyId, KeyState, TenantId, Timestamp};
use belofte_vault::{DataKey, LedgerSigner, LookupKey, MacKey, Random, RootKey, SearchKey};
use rusqlite::Transaction;
use uuid::Uuid;

use crate::engine::{GROUP, Read, Tx, params, sql};
use crate::error::StoreError;

/// The tenant id under which the installation keeps keys of its own: blind indexes that must be
/// looked up before a tenant is known (sign-in, recipient addresses) and operator users.
pub const SYSTEM: TenantId = TenantId(Uuid::nil());

/// A key with the row that will hold it, wrapped by its parent.
#[derive(Clone)]
pub struct SealedKey {
    /// The owner of the row.
    pub tenant: TenantId,
    /// The key itself, for sealing before the row is durable.
    pub key: DataKey,
    /// What it is for.
    pub class: KeyClass,
    /// The life of the key back-up that it was born in.
    pub epoch: i64,
    /// The key that wraps it; for a tenant key the root key.
    pub parent: KeyId,
    /// The contact, conversation or intake that it belongs to.
    pub owner: Option<Uuid>,
    /// The key as stored.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The keys outside `keys` that wrap some of them. A tenant's own key is wrapped by the root key,
/// which has no row.
fn outer_parents<'k>(keys: impl IntoIterator<Item = &'k SealedKey>) -> Vec<(TenantId, KeyId)> {
    let keys: Vec<&SealedKey> = keys.into_iter().collect();
    let mut parents = Vec::new();
    for key in keys.iter().filter(|key| key.class != KeyClass::Tenant) {
        let parent = (key.tenant, key.parent);
        if !parents.contains(&parent) && !keys.iter().any(|other| other.key.id() == key.parent) {
            parents.push(parent);
        }
    }
    parents
}

const INSERT: &str = "INSERT INTO key (tenant_id, id, class, state, epoch, parent_id, owner_id, wrapped, created_at, changed_at) \
     VALUES (?1, ?2, ?3, 'active', ?4, ?5, ?6, ?7, ?8, ?8) ON CONFLICT DO NOTHING";

/// Adds key rows; a row that exists already stays (the write is being tried again). Nothing is
/// added when a key that wraps one of them is not active any more, and that key is the answer:
/// the ring of this node is older than the last rotation.
pub(crate) fn insert_lite(
    transaction: &Transaction<'_>,
    keys: &[SealedKey],
) -> Result<Option<KeyId>, StoreError> {
    let mut active = transaction
        .prepare_cached("SELECT 1 FROM key WHERE tenant_id = ?1 AND id = ?2 AND state = 'active'")?;
    for (tenant, parent) in outer_parents(keys) {
        if !active.exists(rusqlite::params![tenant.uuid(), parent.uuid()])? {
            return Ok(Some(parent));
        }
    }
    let mut statement = transaction.prepare_cached(INSERT)?;
    for key in keys {
        statement.execute(rusqlite::params![
            key.tenant.uuid(),
            key.key.id().uuid(),
            key.class.as_str(),
            key.epoch,
            key.parent.uuid(),
            key.owner,
            key.wrapped,
            key.created_at.as_micros(),
        ])?;
    }
    Ok(None)
}

/// Destroys keys. A spool key leaves no trace, since one is made for every mail; of every other
/// key the row stays as proof, without the key.
pub(crate) fn destroy_lite(
    transaction: &Transaction<'_>,
    keys: &[(TenantId, KeyId)],
) -> Result<(), StoreError> {
    let mut remove =
        transaction.prepare_cached("DELETE FROM key WHERE tenant_id = ?1 AND id = ?2 AND class = 'spool'")?;
    let mut wipe = transaction.prepare_cached(
        "UPDATE key SET state = 'destroyed', wrapped = x'' WHERE tenant_id = ?1 AND id = ?2",
    )?;
    for (tenant, key) in keys {
        if remove.execute(rusqlite::params![tenant.uuid(), key.uuid()])? == 0 {
            wipe.execute(rusqlite::params![tenant.uuid(), key.uuid()])?;
        }
    }
    Ok(())
}

/// Adds the keys of several writes and destroys dead ones, in one commit. For each write it gives
/// the key that keeps its own from being added: what wraps one of them is not active any more.
pub(crate) async fn change_postgres(
    client: &deadpool_postgres::Object,
    new: &[&[SealedKey]],
    dead: &[(TenantId, KeyId)],
) -> Result<Vec<Option<KeyId>>, StoreError> {
    let mut refused = vec![None; new.len()];
    let mut dead = dead;
    loop {
        let keys: Vec<&SealedKey> = new
            .iter()
            .zip(&refused)
            .filter(|(_, refused)| refused.is_none())
            .flat_map(|(keys, _)| keys.iter())
            .collect();
        if keys.is_empty() && dead.is_empty() {
            return Ok(refused);
        }
        let gone = change_once(client, &keys, dead).await?;
        if gone.is_empty() {
            return Ok(refused);
        }
        // Nothing was added: once more without those who need what is gone.
        dead = &[];
        for (keys, refused) in new.iter().zip(&mut refused) {
            let parent = outer_parents(*keys).into_iter().find(|parent| gone.contains(parent));
            *refused = refused.or(parent.map(|(_, key)| key));
        }
    }
}

const DESTROY_MANY: &str = "WITH dead AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS d(t, i)), \
     gone AS (DELETE FROM key k USING dead d WHERE k.tenant_id = d.t AND k.id = d.i AND k.class = 'spool') \
     UPDATE key k SET state = 'destroyed', wrapped = ''::bytea FROM dead d \
     WHERE k.tenant_id = d.t AND k.id = d.i AND k.class <> 'spool'";

const INSERT_MANY: &str = "WITH parent AS (SELECT k.id FROM key k \
     JOIN unnest($9::uuid[], $10::uuid[]) AS w(t, i) ON k.tenant_id = w.t AND k.id = w.i \
     WHERE k.state = 'active' FOR SHARE OF k), \
     made AS (INSERT INTO key (tenant_id, id, class, state, epoch, parent_id, owner_id, wrapped, created_at, \
     changed_at) SELECT t, i, c, 'active', e, p, o, w, a, a FROM unnest($1::uuid[], $2::uuid[], $3::text[], \
     $4::bigint[], $5::uuid[], $6::uuid[], $7::bytea[], $8::bigint[]) AS k(t, i, c, e, p, o, w, a) \
     WHERE (SELECT count(*) FROM parent) = cardinality($10::uuid[]) ON CONFLICT DO NOTHING) \
     SELECT id FROM parent";

/// Destroys `dead` and adds `keys` (a row that exists already stays) in one packet and one commit.
/// Nothing is added when keys that wrap some of them are not active: those are the answer then.
/// The share lock makes a rotation that retires the wrapping key come wholly before or wholly
/// after.
async fn change_once(
    client: &deadpool_postgres::Object,
    keys: &[&SealedKey],
    dead: &[(TenantId, KeyId)],
) -> Result<Vec<(TenantId, KeyId)>, StoreError> {
    let destroy = client.prepare_cached(DESTROY_MANY).await?;
    let insert = client.prepare_cached(INSERT_MANY).await?;
    let dead_tenants: Vec<Uuid> = dead.iter().map(|(tenant, _)| tenant.uuid()).collect();
    let dead_ids: Vec<Uuid> = dead.iter().map(|(_, key)| key.uuid()).collect();
    let parents = outer_parents(keys.iter().copied());
    let parent_tenants: Vec<Uuid> = parents.iter().map(|(tenant, _)| tenant.uuid()).collect();
    let parent_ids: Vec<Uuid> = parents.iter().map(|(_, key)| key.uuid()).collect();
    let column = |of: fn(&SealedKey) -> Uuid| keys.iter().map(|key| of(key)).collect::<Vec<Uuid>>();
    let (tenants, ids) = (column(|key| key.tenant.uuid()), column(|key| key.key.id().uuid()));
    let outer = column(|key| key.parent.uuid());
    let classes: Vec<&str> = keys.iter().map(|key| key.class.as_str()).collect();
    let epochs: Vec<i64> = keys.iter().map(|key| key.epoch).collect();
    let owners: Vec<Option<Uuid>> = keys.iter().map(|key| key.owner).collect();
    let wrapped: Vec<&[u8]> = keys.iter().map(|key| key.wrapped.as_slice()).collect();
    let times: Vec<i64> = keys.iter().map(|key| key.created_at.as_micros()).collect();
    let mut begin = GROUP.to_owned();
    if keys.is_empty() {
        // Nobody waits for it, and the sweep finds what a crash leaves.
        begin.push_str("; SET LOCAL synchronous_commit = off");
    }
    let destroyed = async {
        match dead.is_empty() {
            true => Ok(0),
            false => client.execute(&destroy, &[&dead_tenants, &dead_ids]).await,
        }
    };
    let added = async {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 10] = [
            &tenants,
            &ids,
            &classes,
            &epochs,
            &outer,
            &owners,
            &wrapped,
            &times,
            &parent_tenants,
            &parent_ids,
        ];
        client.query(&insert, &params).await
    };
    // Each is sent when it is first polled, and those are in order.
    let (_, _, active, _) = futures_util::try_join!(
        client.batch_execute(&begin),
        destroyed,
        added,
        client.batch_execute("COMMIT")
    )?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let active: Vec<Uuid> = active.iter().map(|row| row.get(0)).collect();
    Ok(parents.into_iter().filter(|(_, key)| !active.contains(&key.uuid())).collect())
}

/// A key row as read.
pub(crate) struct KeyRow {
    pub(crate) id: KeyId,
    pub(crate) class: KeyClass,
    pub(crate) state: KeyState,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) parent: KeyId,
}

fn key_row(row: &crate::engine::Row<'_>) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        id: row.id(0)?,
        class: row.name(1, KeyClass::parse)?,
        state: row.name(2, KeyState::parse)?,
        wrapped: row.bytes(3)?,
        parent: row.id(4)?,
    })
}

/// Reads several key rows.
pub(crate) struct KeysById(pub(crate) Vec<KeyId>);

impl Read for KeysById {
    type Out = Vec<KeyRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        if tx.is_postgres() {
            let ids: Vec<Uuid> = self.0.iter().map(|id| id.uuid()).collect();
            let text = sql!(
                "SELECT id, class, state, wrapped, parent_id FROM key WHERE tenant_id = $1 AND id = ANY($2)"
            );
            return tx.query(text, &[tenant.into(), crate::Param::Uuids(&ids)], key_row).await;
        }
        let text =
            sql!("SELECT id, class, state, wrapped, parent_id FROM key WHERE tenant_id = $1 AND id = $2");
        let sets = self.0.iter().map(|id| [tenant.into(), (*id).into()]).collect();
        tx.query_each(text, sets, key_row).await
    }
}

/// Reads how often keys of the tenant were changed or removed (PostgreSQL).
pub(crate) struct KeyTurn;

impl Read for KeyTurn {
    type Out = i64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let text = sql!("SELECT turn FROM key_turn WHERE tenant_id = $1");
        Ok(tx.query_opt(text, params![tx.tenant()], |row| row.int(0)).await?.unwrap_or(0))
    }
}

/// Reads the keys that every act of a tenant needs, newest last, in one snapshot: whatever wraps
/// one of them is among them.
pub(crate) struct StandingKeys;

impl Read for StandingKeys {
    type Out = Vec<KeyRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, class, state, wrapped, parent_id FROM key WHERE tenant_id = $1 \
                 AND class IN ('tenant', 'lookup', 'search', 'ledger', 'settings') ORDER BY epoch, created_at, id"
            ),
            params![tenant],
            key_row,
        )
        .await
    }
}

/// What wraps a key is not there. Never [`StoreError::KeyGone`], which says that it was destroyed.
pub(crate) const ORPHAN: StoreError =
    StoreError::Inconsistent { what: "a key is wrapped by one that is not there" };

/// The standing keys of a tenant, unwrapped.
pub struct TenantKeys {
    /// Whose they are.
    pub tenant: TenantId,
    /// Wraps the others.
    pub wrapping: DataKey,
    /// Wrapped some of them before it; there while a rotation is under way.
    retired: Vec<DataKey>,
    /// Blind indexes.
    pub lookup: LookupKey,
    /// Search tokens.
    pub search: SearchKey,
    /// Seals the lexicon.
    pub search_data: DataKey,
    /// Settings, users, channel accounts.
    pub settings: DataKey,
    /// Signs reply addresses.
    pub mac: MacKey,
    /// Signs checkpoints.
    pub ledger: LedgerSigner,
    /// Seals ledger entries.
    pub ledger_data: DataKey,
}

impl TenantKeys {
    /// Makes a key of `class`, wrapped by the tenant's.
    #[must_use]
    pub fn mint(
        &self,
        random: &Random,
        class: KeyClass,
        owner: Option<Uuid>,
        epoch: i64,
        at: Timestamp,
    ) -> SealedKey {
        let key = DataKey::generate(KeyId::new(at, random.bytes()), random);
        let wrapped = self.wrapping.wrap(random, self.tenant, &key);
        SealedKey {
            tenant: self.tenant,
            key,
            class,
            epoch,
            parent: self.wrapping.id(),
            owner,
            wrapped,
            created_at: at,
        }
    }

    /// Makes the standing keys of a new tenant.
    pub(crate) fn found(
        root: &RootKey,
        random: &Random,
        tenant: TenantId,
        at: Timestamp,
    ) -> Result<(Self, Vec<SealedKey>), StoreError> {
        let wrapping = DataKey::generate(KeyId::new(at, random.bytes()), random);
        let first = SealedKey {
            tenant,
            class: KeyClass::Tenant,
            epoch: 0,
            parent: root.id(),
            owner: None,
            wrapped: root.wrap(random, tenant, &wrapping),
            created_at: at,
            key: wrapping.clone(),
        };
        let mut sealed = vec![first];
        for class in [KeyClass::Lookup, KeyClass::Search, KeyClass::Ledger, KeyClass::Settings] {
            let key = DataKey::generate(KeyId::new(at, random.bytes()), random);
            let wrapped = wrapping.wrap(random, tenant, &key);
            sealed.push(SealedKey {
                tenant,
                key,
                class,
                epoch: 0,
                parent: wrapping.id(),
                owner: None,
                wrapped,
                created_at: at,
            });
        }
        let of = |class| sealed.iter().find(|key| key.class == class).map(|key| key.key.clone());
        Ok((Self::assemble(tenant, wrapping.clone(), Vec::new(), of)?, sealed))
    }

    fn assemble(
        tenant: TenantId,
        wrapping: DataKey,
        retired: Vec<DataKey>,
        of: impl Fn(KeyClass) -> Option<DataKey>,
    ) -> Result<Self, StoreError> {
        let need =
            |class| of(class).ok_or(StoreError::Inconsistent { what: "a tenant lacks a standing key" });
        let (lookup, search) = (need(KeyClass::Lookup)?, need(KeyClass::Search)?);
        let (ledger, settings) = (need(KeyClass::Ledger)?, need(KeyClass::Settings)?);
        Ok(Self {
            tenant,
            lookup: LookupKey::from_data_key(&lookup),
            search: SearchKey::from_data_key(&search),
            search_data: search,
            mac: MacKey::from_data_key(&settings),
            settings,
            ledger: LedgerSigner::from_data_key(&ledger),
            ledger_data: ledger,
            wrapping,
            retired,
        })
    }

    /// The key `id` when it is one of those that wrap this tenant's keys.
    pub(crate) fn parent(&self, id: KeyId) -> Option<&DataKey> {
        std::iter::once(&self.wrapping).chain(&self.retired).find(|key| key.id() == id)
    }

    pub(crate) fn open(root: &RootKey, tenant: TenantId, rows: &[KeyRow]) -> Result<Self, StoreError> {
        let newest =
            |class| rows.iter().rev().find(|row| row.class == class && row.state == KeyState::Active);
        let own = newest(KeyClass::Tenant).ok_or(StoreError::NotFound)?;
        let wrapping = root.unwrap_key(tenant, own.id, &own.wrapped)?;
        let mut retired = Vec::new();
        for row in rows.iter().filter(|row| row.class == KeyClass::Tenant && row.id != own.id) {
            if matches!(row.state, KeyState::Active | KeyState::Retired) {
                retired.push(root.unwrap_key(tenant, row.id, &row.wrapped)?);
            }
        }
        let parent = |id| std::iter::once(&wrapping).chain(&retired).find(|key| key.id() == id);
        let mut open = Vec::new();
        for class in [KeyClass::Lookup, KeyClass::Search, KeyClass::Ledger, KeyClass::Settings] {
            if let Some(row) = newest(class) {
                let parent = parent(row.parent).ok_or(ORPHAN)?;
                open.push((class, parent.unwrap_key(tenant, row.id, &row.wrapped)?));
            }
        }
        let of = |class| open.iter().find(|(known, _)| *known == class).map(|(_, key)| key.clone());
        Self::assemble(tenant, wrapping.clone(), retired, of)
    }
}

/// Keys in use. Two generations bound the memory: when the young one is full it becomes the old
/// one, and what is used again moves up.
///
/// A key that is destroyed or marked for erasure must not live on in here. What this node ends it
/// forgets itself. Where other nodes share the key database, each key is trusted for [`TRUSTED`] after
/// it was read, and asked for again at its next use after that, unless the *turn* of its tenant, which moves with
/// every key that is changed or removed, is still the one that was known before it was read (decision 18). The embedded engine has no other node
/// (decision 6): there a key of a contact, conversation or blob is trusted until it is forgotten, and
/// all are when rows of the key database are changed by themselves. A rotation by the command line changes what wraps keys and no key itself; so the standing keys
/// of a tenant, which wrap, are trusted for a time on either engine.
pub(crate) struct Ring {
    pub(crate) root: RootKey,
    /// Whether other nodes end keys too.
    shared: bool,
    keys: Mutex<Generations>,
    turns: Mutex<HashMap<TenantId, Turn>>,
    moments: AtomicU64,
    tenants: Mutex<HashMap<TenantId, (Arc<TenantKeys>, Timestamp)>>,
}

/// The turn of the keys of a tenant, as one node knows it.
#[derive(Clone, Copy)]
struct Turn {
    turn: i64,
    /// It was known from here on: whatever key was read later is vouched for by it …
    since: u64,
    /// … until [`TRUSTED`] after it was asked for last.
    asked_at: Timestamp,
}

/// When a reading began: by the clock, and in the order of this process, which no clock that is set
/// changes.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    at: Timestamp,
    order: u64,
}

/// What is known by the id of a key …
pub(crate) type ByKeyId<T> = HashMap<KeyId, T, BuildHasherDefault<IdHasher>>;
/// … and such ids alone.
pub(crate) type KeyIds = HashSet<KeyId, BuildHasherDefault<IdHasher>>;

/// The id of a key holds 74 random bits of our own (RFC 9562, section 5.7): it needs no other hash. A page of
/// hits asks for a hundred and fifty of them.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Of a UUID the second half, whose first two bits are the same in all.
        let half = bytes.last_chunk().map_or(0, |half| u64::from_be_bytes(*half));
        self.0 ^= half.rotate_left(2);
    }

    fn write_usize(&mut self, _length: usize) {}
}

struct Held {
    tenant: TenantId,
    key: DataKey,
    read: Moment,
}

#[derive(Default)]
struct Generations {
    young: ByKeyId<Held>,
    old: ByKeyId<Held>,
    /// Keys that were forgotten lately, in two generations too.
    ended: KeyIds,
    ended_before: KeyIds,
}

/// So many keys that were forgotten lately are remembered by name: who has just read the row of one,
/// before it was ended, must not bring it back.
const ENDED: usize = 4_096;
/// Keys per generation; one takes about a quarter of a kilobyte. So many are those of some sixty thousand cases and
/// their contacts: a search over more of them fetches and unwraps what it misses, which was a tenth of its time.
const GENERATION: usize = 65_536;
/// So long a node uses a key without asking whether it still may.
pub(crate) const TRUSTED: Duration = Duration::from_secs(5);

/// Whether what was read at `read_at` may be used at `now`; a clock that was set back is no reason
/// to trust for longer.
fn trusted(read_at: Timestamp, now: Timestamp) -> bool {
    now.since(read_at) < TRUSTED && read_at.since(now) < TRUSTED
}

impl Ring {
    /// An empty ring; `shared` says that other nodes end keys too.
    pub(crate) fn new(root: RootKey, shared: bool) -> Self {
        Self {
            root,
            shared,
            keys: Mutex::default(),
            turns: Mutex::default(),
            moments: AtomicU64::new(0),
            tenants: Mutex::default(),
        }
    }

    /// The moment at which the clock shows `at`: everything that is read from here on is read after it.
    pub(crate) fn moment(&self, at: Timestamp) -> Moment {
        Moment { at, order: self.moments.fetch_add(1, Ordering::SeqCst) }
    }

    /// The turn that is known of `tenant` and may be gone by at `now`.
    fn turn(&self, tenant: TenantId, now: Timestamp) -> Option<Turn> {
        let turns = self.turns.lock().expect("no panic holds this lock");
        turns.get(&tenant).copied().filter(|turn| trusted(turn.asked_at, now))
    }

    /// Whether the turn of `tenant` is to be asked for at `now`.
    pub(crate) fn needs_turn(&self, tenant: TenantId, now: Timestamp) -> bool {
        self.shared && self.turn(tenant, now).is_none()
    }

    /// Keeps the turn of `tenant`: it was asked for at `asked_at`, and is known now.
    pub(crate) fn put_turn(&self, tenant: TenantId, turn: i64, asked_at: Timestamp) {
        let since = self.moment(asked_at).order;
        let mut turns = self.turns.lock().expect("no panic holds this lock");
        match turns.get_mut(&tenant) {
            Some(known) if known.turn == turn => known.asked_at = asked_at,
            // An answer that was overtaken by a later one.
            Some(known) if known.turn > turn => {}
            _ => drop(turns.insert(tenant, Turn { turn, since, asked_at })),
        }
    }

    /// Whether a key whose row was read at `read` may be used at `now`, when `turn` is known.
    fn may_use(&self, read: Moment, now: Timestamp, turn: Option<Turn>) -> bool {
        !self.shared || trusted(read.at, now) || turn.is_some_and(|turn| turn.since < read.order)
    }

    pub(crate) fn get(&self, tenant: TenantId, id: KeyId, now: Timestamp) -> Option<DataKey> {
        let turn = self.turn(tenant, now);
        let mut keys = self.keys.lock().expect("no panic holds this lock");
        let held = keys.held(id)?;
        (held.tenant == tenant && self.may_use(held.read, now, turn)).then(|| held.key.clone())
    }

    /// Of `ids` those that are in the ring, and the others, each once.
    pub(crate) fn get_all(
        &self,
        tenant: TenantId,
        ids: KeyIds,
        now: Timestamp,
    ) -> (ByKeyId<DataKey>, Vec<KeyId>) {
        let turn = self.turn(tenant, now);
        let mut keys = self.keys.lock().expect("no panic holds this lock");
        let (mut found, mut missing) = (ByKeyId::default(), Vec::new());
        found.reserve(ids.len());
        for id in ids {
            match keys.held(id) {
                Some(held) if held.tenant == tenant && self.may_use(held.read, now, turn) => {
                    found.insert(id, held.key.clone());
                }
                _ => missing.push(id),
            }
        }
        // In the order in which they were made, as their rows lie: neighbours share a page.
        missing.sort_unstable();
        (found, missing)
    }

    /// The key `id` of `tenant`, whose row was read at `read` and is active, when it is in the ring.
    pub(crate) fn renew(&self, tenant: TenantId, id: KeyId, read: Moment) -> Option<DataKey> {
        let mut keys = self.keys.lock().expect("no panic holds this lock");
        let held = keys.held(id).filter(|held| held.tenant == tenant)?;
        held.read = read;
        Some(held.key.clone())
    }

    /// Keeps a key whose row was read at `read`, unless it was forgotten lately.
    pub(crate) fn put(&self, tenant: TenantId, key: &DataKey, read: Moment) {
        let mut keys = self.keys.lock().expect("no panic holds this lock");
        if !keys.ended.contains(&key.id()) && !keys.ended_before.contains(&key.id()) {
            keys.put(Held { tenant, key: key.clone(), read });
        }
    }

    /// Forgets a key that was ended, or is about to be.
    pub(crate) fn forget(&self, id: KeyId) {
        let mut keys = self.keys.lock().expect("no panic holds this lock");
        keys.young.remove(&id);
        keys.old.remove(&id);
        if keys.ended.len() >= ENDED {
            keys.ended_before = std::mem::take(&mut keys.ended);
        }
        keys.ended.insert(id);
    }

    /// Forgets every key but the standing ones.
    pub(crate) fn forget_all(&self) {
        let mut keys = self.keys.lock().expect("no panic holds this lock");
        keys.young.clear();
        keys.old.clear();
    }

    pub(crate) fn tenant(&self, tenant: TenantId, now: Timestamp) -> Option<Arc<TenantKeys>> {
        let tenants = self.tenants.lock().expect("no panic holds this lock");
        let (keys, read_at) = tenants.get(&tenant)?;
        trusted(*read_at, now).then(|| Arc::clone(keys))
    }

    pub(crate) fn put_tenant(&self, keys: TenantKeys, read_at: Timestamp) -> Arc<TenantKeys> {
        let keys = Arc::new(keys);
        let mut tenants = self.tenants.lock().expect("no panic holds this lock");
        tenants.insert(keys.tenant, (Arc::clone(&keys), read_at));
        keys
    }

    pub(crate) fn forget_tenant(&self, tenant: TenantId) {
        self.tenants.lock().expect("no panic holds this lock").remove(&tenant);
    }
}

impl Generations {
    fn held(&mut self, id: KeyId) -> Option<&mut Held> {
        if !self.young.contains_key(&id) {
            let held = self.old.remove(&id)?;
            self.put(held);
        }
        self.young.get_mut(&id)
    }

    fn put(&mut self, held: Held) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(held.key.id(), held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_vouches_for_what_was_read_after_it_was_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let root =
            RootKey::create_file(&folder.path().join("root.key"), &Random::System).expect("a root key");
        let ring = Ring::new(root, true);
        let (tenant, at) = (TenantId(Uuid::from_u128(1)), Timestamp::from_secs);
        let key = |n: u128| DataKey::generate(KeyId(Uuid::from_u128(n)), &Random::System);
        let (before, after) = (key(1), key(2));
        let here = |key: &DataKey, now: i64| ring.get(tenant, key.id(), at(now)).is_some();
        ring.put(tenant, &before, ring.moment(at(100)));
        assert!(ring.needs_turn(tenant, at(100)));
        ring.put_turn(tenant, 7, at(100));
        ring.put(tenant, &after, ring.moment(at(100)));
        assert!(here(&before, 104) && here(&after, 104) && !ring.needs_turn(tenant, at(104)));
        // Nobody has asked for long: nothing is vouched for.
        assert!(!here(&before, 106) && !here(&after, 106) && ring.needs_turn(tenant, at(106)));
        ring.put_turn(tenant, 7, at(106));
        assert!(!here(&before, 107) && here(&after, 107));
        // An hour later the number is the same.
        ring.put_turn(tenant, 7, at(4_000));
        assert!(!here(&before, 4_001) && here(&after, 4_001));
        // It moves: what was read before is asked for, and what is read after is vouched for. An answer that
        // was overtaken changes nothing.
        ring.put_turn(tenant, 8, at(4_006));
        assert!(!here(&after, 4_006));
        ring.put_turn(tenant, 7, at(4_007));
        assert!(!here(&after, 4_007));
        let read = ring.moment(at(4_007));
        ring.renew(tenant, after.id(), read).expect("in the ring");
        ring.put_turn(tenant, 8, at(4_012));
        assert!(here(&after, 4_016) && !here(&before, 4_016));
        // The clock is set back: the order of what happened stays.
        ring.put_turn(tenant, 9, at(50));
        assert!(!here(&after, 51));
        // Another tenant's number says nothing.
        ring.put(tenant, &before, ring.moment(at(60)));
        ring.put_turn(TenantId(Uuid::from_u128(2)), 1, at(70));
        assert!(!here(&before, 70));
        // The embedded engine has no other node.
        let folder = tempfile::tempdir().expect("a folder");
        let root =
            RootKey::create_file(&folder.path().join("root.key"), &Random::System).expect("a root key");
        let alone = Ring::new(root, false);
        alone.put(tenant, &before, alone.moment(at(100)));
        assert!(alone.get(tenant, before.id(), at(9_000)).is_some() && !alone.needs_turn(tenant, at(9_000)));
    }
}
