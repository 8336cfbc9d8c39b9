// SPDX-License-Identifier: EUPL-1.2
//! PostgreSQL: two databases (content and keys), one transaction per write, retried as a value
//! when the server asks for it (40001 serialisation failure, 40P01 deadlock).

use std::str::FromStr;
use std::sync::Arc;

use belofte_model::{Duration, KeyId, TenantId};
use belofte_vault::Random;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio_postgres::NoTls;

use super::{Read, Tx, Write, migrate};
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
}

/// A transaction that the server refuses to serialise is tried this often.
const TRIES: u32 = 12;

/// The server engine.
pub struct Postgres {
    content: Pool,
    keys: Pool,
    random: Random,
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
        let content = pool(&settings.content_url, settings.connections)?;
        let keys = pool(&settings.keys_url, settings.connections)?;
        migrate::postgres(&mut *keys.get().await?, migrations.keys_postgres).await?;
        migrate::postgres(&mut *content.get().await?, migrations.content_postgres).await?;
        Ok(Self { content, keys, random })
    }

    /// Commits keys, then content, and destroys keys that are no longer needed. `keys` stand for
    /// the value's own new keys when those had to be wrapped anew.
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
        let new = keys.as_deref().unwrap_or_else(|| value.new_keys());
        if !new.is_empty()
            && let Some(parent) = keys::insert_postgres(&self.keys.get().await?, new).await?
        {
            return Err(StoreError::KeyGone(parent));
        }
        fail::hit(FailPoint::KeysCommitted);
        let out = self.attempts(&self.content, tenant, &*value).await?;
        fail::hit(FailPoint::ContentCommitted);
        if let Some(tenant) = tenant
            && !value.dead_keys().is_empty()
        {
            let dead: Vec<(TenantId, KeyId)> = value.dead_keys().iter().map(|key| (tenant, *key)).collect();
            keys::destroy_postgres(&self.keys.get().await?, &dead).await?;
        }
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
        self.attempts(&self.keys, tenant, &*value).await
    }

    async fn attempts<W: Write>(
        &self,
        pool: &Pool,
        tenant: Option<TenantId>,
        value: &W,
    ) -> Result<W::Out, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match attempt(pool, tenant, value).await {
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

    /// Closes all connections.
    pub fn close(&self) {
        self.content.close();
        self.keys.close();
    }
}

async fn attempt<W: Write>(pool: &Pool, tenant: Option<TenantId>, value: &W) -> Result<W::Out, StoreError> {
    let mut open = Open::begin(pool, tenant, "READ COMMITTED").await?;
    let out = value.run(&mut Tx::postgres(open.client(), tenant)).await;
    match out {
        Ok(out) => open.end("COMMIT").await.map(|()| out),
        Err(error) => {
            open.end("ROLLBACK").await?;
            Err(error)
        }
    }
}

async fn read<R: Read>(pool: &Pool, tenant: Option<TenantId>, value: Arc<R>) -> Result<R::Out, StoreError> {
    let mut open = Open::begin(pool, tenant, "REPEATABLE READ READ ONLY").await?;
    let out = value.run(&mut Tx::postgres(open.client(), tenant)).await;
    open.end("COMMIT").await?;
    out
}

fn pool(url: &str, connections: usize) -> Result<Pool, StoreError> {
    let config = tokio_postgres::Config::from_str(url)
        .map_err(|_| StoreError::Setup("the address of the database cannot be read".to_owned()))?;
    let manager =
        Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager)
        .max_size(connections)
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .wait_timeout(Some(Duration::from_secs(30)))
        .create_timeout(Some(Duration::from_secs(10)))
        .build()
        .map_err(|_| StoreError::Setup("no pool of connections can be made".to_owned()))
}

/// An open transaction. When it is dropped half-way (its caller went away) the connection is
/// thrown away with it: the server undoes the transaction, and nobody inherits it.
struct Open {
    client: Option<Object>,
}

impl Open {
    async fn begin(pool: &Pool, tenant: Option<TenantId>, mode: &str) -> Result<Self, StoreError> {
        let client = pool.get().await?;
        let open = Self { client: Some(client) };
        // The tenant is a UUID, never text of somebody else; the second wall (row-level security)
        // reads it. System work sees all rows and says so.
        let scope = match tenant {
            Some(tenant) => format!("SET LOCAL belofte.tenant = '{tenant}'"),
            None => "SET LOCAL belofte.scope = 'system'".to_owned(),
        };
        open.client().batch_execute(&format!("BEGIN ISOLATION LEVEL {mode}; {scope}")).await?;
        Ok(open)
    }

    fn client(&self) -> &Object {
        self.client.as_ref().expect("the connection is there until the end")
    }

    async fn end(&mut self, how: &str) -> Result<(), StoreError> {
        let client = self.client.take().expect("ended once");
        let ending = Self { client: Some(client) };
        ending.client().batch_execute(how).await?;
        let mut ending = ending;
        drop(ending.client.take());
        Ok(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}
