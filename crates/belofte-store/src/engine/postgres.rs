// SPDX-License-Identifier: EUPL-1.2
//! PostgreSQL: two databases (content and keys). Writes of tenants are committed in groups (see
//! `lanes` and `group`); each is retried as a value when the server asks for it (40001
//! serialisation failure, 40P01 deadlock).

use std::sync::Arc;
use std::task::Poll;

use belofte_model::{Duration, TenantId};
use belofte_vault::Random;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, QueueMode, RecyclingMethod};
use futures_util::poll;
use tokio::runtime::{Handle, Runtime};
use tokio_util::task::TaskTracker;

use super::group::{self, Session};
use super::lanes::{Lanes, Lines};
use super::postgres_tls::{self, PostgresTls, read_address};
use super::{Gathering, Read, Together, Write, migrate};
use crate::StoreError;
use crate::engine::Migrations;
use crate::fail::{self, FailPoint};
use crate::keys::{self, SealedKey};

/// How the server engine is reached.
#[derive(Clone)]
pub struct PostgresSettings {
    /// The content database, as a libpq URL or key-value text.
    pub content_url: String,
    /// The key database; another one, so that no back-up holds both.
    pub keys_url: String,
    /// Connections to each.
    pub connections: usize,
    /// How the lines to both are secured.
    pub tls: PostgresTls,
}

impl PostgresSettings {
    /// Whether `url` can be read as the address of a database: with a host and a database.
    #[must_use]
    pub fn reads(url: &str) -> bool {
        postgres_tls::parse(url)
            .is_some_and(|config| !config.get_hosts().is_empty() && config.get_dbname().is_some())
    }
}

/// A transaction that the server refuses to serialise is tried this often.
const TRIES: u32 = 12;

/// Groups of different tenants that are committed at the same time, at most; and never more than
/// a quarter of the connections.
const LANES: usize = 4;

/// The threads of this engine, as the embedded one has its own. Writes and what is asked together go
/// at the pace of their journeys to the server: between mails that are parsed and sealed, each step of
/// a group would wait its turn while its transaction is open.
struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> Result<Self, StoreError> {
        let count = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(4));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(count)
            .thread_name("postgres")
            .enable_all()
            .build()
            .map_err(|_| StoreError::Setup("the engine's threads cannot be started".to_owned()))?;
        Ok(Self(Some(runtime)))
    }

    fn handle(&self) -> &Handle {
        self.0.as_ref().expect("running until it is dropped").handle()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // The last handle of a store may go in a task, where nobody may wait for threads.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The server engine.
pub struct Postgres {
    lanes: Lanes,
    content: Pool,
    keys: Pool,
    /// Connections for what is asked together, driven by the engine's own threads.
    together: Pool,
    asking: TaskTracker,
    random: Random,
    threads: Threads,
}

impl Postgres {
    /// Connects to both databases and brings their schemas up to date.
    ///
    /// # Errors
    /// [`StoreError::Setup`] for an address that cannot be read or when both databases are the
    /// same, [`StoreError::Busy`] when the server cannot be reached, [`StoreError::Migration`].
    pub async fn open(
        settings: &PostgresSettings,
        migrations: &Migrations,
        random: Random,
    ) -> Result<Self, StoreError> {
        if settings.content_url == settings.keys_url {
            let why = "keys and content must be two databases, so that no back-up holds both";
            return Err(StoreError::Setup(why.to_owned()));
        }
        let lanes = (settings.connections / 4).clamp(1, LANES);
        // Of each database, the lanes have a connection each; of the content so does what is asked
        // together, and of the keys what destroys dead ones.
        let left = settings.connections.saturating_sub(2 * lanes).max(1);
        let content = pool(settings, &settings.content_url, left)?;
        let keys = pool(settings, &settings.keys_url, left)?;
        migrate::postgres(&mut *keys.get().await?, migrations.keys_postgres).await?;
        migrate::postgres(&mut *content.get().await?, migrations.content_postgres).await?;
        let threads = Threads::start()?;
        let writing = Lines {
            content: pool(settings, &settings.content_url, lanes)?,
            keys: pool(settings, &settings.keys_url, lanes + 1)?,
        };
        let together = pool(settings, &settings.content_url, lanes)?;
        let lanes = Lanes::start(&writing, threads.handle(), lanes);
        Ok(Self { lanes, content, keys, together, asking: TaskTracker::new(), random, threads })
    }

    /// Commits keys, then content, in groups with what others write, and destroys keys that are no
    /// longer needed. `keys` stand for the value's own new keys when those had to be wrapped anew.
    /// Work across tenants has a transaction of its own.
    ///
    /// # Errors
    /// [`StoreError::KeyGone`] with the key that wraps the new ones when it is not active any more;
    /// nothing is written then.
    /// What the body answers; the engine's errors; [`StoreError::Driver`] with code 40001 when the
    /// server refused to serialise it again and again.
    pub async fn write<W: Write>(
        &self,
        tenant: Option<TenantId>,
        value: Arc<W>,
        keys: Option<Arc<[SealedKey]>>,
    ) -> Result<W::Out, StoreError> {
        if let Some(tenant) = tenant {
            let write = || self.lanes.write(tenant, Arc::clone(&value), keys.clone());
            return self.insist(write).await;
        }
        let new = keys.as_deref().unwrap_or_else(|| value.new_keys());
        if !new.is_empty() {
            let client = self.keys.get().await?;
            let refused = keys::change_postgres(&client, &[new], &[]).await?;
            if let Some(parent) = refused.into_iter().flatten().next() {
                return Err(StoreError::KeyGone(parent));
            }
        }
        fail::hit(FailPoint::KeysCommitted);
        let out = self.insist(|| attempt(&self.content, None, &*value)).await?;
        fail::hit(FailPoint::ContentCommitted);
        Ok(out)
    }

    /// Runs a write on the key database alone.
    ///
    /// # Errors
    /// As [`Postgres::write`].
    pub async fn write_keys<W: Write>(
        &self,
        tenant: Option<TenantId>,
        value: Arc<W>,
    ) -> Result<W::Out, StoreError> {
        self.insist(|| attempt(&self.keys, tenant, &*value)).await
    }

    /// Tries again, after a moment, what the server would not serialise.
    async fn insist<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        mut write: impl FnMut() -> F,
    ) -> Result<T, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match write().await {
                Err(error) if error.is_transient() && tries < TRIES => {
                    let [jitter] = self.random.bytes();
                    let pause = (1_u64 << tries.min(6)) * (64 + u64::from(jitter)) / 64;
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                result => return result,
            }
        }
    }

    /// Runs a question on a snapshot of the content.
    ///
    /// # Errors
    /// What the body answers, and the engine's errors.
    pub async fn read<R: Read>(&self, tenant: Option<TenantId>, value: Arc<R>) -> Result<R::Out, StoreError> {
        read(&self.content, tenant, value).await
    }

    /// Runs a question on a snapshot of the content with those of its kind that are asked at the
    /// same time.
    ///
    /// # Errors
    /// What the body answers, and the engine's errors.
    pub(crate) async fn read_together<Q: Together>(
        &self,
        gathering: &Arc<Gathering<Q>>,
        tenant: TenantId,
        question: Arc<Q>,
    ) -> Result<Q::Out, StoreError> {
        let tasks = (&self.asking, self.threads.handle());
        gathering.ask(&self.together, tasks, tenant, question).await
    }

    /// Runs a question on a snapshot of the keys.
    ///
    /// # Errors
    /// What the body answers, and the engine's errors.
    pub async fn read_keys<R: Read>(
        &self,
        tenant: Option<TenantId>,
        value: Arc<R>,
    ) -> Result<R::Out, StoreError> {
        read(&self.keys, tenant, value).await
    }

    /// Takes no more work, finishes what is queued and closes all connections.
    pub async fn close(&self) {
        self.lanes.close().await;
        self.asking.close();
        self.asking.wait().await;
        self.content.close();
        self.keys.close();
        self.together.close();
    }
}

async fn attempt<W: Write>(pool: &Pool, tenant: Option<TenantId>, value: &W) -> Result<W::Out, StoreError> {
    let mut session = Session::new(Open::get(pool).await?, group::WRITE);
    match session.only(tenant, value).await {
        Ok(out) => session.commit().await.map(|()| out),
        Err(error) => {
            session.abandon().await?;
            Err(error)
        }
    }
}

async fn read<R: Read>(pool: &Pool, tenant: Option<TenantId>, value: Arc<R>) -> Result<R::Out, StoreError> {
    let mut session = Session::new(Open::get(pool).await?, group::READ);
    let out = session.asked(tenant, &*value).await;
    session.leave().await;
    out
}

fn pool(settings: &PostgresSettings, url: &str, size: usize) -> Result<Pool, StoreError> {
    let (config, connector) = read_address(url, &settings.tls)?;
    let manager =
        Manager::from_config(config, connector, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager)
        .max_size(size)
        // The connection that was used last has its statements prepared.
        .queue_mode(QueueMode::Lifo)
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .wait_timeout(Some(Duration::from_secs(30)))
        .create_timeout(Some(Duration::from_secs(10)))
        .build()
        .map_err(|_| StoreError::Setup("no pool of connections can be made".to_owned()))
}

/// An open transaction. When it is dropped half-way (its caller went away) the connection is
/// thrown away with it: the server undoes the transaction, and nobody inherits it.
pub(super) struct Open {
    client: Option<Object>,
}

impl Open {
    pub(super) async fn get(pool: &Pool) -> Result<Self, StoreError> {
        Ok(Self { client: Some(pool.get().await?) })
    }

    pub(super) fn client(&self) -> &Object {
        self.client.as_ref().expect("the connection is there until the end")
    }

    /// Gives back a connection on which nothing was begun.
    pub(super) fn release(&mut self) {
        drop(self.client.take());
    }

    pub(super) async fn end(&mut self, how: &str) -> Result<(), StoreError> {
        self.client().batch_execute(how).await?;
        self.release();
        Ok(())
    }

    /// Sends the last command and gives the connection back at once: whatever uses it next is
    /// sent after it.
    pub(super) async fn end_unheard(&mut self, how: &str) {
        let mut ending = Box::pin(self.client().batch_execute(how));
        let sent = !matches!(poll!(&mut ending), Poll::Ready(Err(_)));
        drop(ending);
        if sent {
            self.release();
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}
