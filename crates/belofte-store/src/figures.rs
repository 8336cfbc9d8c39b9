// SPDX-License-Identifier: EUPL-1.2
//! What the operator sees of the stores as numbers: work that waits, what is set aside, how big
//! everything is. Counts and times only; nothing of it names a tenant or a person.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use belofte_model::{Duration, JobKind, JobState, TenantId, Timestamp};

use crate::engine::{params, sql};
use crate::index::is_out_of_order;
use crate::{Read, StoreError, SystemTx, Tx};

/// Jobs of one kind in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobFigures {
    /// The kind.
    pub kind: JobKind,
    /// The state.
    pub state: JobState,
    /// How many.
    pub count: i64,
    /// Since when the longest of them could run (ready), or is in its state.
    pub oldest: Timestamp,
}

/// The stores in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Jobs that are due, held, or failed for good; those for a later time are no work yet.
    pub jobs: Vec<JobFigures>,
    /// Mails that are quarantined.
    pub quarantined: i64,
    /// Mails that were received and are not filed yet.
    pub unfiled: i64,
    /// Recipients whose delivery waits for a try.
    pub undelivered: i64,
    /// Leaves of ledgers that no checkpoint covers yet.
    pub unsigned_leaves: i64,
    /// Messages that the index of this node does not hold yet.
    pub unindexed: i64,
    /// How long processors have worked in turns of the indexer since the process began.
    pub indexing: Duration,
    /// The bytes of the database of content, of that of keys, and of the indexes.
    pub content_bytes: i64,
    /// As above.
    pub keys_bytes: i64,
    /// As above; those of this node.
    pub index_bytes: i64,
    /// When the oldest of the tenants' keys in use was made.
    pub oldest_key: Option<Timestamp>,
}

struct Work(Timestamp);

fn state(name: &str) -> Option<JobState> {
    [JobState::Ready, JobState::Leased, JobState::Dead].into_iter().find(|state| state.as_str() == name)
}

impl Read for Work {
    type Out = Figures;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Figures, StoreError> {
        let jobs = tx
            .query(
                sql!(
                    "SELECT kind, state, COUNT(*), CAST(MIN(CASE WHEN state = 'ready' THEN run_at \
                     ELSE changed_at END) AS BIGINT) FROM job WHERE state <> 'ready' OR run_at <= $1 \
                     GROUP BY kind, state"
                ),
                params![self.0],
                |row| {
                    Ok(JobFigures {
                        kind: row.name(0, JobKind::parse)?,
                        state: row.name(1, state)?,
                        count: row.int(2)?,
                        oldest: row.time(3)?,
                    })
                },
            )
            .await?;
        // By the accounts: their index knows the states, the table holds everything ever received.
        let by_account = sql!(
            "SELECT COUNT(*) FROM channel_account a JOIN intake i ON i.tenant_id = a.tenant_id \
             AND i.account_id = a.id AND i.state = $1"
        );
        let quarantined = one(tx.query(by_account, params!["quarantined"], |row| row.int(0)).await?);
        let unfiled = one(tx.query(by_account, params!["received"], |row| row.int(0)).await?);
        let undelivered = one(tx
            .query(
                sql!(
                    "SELECT COUNT(*) FROM job j JOIN delivery d ON d.tenant_id = j.tenant_id \
                     AND d.message_id = j.subject_id AND d.state IN ('queued', 'sending') \
                     WHERE j.kind = 'deliver'"
                ),
                params![],
                |row| row.int(0),
            )
            .await?);
        let unsigned_leaves = one(tx
            .query(
                sql!(
                    "SELECT CAST(COALESCE(SUM(t.next_leaf - COALESCE((SELECT MAX(c.size) FROM \
                     ledger_checkpoint c WHERE c.tenant_id = t.id), 0)), 0) AS BIGINT) FROM tenant t"
                ),
                params![],
                |row| row.int(0),
            )
            .await?);
        Ok(Figures { jobs, quarantined, unfiled, undelivered, unsigned_leaves, ..Figures::default() })
    }
}

fn one(rows: Vec<i64>) -> i64 {
    rows.first().copied().unwrap_or_default()
}

/// How big a database of PostgreSQL is.
struct Size;

impl Read for Size {
    type Out = i64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let size = sql!("SELECT CAST(pg_database_size(current_database()) AS BIGINT)");
        Ok(one(tx.query(size, params![], |row| row.int(0)).await?))
    }
}

struct OldestKey;

impl Read for OldestKey {
    type Out = Option<Timestamp>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let oldest = sql!("SELECT MIN(created_at) FROM key WHERE class = 'tenant' AND state = 'active'");
        Ok(tx.query(oldest, params![], |row| row.opt_time(0)).await?.into_iter().flatten().next())
    }
}

struct NewerThan {
    tenant: TenantId,
    no: i64,
}

impl Read for NewerThan {
    type Out = i64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let newer = sql!("SELECT COUNT(*) FROM message WHERE tenant_id = $1 AND no > $2");
        Ok(one(tx.query(newer, params![self.tenant, self.no], |row| row.int(0)).await?))
    }
}

/// The bytes of the files below `folder` whose names begin with `prefix`.
fn bytes(folder: &Path, prefix: &str) -> i64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    named
        .filter_map(|entry| entry.metadata().ok())
        .map(|found| i64::try_from(found.len()).unwrap_or(i64::MAX))
        .sum()
}

impl SystemTx<'_> {
    /// The stores in numbers, as they are now. It looks at rows that wait, not at all there are.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn figures(&self) -> Result<Figures, StoreError> {
        let store = self.store;
        let mut figures = store.read_for(None, Arc::new(Work(store.clock().now()))).await?;
        figures.oldest_key = store.read_all_keys(OldestKey).await?;
        figures.indexing = store.index_file().worked();
        for tenant in self.tenants().await? {
            let store = store.clone();
            let applied = tokio::task::spawn_blocking(move || store.index_file().applied(tenant)).await;
            let no = match applied.map_err(|_| StoreError::Busy)? {
                Ok(applied) => applied,
                // All of it is to be looked through.
                Err(error) if is_out_of_order(&error) => 0,
                Err(error) => return Err(error),
            };
            figures.unindexed +=
                self.store.read_for(Some(tenant), Arc::new(NewerThan { tenant, no })).await?;
        }
        let folder = store.folder().to_owned();
        let sizes = tokio::task::spawn_blocking(move || {
            (bytes(&folder, "content.db"), bytes(&folder, "keys.db"), bytes(&folder.join("idx"), ""))
        });
        (figures.content_bytes, figures.keys_bytes, figures.index_bytes) =
            sizes.await.map_err(|_| StoreError::Busy)?;
        if store.is_postgres() {
            figures.content_bytes = store.read_for(None, Arc::new(Size)).await?;
            figures.keys_bytes = store.read_all_keys(Size).await?;
        }
        Ok(figures)
    }
}
