// SPDX-License-Identifier: EUPL-1.2
//! Whether content and keys belong together: what is recognised when one of the two was restored.
//!
//! The key database remembers the newest entry of each tenant's ledger that was durable: its number
//! and its commitment, which no other content has. Every filed mail and every act adds an entry,
//! and none is ever removed. So content that lacks the entry is older than its keys, or another,
//! and what it lacks is no reason to destroy a key. The other way round, the newest conversations
//! and contacts name keys that are not there.
//!
//! While there is a doubt nothing is destroyed for the tenant, and the memory stays as it is: when
//! the right content comes back, the doubt is gone by itself.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use belofte_model::{Actor, KeyId, LedgerKind, TenantId, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::keys::{KeysById, SYSTEM};
use crate::{NewLeaf, Read, Store, StoreError, SystemTx, Tx, Write};

/// So many of the newest conversations, and of the newest contacts, are asked for their keys.
const NEWEST: i64 = 20;

/// Why nothing is destroyed for a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Content is older than its keys, or another: it was restored, and what came later is not in it.
    ContentOlder,
    /// Keys are older than their content: rows name keys that are not there.
    KeysOlder,
    /// So many keys or files have no content that content seems to be missing.
    ManyOrphans,
}

impl Doubt {
    /// All doubts.
    pub const ALL: [Self; 3] = [Self::ContentOlder, Self::KeysOlder, Self::ManyOrphans];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContentOlder => "content_older",
            Self::KeysOlder => "keys_older",
            Self::ManyOrphans => "many_orphans",
        }
    }

    /// The doubt of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|doubt| doubt.as_str() == name)
    }
}

/// A tenant for which nothing is destroyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantDoubt {
    /// The tenant.
    pub tenant: TenantId,
    /// Its short name; `None` when the content does not know the tenant at all.
    pub slug: Option<String>,
    /// Why.
    pub doubt: Doubt,
    /// How many entries of the ledger are missing (at least one when they are other ones), how many
    /// of the newest rows lack their keys, or how many keys and files have no content.
    pub number: i64,
    /// When the keys last saw their content as it should be.
    pub agreed_at: Option<Timestamp>,
}

/// What the key database remembers of a tenant.
#[derive(Clone)]
struct Witness {
    leaf: i64,
    commitment: Vec<u8>,
    seen_at: Timestamp,
    doubt: Option<Doubt>,
    number: i64,
    accepted_at: Option<Timestamp>,
}

/// Everything, or one tenant's.
struct Witnesses(Option<TenantId>);

impl Read for Witnesses {
    type Out = HashMap<TenantId, Witness>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let row = |row: &crate::Row<'_>| {
            let doubt = row
                .opt_text(4)?
                .map(|name| Doubt::parse(&name).ok_or(StoreError::Inconsistent { what: "witness.doubt" }));
            let witness = Witness {
                leaf: row.int(1)?,
                commitment: row.bytes(2)?,
                seen_at: row.time(3)?,
                doubt: doubt.transpose()?,
                number: row.int(5)?,
                accepted_at: row.opt_time(6)?,
            };
            Ok((row.id(0)?, witness))
        };
        let rows = match self.0 {
            None => {
                let all = sql!(
                    "SELECT tenant_id, leaf, commitment, seen_at, doubt, number, accepted_at FROM witness"
                );
                tx.query(all, params![], row).await?
            }
            Some(tenant) => {
                let one = sql!(
                    "SELECT tenant_id, leaf, commitment, seen_at, doubt, number, accepted_at FROM witness \
                     WHERE tenant_id = $1"
                );
                tx.query(one, params![tenant], row).await?
            }
        };
        Ok(rows.into_iter().collect())
    }
}

/// The tenants whose own key is there.
struct Standing;

impl Read for Standing {
    type Out = HashSet<TenantId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let text = sql!("SELECT DISTINCT tenant_id FROM key WHERE class = 'tenant' AND state = 'active'");
        Ok(tx.query(text, params![], |row| row.id(0)).await?.into_iter().collect())
    }
}

/// Where the content of a tenant is.
struct Position {
    tenant: TenantId,
    slug: String,
    /// The newest entry; its number is -1 when there is none.
    leaf: i64,
    commitment: Vec<u8>,
    /// What stands where the keys saw their newest entry.
    at_witness: Option<Vec<u8>>,
    /// Keys that the newest rows name.
    keys: Vec<KeyId>,
}

/// The positions of all tenants, or of one.
struct Positions {
    only: Option<TenantId>,
    /// The number of the entry that the keys saw, and the smallest id of rows that no acceptance covers.
    seen: HashMap<TenantId, (i64, Uuid)>,
    /// Whether the newest rows are asked for their keys.
    thorough: bool,
}

impl Read for Positions {
    type Out = Vec<Position>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let row = |row: &crate::Row<'_>| Ok((row.id::<TenantId>(0)?, row.text(1)?, row.int(2)?));
        let tenants = match self.only {
            None => {
                let all = sql!("SELECT id, slug, next_leaf FROM tenant ORDER BY id");
                tx.query(all, params![], row).await?
            }
            Some(tenant) => {
                let one = sql!("SELECT id, slug, next_leaf FROM tenant WHERE id = $1");
                tx.query(one, params![tenant], row).await?
            }
        };
        let mut positions = Vec::with_capacity(tenants.len());
        for (tenant, slug, next) in tenants {
            let newest = next - 1;
            let (seen, from) = self.seen.get(&tenant).copied().unwrap_or((-1, Uuid::nil()));
            let leaves: HashMap<i64, Vec<u8>> = tx
                .query(
                    sql!("SELECT no, commitment FROM ledger_leaf WHERE tenant_id = $1 AND no IN ($2, $3)"),
                    params![tenant, newest, seen],
                    |row| Ok((row.int(0)?, row.bytes(1)?)),
                )
                .await?
                .into_iter()
                .collect();
            let mut keys = Vec::new();
            if self.thorough {
                for newest in [
                    sql!(
                        "SELECT key_id FROM conversation WHERE tenant_id = $1 AND id >= $2 ORDER BY id DESC LIMIT $3"
                    ),
                    sql!(
                        "SELECT key_id FROM contact WHERE tenant_id = $1 AND id >= $2 ORDER BY id DESC LIMIT $3"
                    ),
                ] {
                    keys.extend(
                        tx.query(newest, params![tenant, from, NEWEST], |row| row.id::<KeyId>(0)).await?,
                    );
                }
            }
            positions.push(Position {
                tenant,
                slug,
                leaf: newest,
                commitment: leaves.get(&newest).cloned().unwrap_or_default(),
                at_witness: leaves.get(&seen).cloned(),
                keys,
            });
        }
        Ok(positions)
    }
}

/// A tenant, looked at from both sides.
struct Compared {
    tenant: TenantId,
    position: Option<Position>,
    witness: Option<Witness>,
    /// What was found now, or stands from before and does not end by itself.
    doubt: Option<(Doubt, i64)>,
}

impl Compared {
    fn told(&self) -> Option<TenantDoubt> {
        let (doubt, number) = self.doubt?;
        Some(TenantDoubt {
            tenant: self.tenant,
            slug: self.position.as_ref().map(|position| position.slug.clone()),
            doubt,
            number,
            agreed_at: self.witness.as_ref().map(|witness| witness.seen_at),
        })
    }
}

/// Compares; changes nothing. The keys are asked first: what they saw was durable by then.
async fn compare(store: &Store, only: Option<TenantId>, thorough: bool) -> Result<Vec<Compared>, StoreError> {
    let mut witnesses = store.read_keys(SYSTEM, Witnesses(only)).await?;
    let covered = |witness: &Witness| witness.accepted_at.map_or(Uuid::nil(), super::sweep::floor);
    let seen = witnesses.iter().map(|(tenant, known)| (*tenant, (known.leaf, covered(known)))).collect();
    let positions = store.read_for(None, Arc::new(Positions { only, seen, thorough })).await?;
    // Asked last: the keys of whatever stands in the content were durable before it.
    let standing = store.read_keys(SYSTEM, Standing).await?;
    let mut all = Vec::with_capacity(positions.len());
    for position in positions {
        let tenant = position.tenant;
        let witness = witnesses.remove(&tenant);
        let missing = missing_keys(store, &position, &standing).await?;
        let stored = witness.as_ref().and_then(|witness| Some((witness.doubt?, witness.number)));
        let doubt = match &witness {
            Some(witness)
                if witness.leaf >= 0 && position.at_witness.as_ref() != Some(&witness.commitment) =>
            {
                Some((Doubt::ContentOlder, (witness.leaf - position.leaf).max(1)))
            }
            _ if missing > 0 => Some((Doubt::KeysOlder, missing)),
            _ => stored.filter(|(doubt, _)| *doubt != Doubt::ContentOlder),
        };
        all.push(Compared { tenant, position: Some(position), witness, doubt });
    }
    // Keys of tenants of which the content knows nothing.
    for (tenant, witness) in witnesses {
        let doubt = Some((Doubt::ContentOlder, witness.leaf + 1));
        all.push(Compared { tenant, position: None, witness: Some(witness), doubt });
    }
    Ok(all)
}

/// How many of the newest rows name a key that is not there. A key that was destroyed has a row.
async fn missing_keys(
    store: &Store,
    position: &Position,
    standing: &HashSet<TenantId>,
) -> Result<i64, StoreError> {
    if !standing.contains(&position.tenant) {
        return Ok(1);
    }
    let named: HashSet<KeyId> = position.keys.iter().copied().collect();
    if named.is_empty() {
        return Ok(0);
    }
    let found = store.read_keys(position.tenant, KeysById(named.iter().copied().collect())).await?;
    let there: HashSet<KeyId> = found.into_iter().map(|row| row.id).collect();
    Ok(i64::try_from(named.difference(&there).count()).unwrap_or(i64::MAX))
}

/// One row of the memory.
struct Remembered {
    tenant: TenantId,
    leaf: i64,
    commitment: Vec<u8>,
    seen_at: Timestamp,
    doubt: Option<(Doubt, i64)>,
    /// As it was read: an acceptance that came in between is not overwritten.
    accepted_at: Option<Timestamp>,
}

/// Writes the memory. Runs on the key database.
struct Remember(Vec<Remembered>);

impl Write for Remember {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for row in &self.0 {
            tx.execute(
                sql!(
                    "INSERT INTO witness (tenant_id, leaf, commitment, seen_at, doubt, number, accepted_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, NULL) ON CONFLICT (tenant_id) DO UPDATE SET \
                     leaf = excluded.leaf, commitment = excluded.commitment, seen_at = excluded.seen_at, \
                     doubt = excluded.doubt, number = excluded.number \
                     WHERE witness.leaf <= excluded.leaf AND coalesce(witness.accepted_at, 0) = $7"
                ),
                params![
                    row.tenant,
                    row.leaf,
                    &row.commitment,
                    row.seen_at,
                    row.doubt.map(|(doubt, _)| doubt.as_str()),
                    row.doubt.map_or(0, |(_, number)| number),
                    row.accepted_at.map_or(0, |at| at.as_micros())
                ],
            )
            .await?;
        }
        Ok(())
    }
}

/// What a comparison came to for one tenant.
#[derive(Clone, Copy, Default)]
pub(super) struct Standpoint {
    /// Why nothing is destroyed.
    pub(super) doubt: Option<Doubt>,
    /// When the operator last said that the pair belongs together.
    pub(super) accepted_at: Option<Timestamp>,
}

/// Compares, remembers a doubt, and where there is none how far the content is.
async fn watch(store: &Store, only: Option<TenantId>, thorough: bool) -> Result<Vec<Compared>, StoreError> {
    let (now, all) = (store.clock().now(), compare(store, only, thorough).await?);
    let mut changed = Vec::new();
    for one in &all {
        let known = one.witness.as_ref();
        let old = known.map(|witness| (witness.leaf, witness.commitment.clone(), witness.seen_at));
        let kept = || old.clone().unwrap_or((-1, Vec::new(), now));
        let (leaf, commitment, seen_at) = match (&one.position, one.doubt) {
            (Some(position), None | Some((Doubt::ManyOrphans, _))) => {
                (position.leaf, position.commitment.clone(), now)
            }
            _ => kept(),
        };
        let same = known.is_some_and(|witness| {
            witness.leaf == leaf
                && witness.commitment == commitment
                && one.doubt == witness.doubt.map(|doubt| (doubt, witness.number))
        });
        if !same {
            let accepted_at = known.and_then(|witness| witness.accepted_at);
            let (tenant, doubt) = (one.tenant, one.doubt);
            changed.push(Remembered { tenant, leaf, commitment, seen_at, doubt, accepted_at });
        }
    }
    if !changed.is_empty() {
        store.write_keys(None, Remember(changed)).await?;
    }
    Ok(all)
}

/// Looks at one tenant, thoroughly, before something of it is destroyed.
pub(super) async fn look_at(store: &Store, tenant: TenantId) -> Result<Standpoint, StoreError> {
    let all = watch(store, Some(tenant), true).await?;
    let one = all.iter().find(|one| one.tenant == tenant);
    Ok(Standpoint {
        doubt: one.and_then(|one| Some(one.doubt?.0)),
        accepted_at: one.and_then(|one| one.witness.as_ref()?.accepted_at),
    })
}

/// Sets a doubt that a sweep came upon. Runs on the key database.
struct Raise {
    doubt: Doubt,
    number: i64,
}

impl Write for Raise {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!("UPDATE witness SET doubt = $2, number = $3 WHERE tenant_id = $1"),
            params![tenant, self.doubt.as_str(), self.number],
        )
        .await
    }
}

/// Says that so many keys or files have no content that none of them is destroyed.
pub(super) async fn raise(store: &Store, tenant: TenantId, orphans: usize) -> Result<(), StoreError> {
    let number = i64::try_from(orphans).unwrap_or(i64::MAX);
    store.write_keys(Some(tenant), Raise { doubt: Doubt::ManyOrphans, number }).await
}

/// The leaf that says that the operator accepted the pair as it is.
struct AcceptedLeaf(NewLeaf);

impl Write for AcceptedLeaf {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        self.0.append(tx, numbers.leaf).await
    }
}

/// A tenant, and its newest entry (number and commitment) when the content knows the tenant.
type Beginning = (TenantId, Option<(i64, Vec<u8>)>);

/// Begins the memory anew. Runs on the key database.
struct Accept {
    tenants: Vec<Beginning>,
    now: Timestamp,
}

impl Write for Accept {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for (tenant, position) in &self.tenants {
            tx.execute(sql!("DELETE FROM witness WHERE tenant_id = $1"), params![*tenant]).await?;
            if let Some((leaf, commitment)) = position {
                tx.execute(
                    sql!(
                        "INSERT INTO witness (tenant_id, leaf, commitment, seen_at, doubt, number, accepted_at) \
                         VALUES ($1, $2, $3, $4, NULL, 0, $4)"
                    ),
                    params![*tenant, *leaf, commitment, self.now],
                )
                .await?;
            }
        }
        Ok(())
    }
}

impl SystemTx<'_> {
    /// Compares content and keys of all tenants, thoroughly, and changes nothing.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn store_doubts(&self) -> Result<Vec<TenantDoubt>, StoreError> {
        Ok(compare(self.store, None, true).await?.iter().filter_map(Compared::told).collect())
    }

    /// Compares content and keys of all tenants and remembers in the key database how far the
    /// content is, or the doubt. A serving process does it at its start (`thorough`: the newest rows
    /// are asked for their keys), every minute, and when it ends.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn watch_stores(&self, thorough: bool) -> Result<Vec<TenantDoubt>, StoreError> {
        Ok(watch(self.store, None, thorough).await?.iter().filter_map(Compared::told).collect())
    }

    /// Ends all doubts: content and keys as they are belong together from now on, with a leaf in
    /// the ledger of each tenant. What has no content may be destroyed after that, when it is
    /// old enough. Gives what was in doubt.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn accept_restore(&self) -> Result<Vec<TenantDoubt>, StoreError> {
        let (store, now) = (self.store, self.store.clock().now());
        let doubts = self.store_doubts().await?;
        for doubt in doubts.iter().filter(|doubt| doubt.slug.is_some()) {
            // Without its standing keys a tenant's ledger cannot be written to.
            let Ok(keys) = store.tenant_keys(doubt.tenant).await else { continue };
            let detail = json!({ "act": "restore_accepted", "doubt": doubt.doubt.as_str() });
            let leaf = NewLeaf::by(Actor::System, now, &keys, store.random(), LedgerKind::Keys, detail)?;
            store.write_for(Some(doubt.tenant), Arc::new(AcceptedLeaf(leaf))).await?;
        }
        let all = compare(store, None, false).await?;
        let of = |tenant: TenantId| all.iter().find(|one| one.tenant == tenant)?.position.as_ref();
        let position = |tenant| of(tenant).map(|found| (found.leaf, found.commitment.clone()));
        let tenants = doubts.iter().map(|doubt| (doubt.tenant, position(doubt.tenant))).collect();
        store.write_keys(None, Accept { tenants, now }).await?;
        Ok(doubts)
    }
}

/// The smallest id that an orphan may have to be counted towards a doubt: what was there when the
/// operator accepted a restore was accepted with it.
pub(super) fn counted_from(standpoint: Standpoint) -> Uuid {
    standpoint.accepted_at.map_or(Uuid::nil(), super::sweep::floor)
}
