// SPDX-License-Identifier: EUPL-1.2
//! The recipients that tenants chose: the hosts at which their channel accounts hand in answers, and whose
//! mailboxes they read (who signs in there tells a name and a password). They are recorded in the transaction
//! that saves the account, and no account connects to a host that is not.

use std::sync::Arc;

use belofte_model::{ChannelAccountId, KeyId, TenantId, Timestamp, Use};
use uuid::Uuid;

use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::sealing::seal_json;
use crate::{Access, Read, Store, StoreError, SystemTx, TenantKeys, Tx, Write};

/// A recipient as a tenant's register shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenRecipient {
    /// The account that hands in there, or reads a mailbox.
    pub account: ChannelAccountId,
    /// The host.
    pub host: String,
    /// Since when.
    pub first_at: Timestamp,
    /// Until when; none while it is used.
    pub ended_at: Option<Timestamp>,
}

/// What the operator's register knows of a tenant: how many, and nothing of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecipientCount {
    /// The tenant.
    pub tenant: TenantId,
    /// How many hosts it hands in at.
    pub chosen: i64,
    /// How many recipients of mails it reached by them, over the open mail system.
    pub mailed: i64,
    /// Whether it lets push services learn when its users are notified.
    pub push_allowed: bool,
}

/// The hosts that an account connects to, to be recorded with it.
pub(crate) struct Recorded {
    account: ChannelAccountId,
    hosts: Vec<([u8; 16], Vec<u8>, KeyId)>,
    now: Timestamp,
}

/// Hosts are compared as they are resolved: in lower case, without the dot at the end.
fn index(keys: &TenantKeys, host: &str) -> [u8; 16] {
    keys.lookup.index("recipient", &host.trim().trim_end_matches('.').to_ascii_lowercase())
}

/// The row that the seal of a host is bound to: each account has its own, and hosts differ by theirs.
fn row(account: ChannelAccountId, index: &[u8; 16]) -> Uuid {
    Uuid::from_u128(account.uuid().as_u128() ^ u128::from_be_bytes(*index))
}

impl Recorded {
    pub(crate) fn new(
        store: &Store,
        keys: &TenantKeys,
        account: ChannelAccountId,
        hosts: &[&str],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let seal = |host: &&str| {
            let index = index(keys, host);
            let sealed =
                seal_json(keys, store.random(), columns::RECIPIENT_HOST, row(account, &index), host)?;
            Ok::<_, StoreError>((index, sealed, keys.settings.id()))
        };
        let mut hosts = hosts.iter().map(seal).collect::<Result<Vec<_>, _>>()?;
        hosts.sort_unstable_by_key(|(index, ..)| *index);
        hosts.dedup_by_key(|(index, ..)| *index);
        Ok(Self { account, hosts, now })
    }

    pub(crate) async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!(
                "UPDATE recipient SET ended_at = $3 WHERE tenant_id = $1 AND account_id = $2 AND ended_at IS NULL"
            ),
            params![tenant, self.account, self.now],
        )
        .await?;
        for (index, host, key) in &self.hosts {
            tx.execute(
                sql!(
                    "INSERT INTO recipient (tenant_id, account_id, host_index, host, key_id, first_at) \
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
                ),
                params![tenant, self.account, index, host, *key, self.now],
            )
            .await?;
            tx.execute(
                sql!(
                    "UPDATE recipient SET ended_at = NULL WHERE tenant_id = $1 AND account_id = $2 AND host_index = $3"
                ),
                params![tenant, self.account, index],
            )
            .await?;
        }
        Ok(())
    }
}

impl Write for Recorded {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.write(tx).await
    }
}

struct IsRecorded {
    account: ChannelAccountId,
    index: [u8; 16],
}

impl Read for IsRecorded {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        let found = tx
            .query_opt(
                sql!(
                    "SELECT first_at FROM recipient WHERE tenant_id = $1 AND account_id = $2 AND host_index = $3 \
                     AND ended_at IS NULL"
                ),
                params![tenant, self.account, &self.index],
                |row| row.time(0),
            )
            .await?;
        Ok(found.is_some())
    }
}

struct Sealed {
    account: ChannelAccountId,
    index: [u8; 16],
    host: Vec<u8>,
    key: KeyId,
    first_at: Timestamp,
    ended_at: Option<Timestamp>,
}

struct All;

impl Read for All {
    type Out = Vec<Sealed>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT account_id, host_index, host, key_id, first_at, ended_at FROM recipient \
                 WHERE tenant_id = $1 ORDER BY first_at, account_id"
            ),
            params![tenant],
            |row| {
                Ok(Sealed {
                    account: row.id(0)?,
                    index: row
                        .bytes(1)?
                        .try_into()
                        .map_err(|_| StoreError::Inconsistent { what: "recipient.host_index" })?,
                    host: row.bytes(2)?,
                    key: row.id(3)?,
                    first_at: row.time(4)?,
                    ended_at: row.opt_time(5)?,
                })
            },
        )
        .await
    }
}

struct Counts;

impl Read for Counts {
    type Out = Vec<RecipientCount>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query(
            sql!(
                "SELECT t.id, (SELECT count(DISTINCT r.host_index) FROM recipient r WHERE r.tenant_id = t.id \
                 AND r.ended_at IS NULL), (SELECT count(*) FROM delivery d WHERE d.tenant_id = t.id \
                 AND d.state = 'sent'), (SELECT count(*) FROM push_setting p WHERE p.tenant_id = t.id) \
                 FROM tenant t ORDER BY t.id"
            ),
            params![],
            |row| {
                Ok(RecipientCount {
                    tenant: row.id(0)?,
                    chosen: row.int(1)?,
                    mailed: row.int(2)?,
                    push_allowed: row.int(3)? > 0,
                })
            },
        )
        .await
    }
}

impl Store {
    /// Whether `host` is recorded as one that `account` connects to.
    pub(crate) async fn is_recorded(
        &self,
        access: &Access,
        account: ChannelAccountId,
        host: &str,
    ) -> Result<bool, StoreError> {
        let index = index(&*self.keys(access).await?, host);
        self.read(access, IsRecorded { account, index }).await
    }

    /// Whom the tenant of `access` chose, also before, oldest first.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn chosen_recipients(&self, access: &Access) -> Result<Vec<ChosenRecipient>, StoreError> {
        access.to(Use::Name)?;
        let mut all = Vec::new();
        for Sealed { account, index, host, key, first_at, ended_at } in self.read(access, All).await? {
            if !access.visible().channels.contains(&account) {
                continue;
            }
            let (column, row) = (columns::RECIPIENT_HOST, row(account, &index));
            let host = self.open_json(access.tenant(), column, row, key, &host).await?;
            all.push(ChosenRecipient { account, host, first_at, ended_at });
        }
        Ok(all)
    }
}

impl SystemTx<'_> {
    /// How many recipients each tenant chose.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn recipient_counts(&self) -> Result<Vec<RecipientCount>, StoreError> {
        self.store.read_for(None, Arc::new(Counts)).await
    }

    /// Records the recipients of tenants that have none on record, as they were saved before there
    /// was a register. Called at every start.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn record_recipients(&self) -> Result<(), StoreError> {
        for tenant in self.tenants().await? {
            let (store, access) = (self.store, self.upkeep(tenant));
            if !store.read(&access, All).await?.is_empty() {
                continue;
            }
            let keys = store.keys(&access).await?;
            for (account, hosts) in store.connecting_accounts(&access).await? {
                let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
                let recorded = Recorded::new(store, &keys, account, &hosts, store.clock().now())?;
                store.write(&access, recorded).await?;
            }
        }
        Ok(())
    }
}
