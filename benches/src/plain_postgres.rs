// SPDX-License-Identifier: EUPL-1.2
//! The plain alternative on PostgreSQL: a connection for each lane, one transaction for a mail,
//! a GIN index over the words of the text.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls, Row, Statement as Prepared};
use uuid::Uuid;

use crate::peers::{Cluster, execute};
use crate::plain::{self, Item, Statement, TENANT, Written};
use crate::search::Found;

/// A plain database with its connections.
pub struct Plain {
    url: String,
    lanes: Vec<Arc<Mutex<Lane>>>,
    _connections: JoinSet<()>,
}

struct Lane {
    client: Client,
    prepared: HashMap<&'static str, Prepared>,
}

const FULL_TEXT: &str = "CREATE TABLE message_text (tenant_id uuid NOT NULL, no bigint NOT NULL, \
     subject text NOT NULL, body text NOT NULL, PRIMARY KEY (tenant_id, no)); \
     CREATE INDEX message_text_words ON message_text USING gin (to_tsvector('simple', subject || ' ' || body))";

const SEARCH: &str = "SELECT m.content, f.body, c.summary, c.status, m.created_at FROM \
     (SELECT no, body FROM message_text WHERE tenant_id = $1 \
      AND to_tsvector('simple', subject || ' ' || body) @@ to_tsquery('simple', $2) ORDER BY no DESC LIMIT $3) f \
     JOIN message m ON m.tenant_id = $1 AND m.no = f.no \
     JOIN conversation c ON c.tenant_id = $1 AND c.id = m.conversation_id ORDER BY f.no DESC";

impl Plain {
    /// Makes a database with the product's schema, and `lanes` connections.
    pub async fn new(cluster: &Cluster, lanes: usize) -> anyhow::Result<Self> {
        // The superuser is not held by row-level security, which the plain alternative has not.
        let url = Cluster::as_superuser(&cluster.database("plain").await?);
        for (_, text) in belofte_store::MIGRATIONS.content_postgres {
            execute(&url, text).await?;
        }
        execute(&url, FULL_TEXT).await?;
        let mut all = Vec::new();
        let mut connections = JoinSet::new();
        for _ in 0..lanes {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
            connections.spawn(async move {
                let _ = connection.await;
            });
            all.push(Arc::new(Mutex::new(Lane { client, prepared: HashMap::new() })));
        }
        all[0].lock().await.execute(&plain::tenant()).await?;
        Ok(Self { url, lanes: all, _connections: connections })
    }

    /// Commits without waiting for the disk from now on: for a bench that only asks.
    pub async fn hurry(&self) -> anyhow::Result<()> {
        for lane in &self.lanes {
            lane.lock().await.client.batch_execute("SET synchronous_commit = off").await?;
        }
        Ok(())
    }

    /// The address of the database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Files the items, one transaction each, all lanes at once.
    pub async fn file(&self, items: Arc<Vec<Item>>) -> anyhow::Result<()> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for lane in &self.lanes {
            let (lane, items, next) = (Arc::clone(lane), Arc::clone(&items), Arc::clone(&next));
            tasks.spawn(async move {
                let mut lane = lane.lock().await;
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    lane.write(item).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// The newest messages that hold all words, fetched with their cases.
    pub async fn search(&self, expression: &str, limit: usize) -> anyhow::Result<Found> {
        let mut lane = self.lanes[0].lock().await;
        let statement = lane.prepare(SEARCH).await?;
        let rows = lane.client.query(&statement, &[&TENANT, &expression, &(limit as i64)]).await?;
        let mut found = Found::default();
        for row in rows {
            let (content, body): (Vec<u8>, String) = (row.get(0), row.get(1));
            let (summary, status): (Vec<u8>, String) = (row.get(2), row.get(3));
            found.count += 1;
            found.bytes += content.len() + body.len() + summary.len() + status.len();
        }
        Ok(found)
    }
}

impl Lane {
    async fn prepare(&mut self, text: &'static str) -> anyhow::Result<Prepared> {
        if let Some(prepared) = self.prepared.get(text) {
            return Ok(prepared.clone());
        }
        let prepared = self.client.prepare(text).await?;
        self.prepared.insert(text, prepared.clone());
        Ok(prepared)
    }

    async fn execute(&mut self, (sql, params): &Statement<'_>) -> anyhow::Result<u64> {
        let statement = self.prepare(sql.postgres).await?;
        Ok(self.client.execute_raw(&statement, params).await?)
    }

    async fn ask(&mut self, (sql, params): &Statement<'_>) -> anyhow::Result<Option<Row>> {
        let statement = self.prepare(sql.postgres).await?;
        let params: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = params.iter().map(|p| p as _).collect();
        Ok(self.client.query(&statement, &params).await?.into_iter().next())
    }

    async fn write(&mut self, item: &Item) -> anyhow::Result<()> {
        self.client.batch_execute("BEGIN").await?;
        let contact: Option<Uuid> = self.ask(&item.author()).await?.map(|row| row.get(0));
        let mut known = None;
        for question in item.threads() {
            known = self.ask(&question).await?.map(|row| (row.get(0), row.get(1)));
            if known.is_some() {
                break;
            }
        }
        let written = Written::new(item, contact, known, true)?;
        for statement in written.before() {
            self.execute(&statement).await?;
        }
        let row = self.ask(&plain::numbers(written.opens())).await?.context("the tenant's row")?;
        for statement in written.after((row.get(0), row.get(1), row.get(2))) {
            self.execute(&statement).await?;
        }
        Ok(self.client.batch_execute("COMMIT").await?)
    }
}
