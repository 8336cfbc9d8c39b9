// SPDX-License-Identifier: EUPL-1.2
//! The door to all four stores.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use belofte_model::{KeyClass, KeyId, KeyState, NodeId, TenantId};
use belofte_vault::{DataKey, Random, RootKey};

use crate::account_lookup::Resolved;
use crate::business_hours::Openings;
use crate::engine::{
    Gathering, Hands, Migrations, Postgres, PostgresSettings, Read, Sqlite, SqliteSettings, Write,
};
use crate::filing_plan::{FilingPlan, FilingQuestion};
use crate::hints::Hints;
use crate::keys::{
    ByKeyId, KeyIds, KeyRow, KeyTurn, KeysById, Moment, ORPHAN, Ring, SealedKey, StandingKeys, TenantKeys,
};
use crate::lexicons::Lexicons;
use crate::unindexed::Unindexed;
use crate::{Access, Blobs, Clock, Index, StoreError};

/// Which engine holds content and keys.
#[derive(Clone)]
pub enum EngineSettings {
    /// Embedded; the files lie in the data folder.
    Sqlite {
        /// How many readers may run at once.
        readers: usize,
    },
    /// A server with two databases.
    Postgres(PostgresSettings),
}

/// How the stores are opened.
#[derive(Clone)]
pub struct StoreSettings {
    /// The data folder: databases of the embedded engine, blobs, index files.
    pub folder: PathBuf,
    /// The engine.
    pub engine: EngineSettings,
}

enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// So often the ring is brought up to date when it turns out to be older than a rotation.
const TRIES: u32 = 4;

/// Content, keys, index and blobs. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    folder: PathBuf,
    ring: Ring,
    blobs: Blobs,
    index: Index,
    clock: Clock,
    random: Random,
    hints: Hints,
    unindexed: Unindexed,
    lexicons: Lexicons,
    resolved: Resolved,
    openings: Openings,
    filing: Arc<Gathering<FilingQuestion>>,
    node: OnceLock<NodeId>,
}

impl Store {
    /// Opens the stores and brings their schemas up to date.
    ///
    /// # Errors
    /// [`StoreError::Setup`], [`StoreError::Migration`] or the engine's errors.
    pub async fn open(
        settings: &StoreSettings,
        root: RootKey,
        clock: Clock,
        random: Random,
    ) -> Result<Self, StoreError> {
        Self::open_with(settings, &MIGRATIONS, root, clock, random).await
    }

    pub(crate) async fn open_with(
        settings: &StoreSettings,
        migrations: &Migrations,
        root: RootKey,
        clock: Clock,
        random: Random,
    ) -> Result<Self, StoreError> {
        let engine = match &settings.engine {
            EngineSettings::Sqlite { readers } => {
                let settings = SqliteSettings { folder: settings.folder.clone(), readers: *readers };
                Engine::Sqlite(Sqlite::open(&settings, migrations)?)
            }
            EngineSettings::Postgres(settings) => {
                Engine::Postgres(Postgres::open(settings, migrations, random.clone()).await?)
            }
        };
        let inner = Inner {
            engine,
            folder: settings.folder.clone(),
            ring: Ring::new(root, matches!(settings.engine, EngineSettings::Postgres(_))),
            blobs: Blobs::new(settings.folder.join("blobs")),
            index: Index::new(settings.folder.join("idx")),
            clock,
            random,
            hints: Hints::default(),
            unindexed: Unindexed::default(),
            lexicons: Lexicons::default(),
            resolved: Resolved::default(),
            openings: Openings::default(),
            filing: Arc::default(),
            node: OnceLock::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Writes `value` for the tenant of `access`; answers when it is durable.
    ///
    /// # Errors
    /// [`StoreError::Purpose`] when the access does not serve for this change; what the value's body
    /// answers; [`StoreError::Full`] and the engine's errors.
    pub async fn write<W: Write>(&self, access: &Access, value: W) -> Result<W::Out, StoreError> {
        if let Some(what) = W::USE {
            access.to(what)?;
        }
        self.write_for(Some(access.tenant()), Arc::new(value)).await
    }

    /// Asks `value` of the tenant of `access`.
    ///
    /// # Errors
    /// What the value's body answers and the engine's errors.
    pub(crate) async fn read<R: Read>(&self, access: &Access, value: R) -> Result<R::Out, StoreError> {
        self.read_for(Some(access.tenant()), Arc::new(value)).await
    }

    /// Work across tenants. The methods of [`SystemTx`](crate::SystemTx) are its only callers.
    pub(crate) async fn write_for<W: Write>(
        &self,
        tenant: Option<TenantId>,
        value: Arc<W>,
    ) -> Result<W::Out, StoreError> {
        let (mut rewrapped, mut tries) = (None, 0);
        // Whoever ends one of the new keys does so later.
        let moment = self.inner.ring.moment(self.inner.clock.now());
        let out = loop {
            let (value, keys) = (Arc::clone(&value), rewrapped.clone());
            let new = value.new_keys();
            let result = match &self.inner.engine {
                Engine::Sqlite(engine) => engine.write(tenant, Arc::clone(&value), keys).await,
                Engine::Postgres(engine) => engine.write(tenant, Arc::clone(&value), keys).await,
            };
            match result {
                // The key that wraps the new ones was retired since they were made.
                Err(StoreError::KeyGone(parent)) if tries < TRIES && !new.is_empty() => {
                    tries += 1;
                    rewrapped = Some(self.rewrapped(new, parent).await?);
                }
                result => break result?,
            }
        };
        // A key is remembered only now: one that a rollback took away would seal rows that
        // nobody can ever open.
        for key in value.new_keys() {
            self.inner.ring.put(key.tenant, &key.key, moment);
        }
        for key in value.dead_keys() {
            self.inner.ring.forget(*key);
        }
        if let Some(tenant) = tenant {
            self.inner.hints.wake(tenant);
        }
        Ok(out)
    }

    /// `keys` as they are wrapped by what wraps keys of their tenant now.
    async fn rewrapped(&self, keys: &[SealedKey], stale: KeyId) -> Result<Arc<[SealedKey]>, StoreError> {
        let mut fresh = Vec::with_capacity(keys.len());
        for key in keys {
            let mut key = key.clone();
            if key.class != KeyClass::Tenant {
                if self.tenant_keys(key.tenant).await?.wrapping.id() == stale {
                    self.inner.ring.forget_tenant(key.tenant);
                }
                let wrapping = &self.tenant_keys(key.tenant).await?.wrapping;
                key.wrapped = wrapping.wrap(&self.inner.random, key.tenant, &key.key);
                key.parent = wrapping.id();
            }
            fresh.push(key);
        }
        Ok(fresh.into())
    }

    /// Changes rows of the key database alone: `value` is run there and nowhere else.
    pub(crate) async fn write_keys<W: Write>(
        &self,
        tenant: Option<TenantId>,
        value: W,
    ) -> Result<W::Out, StoreError> {
        match &self.inner.engine {
            Engine::Sqlite(engine) => {
                let out = engine.write_keys(tenant, Arc::new(value)).await;
                // Whatever it changed, the rows are read again.
                self.inner.ring.forget_all();
                out
            }
            Engine::Postgres(engine) => engine.write_keys(tenant, Arc::new(value)).await,
        }
    }

    pub(crate) async fn read_for<R: Read>(
        &self,
        tenant: Option<TenantId>,
        value: Arc<R>,
    ) -> Result<R::Out, StoreError> {
        match &self.inner.engine {
            Engine::Sqlite(engine) => engine.read(tenant, value).await,
            Engine::Postgres(engine) => engine.read(tenant, value).await,
        }
    }

    /// What a mail is to be filed by; on the server engine many of them are asked together.
    pub(crate) async fn filing_plan(
        &self,
        access: &Access,
        question: FilingQuestion,
    ) -> Result<FilingPlan, StoreError> {
        let (tenant, question) = (access.tenant(), Arc::new(question));
        match &self.inner.engine {
            Engine::Sqlite(engine) => engine.read(Some(tenant), question).await,
            Engine::Postgres(engine) => engine.read_together(&self.inner.filing, tenant, question).await,
        }
    }

    /// Asks the key database about the keys of all tenants.
    pub(crate) async fn read_all_keys<R: Read>(&self, value: R) -> Result<R::Out, StoreError> {
        match &self.inner.engine {
            Engine::Sqlite(engine) => engine.read_keys(None, Arc::new(value)).await,
            Engine::Postgres(engine) => engine.read_keys(None, Arc::new(value)).await,
        }
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.inner.folder
    }

    pub(crate) async fn read_keys<R: Read>(&self, tenant: TenantId, value: R) -> Result<R::Out, StoreError> {
        self.read_keys_shared(tenant, Arc::new(value)).await
    }

    /// As [`Store::read_keys`], for a question that its asker keeps.
    pub(crate) async fn read_keys_shared<R: Read>(
        &self,
        tenant: TenantId,
        value: Arc<R>,
    ) -> Result<R::Out, StoreError> {
        match &self.inner.engine {
            Engine::Sqlite(engine) => engine.read_keys(Some(tenant), value).await,
            Engine::Postgres(engine) => engine.read_keys(Some(tenant), value).await,
        }
    }

    /// The key `id` of `tenant`, from the ring or unwrapped from its row.
    ///
    /// # Errors
    /// [`StoreError::KeyGone`] when it is unknown, marked for erasure or destroyed;
    /// [`StoreError::Vault`] when its row was tampered with.
    pub(crate) async fn key(&self, tenant: TenantId, id: KeyId) -> Result<DataKey, StoreError> {
        if let Some(key) = self.inner.ring.get(tenant, id, self.inner.clock.now()) {
            return Ok(key);
        }
        let keys = self.tenant_keys(tenant).await?;
        if id == keys.settings.id() {
            return Ok(keys.settings.clone());
        }
        self.keys_by_id(tenant, std::iter::once(id).collect())
            .await?
            .remove(&id)
            .ok_or(StoreError::KeyGone(id))
    }

    /// The keys `ids` of `tenant` that are active, in one question for those not in the ring.
    pub(crate) async fn keys_by_id(
        &self,
        tenant: TenantId,
        ids: KeyIds,
    ) -> Result<ByKeyId<DataKey>, StoreError> {
        let (clock, ring) = (&self.inner.clock, &self.inner.ring);
        let now = clock.now();
        let (mut found, mut missing) = ring.get_all(tenant, ids, now);
        if !missing.is_empty() && ring.needs_turn(tenant, now) {
            let turn = self.read_keys(tenant, KeyTurn).await?;
            ring.put_turn(tenant, turn, now);
            let (more, left) = ring.get_all(tenant, missing.into_iter().collect(), now);
            found.extend(more);
            missing = left;
        }
        let (mut tries, moment) = (0, ring.moment(clock.now()));
        while !missing.is_empty() {
            let keys = self.tenant_keys(tenant).await?;
            let rows = self.read_keys(tenant, KeysById(missing.clone())).await?;
            let strange = self.unwrap(&keys, &missing, rows, moment, &mut found)?;
            // Wrapped by a key that this ring does not hold: a rotation went on elsewhere, or came
            // between the two readings. Both are read again.
            if !strange.is_empty() {
                tries += 1;
                if tries > TRIES {
                    return Err(ORPHAN);
                }
                self.inner.ring.forget_tenant(tenant);
            }
            missing = strange;
        }
        Ok(found)
    }

    /// Adds to `found`, and to the ring, the keys of `rows` that are active; gives those wrapped by a
    /// key that is not among the standing `keys`. `asked` are all that were asked for at `now`.
    pub(crate) fn unwrap(
        &self,
        keys: &TenantKeys,
        asked: &[KeyId],
        rows: Vec<KeyRow>,
        now: Moment,
        found: &mut ByKeyId<DataKey>,
    ) -> Result<Vec<KeyId>, StoreError> {
        let mut strange = Vec::new();
        // Destroyed or marked for erasure, here or by another node: forgotten here as well.
        let active: HashSet<KeyId> =
            rows.iter().filter(|row| row.state == KeyState::Active).map(|row| row.id).collect();
        for gone in asked.iter().filter(|id| !active.contains(id)) {
            self.inner.ring.forget(*gone);
        }
        for row in rows.into_iter().filter(|row| row.state == KeyState::Active) {
            // Known and still active: it need not be unwrapped and prepared again.
            if let Some(key) = self.inner.ring.renew(keys.tenant, row.id, now) {
                found.insert(row.id, key);
            } else if let Some(parent) = keys.parent(row.parent) {
                let key = parent.unwrap_key(keys.tenant, row.id, &row.wrapped)?;
                self.inner.ring.put(keys.tenant, &key, now);
                found.insert(row.id, key);
            } else {
                strange.push(row.id);
            }
        }
        Ok(strange)
    }

    /// Runs `act` where both files of the embedded engine can be read in one visit; `None` with
    /// another engine.
    ///
    /// # Errors
    /// What `act` answers, and the engine's errors.
    pub(crate) async fn visit<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Hands) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        match &self.inner.engine {
            Engine::Sqlite(engine) => engine.visit(act).await.map(Some),
            Engine::Postgres(_) => Ok(None),
        }
    }

    /// The standing keys of `tenant`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such tenant.
    pub(crate) async fn tenant_keys(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, StoreError> {
        let now = self.inner.clock.now();
        if let Some(keys) = self.inner.ring.tenant(tenant, now) {
            return Ok(keys);
        }
        let rows = self.read_keys(tenant, StandingKeys).await?;
        let keys = TenantKeys::open(&self.inner.ring.root, tenant, &rows);
        if matches!(keys, Err(StoreError::NotFound)) {
            self.inner.ring.forget_tenant(tenant);
        }
        Ok(self.inner.ring.put_tenant(keys?, now))
    }

    /// The standing keys of the tenant of `access`.
    ///
    /// # Errors
    /// As [`Store::key`].
    pub async fn keys(&self, access: &Access) -> Result<Arc<TenantKeys>, StoreError> {
        self.tenant_keys(access.tenant()).await
    }

    pub(crate) fn ring(&self) -> &Ring {
        &self.inner.ring
    }

    /// Blob files.
    #[must_use]
    pub(crate) fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    pub(crate) fn index_file(&self) -> &Index {
        &self.inner.index
    }

    pub(crate) fn unindexed(&self) -> &Unindexed {
        &self.inner.unindexed
    }

    pub(crate) fn lexicons(&self) -> &Lexicons {
        &self.inner.lexicons
    }

    pub(crate) fn resolved(&self) -> &Resolved {
        &self.inner.resolved
    }

    /// What is known of when queues are open.
    pub(crate) fn openings(&self) -> &Openings {
        &self.inner.openings
    }

    /// The node that this process serves as; none for commands and tests.
    pub(crate) fn node(&self) -> Option<NodeId> {
        self.inner.node.get().copied()
    }

    pub(crate) fn set_node(&self, node: NodeId) {
        // A process is one node for as long as it lives.
        let _ = self.inner.node.set(node);
    }

    /// Whether the engine is PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.inner.engine, Engine::Postgres(_))
    }

    /// The clock that the stores were opened with.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The randomness that the stores were opened with.
    #[must_use]
    pub fn random(&self) -> &Random {
        &self.inner.random
    }

    /// Who waits for news of tenants on this node.
    #[must_use]
    pub fn hints(&self) -> &Hints {
        &self.inner.hints
    }

    /// Finishes what is queued and closes the stores.
    pub async fn close(&self) {
        if let Engine::Postgres(engine) = &self.inner.engine {
            return engine.close().await;
        }
        let inner = Arc::clone(&self.inner);
        let closing = tokio::task::spawn_blocking(move || {
            if let Engine::Sqlite(engine) = &inner.engine {
                engine.close();
            }
        });
        let _ = closing.await;
    }
}

/// The migrations of this version, in order.
pub const MIGRATIONS: Migrations = Migrations {
    content_lite: &[
        ("V1__house", include_str!("../migrations/sqlite/content_V1__house.sql")),
        ("V2__holder", include_str!("../migrations/sqlite/content_V2__holder.sql")),
        ("V3__deliver", include_str!("../migrations/sqlite/content_V3__deliver.sql")),
        ("V4__counts", include_str!("../migrations/sqlite/content_V4__counts.sql")),
        ("V5__proof", include_str!("../migrations/sqlite/content_V5__proof.sql")),
        ("V6__installation", include_str!("../migrations/sqlite/content_V6__installation.sql")),
        ("V7__recipients", include_str!("../migrations/sqlite/content_V7__recipients.sql")),
        ("V8__retrieval", include_str!("../migrations/sqlite/content_V8__retrieval.sql")),
        ("V9__work_of_a_team", include_str!("../migrations/sqlite/content_V9__work_of_a_team.sql")),
        ("V10__authorisation", include_str!("../migrations/sqlite/content_V10__authorisation.sql")),
        (
            "V11__signing_and_scanning",
            include_str!("../migrations/sqlite/content_V11__signing_and_scanning.sql"),
        ),
        ("V12__drafts", include_str!("../migrations/sqlite/content_V12__drafts.sql")),
        ("V13__merges", include_str!("../migrations/sqlite/content_V13__merges.sql")),
        ("V14__remote_images", include_str!("../migrations/sqlite/content_V14__remote_images.sql")),
        ("V15__macros", include_str!("../migrations/sqlite/content_V15__macros.sql")),
        ("V16__notifications", include_str!("../migrations/sqlite/content_V16__notifications.sql")),
        ("V17__push", include_str!("../migrations/sqlite/content_V17__push.sql")),
        ("V18__second_factor", include_str!("../migrations/sqlite/content_V18__second_factor.sql")),
        ("V19__queues", include_str!("../migrations/sqlite/content_V19__queues.sql")),
        ("V20__teams", include_str!("../migrations/sqlite/content_V20__teams.sql")),
        ("V21__contact_by_id", include_str!("../migrations/sqlite/content_V21__contact_by_id.sql")),
        ("V22__fields", include_str!("../migrations/sqlite/content_V22__fields.sql")),
    ],
    keys_lite: &[
        ("V1__keys", include_str!("../migrations/sqlite/keys_V1__keys.sql")),
        ("V2__witness", include_str!("../migrations/sqlite/keys_V2__witness.sql")),
        ("V3__listed", include_str!("../migrations/sqlite/keys_V3__listed.sql")),
    ],
    content_postgres: &[
        ("V1__house", include_str!("../migrations/postgres/content_V1__house.sql")),
        ("V2__holder", include_str!("../migrations/postgres/content_V2__holder.sql")),
        ("V3__lexicon", include_str!("../migrations/postgres/content_V3__lexicon.sql")),
        ("V4__deliver", include_str!("../migrations/postgres/content_V4__deliver.sql")),
        ("V5__counts", include_str!("../migrations/postgres/content_V5__counts.sql")),
        ("V6__proof", include_str!("../migrations/postgres/content_V6__proof.sql")),
        ("V7__installation", include_str!("../migrations/postgres/content_V7__installation.sql")),
        ("V8__recipients", include_str!("../migrations/postgres/content_V8__recipients.sql")),
        ("V9__index", include_str!("../migrations/postgres/content_V9__index.sql")),
        (
            "V10__index_of_each_node",
            include_str!("../migrations/postgres/content_V10__index_of_each_node.sql"),
        ),
        ("V11__retrieval", include_str!("../migrations/postgres/content_V11__retrieval.sql")),
        ("V12__work_of_a_team", include_str!("../migrations/postgres/content_V12__work_of_a_team.sql")),
        ("V13__authorisation", include_str!("../migrations/postgres/content_V13__authorisation.sql")),
        (
            "V14__signing_and_scanning",
            include_str!("../migrations/postgres/content_V14__signing_and_scanning.sql"),
        ),
        ("V15__drafts", include_str!("../migrations/postgres/content_V15__drafts.sql")),
        ("V16__merges", include_str!("../migrations/postgres/content_V16__merges.sql")),
        ("V17__remote_images", include_str!("../migrations/postgres/content_V17__remote_images.sql")),
        ("V18__macros", include_str!("../migrations/postgres/content_V18__macros.sql")),
        ("V19__notifications", include_str!("../migrations/postgres/content_V19__notifications.sql")),
        ("V20__push", include_str!("../migrations/postgres/content_V20__push.sql")),
        ("V21__second_factor", include_str!("../migrations/postgres/content_V21__second_factor.sql")),
        ("V22__queues", include_str!("../migrations/postgres/content_V22__queues.sql")),
        ("V23__teams", include_str!("../migrations/postgres/content_V23__teams.sql")),
        ("V24__fields", include_str!("../migrations/postgres/content_V24__fields.sql")),
    ],
    keys_postgres: &[
        ("V1__keys", include_str!("../migrations/postgres/keys_V1__keys.sql")),
        ("V2__witness", include_str!("../migrations/postgres/keys_V2__witness.sql")),
        ("V3__listed", include_str!("../migrations/postgres/keys_V3__listed.sql")),
        ("V4__turns", include_str!("../migrations/postgres/keys_V4__turns.sql")),
    ],
};
