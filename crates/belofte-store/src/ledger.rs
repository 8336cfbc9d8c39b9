// SPDX-License-Identifier: EUPL-1.2
//! The ledger of a tenant: leaves are written in the transaction of the act that they speak of;
//! tree and checkpoints are made from them afterwards, since the order of leaves is already fixed.

use belofte_ledger::{Detail, Entry, Leaf};
use belofte_model::{Actor, KeyId, LedgerKind, TenantId, Timestamp};
use belofte_vault::{DataKey, Random, SealContext};
use serde_json::Value;
use uuid::Uuid;

use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::{Access, Read, Rows, StoreError, TenantKeys, Tx};

/// A leaf that a write will append. Salt and time are in the value, its number comes with the
/// transaction.
pub struct NewLeaf {
    kind: LedgerKind,
    actor: Actor,
    at: Timestamp,
    detail: Detail,
    salt: [u8; 16],
    key: DataKey,
    random: Random,
}

impl NewLeaf {
    /// A leaf of the act of `access`. `detail` holds ids, names of settings and values of closed
    /// sets; what is personal in it is sealed with the ledger's key of the tenant.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when the detail cannot be written in one way only (fractions,
    /// too deep, too long), which is a defect of the caller.
    pub fn new(
        access: &Access,
        keys: &TenantKeys,
        random: &Random,
        kind: LedgerKind,
        detail: Value,
    ) -> Result<Self, StoreError> {
        Self::by(access.actor(), access.clock().now(), keys, random, kind, detail)
    }

    /// As [`NewLeaf::new`], for acts before there is an access (a failed sign-in, a new tenant).
    ///
    /// # Errors
    /// As [`NewLeaf::new`].
    pub(crate) fn by(
        actor: Actor,
        at: Timestamp,
        keys: &TenantKeys,
        random: &Random,
        kind: LedgerKind,
        detail: Value,
    ) -> Result<Self, StoreError> {
        let detail = Detail::new(detail).map_err(|_| StoreError::Inconsistent {
            what: "the detail of a ledger entry is not canonical",
        })?;
        Ok(Self {
            kind,
            actor,
            at,
            detail,
            salt: random.bytes(),
            key: keys.ledger_data.clone(),
            random: random.clone(),
        })
    }

    /// The same leaf with another detail, for a write that knows only in its transaction what was
    /// there before.
    ///
    /// # Errors
    /// As [`NewLeaf::new`].
    pub(crate) fn telling(&self, detail: Value) -> Result<Self, StoreError> {
        let detail = Detail::new(detail).map_err(|_| StoreError::Inconsistent {
            what: "the detail of a ledger entry is not canonical",
        })?;
        Ok(Self {
            kind: self.kind,
            actor: self.actor,
            at: self.at,
            detail,
            salt: self.salt,
            key: self.key.clone(),
            random: self.random.clone(),
        })
    }

    /// Appends the leaf as number `no` of the tenant of `tx`.
    pub(crate) async fn append(&self, tx: &mut Tx<'_>, no: i64) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let number = u64::try_from(no).map_err(|_| StoreError::Inconsistent { what: "tenant.next_leaf" })?;
        let entry = Entry {
            no: number,
            at: self.at,
            kind: self.kind,
            actor: self.actor,
            detail: self.detail.clone(),
        };
        let bytes = entry.to_bytes();
        let commitment = Leaf::commit(&self.salt, &bytes);
        let context =
            SealContext { tenant, column: columns::LEDGER_LEAF_ENTRY, row: Uuid::from_u64_pair(0, number) };
        // The salt is as secret as the entry: with it, whoever holds the database could try what
        // an entry may say against its commitment.
        let sealed = self.key.seal(&self.random, &context, &[&self.salt[..], &bytes].concat());
        tx.late(
            sql!(
                "INSERT INTO ledger_leaf (tenant_id, no, kind, entry, key_id, commitment, at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)"
            ),
            params![tenant, no, self.kind.as_str(), &sealed, self.key.id(), &commitment, self.at],
            Rows::Any,
        )
        .await
    }
}

/// A leaf as stored.
pub(crate) struct StoredLeaf {
    pub(crate) no: i64,
    sealed: Vec<u8>,
    /// The key that seals it.
    pub(crate) key: KeyId,
}

impl StoredLeaf {
    /// The salt and the canonical bytes of the entry ([`Entry::to_bytes`]).
    pub(crate) fn open(&self, tenant: TenantId, key: &DataKey) -> Result<([u8; 16], Vec<u8>), StoreError> {
        let row = Uuid::from_u64_pair(0, u64::try_from(self.no).unwrap_or(u64::MAX));
        let context = SealContext { tenant, column: columns::LEDGER_LEAF_ENTRY, row };
        let opened = key.open(&context, &self.sealed)?;
        let (salt, entry) =
            opened.split_first_chunk::<16>().ok_or(StoreError::Inconsistent { what: "ledger_leaf.entry" })?;
        Ok((*salt, entry.to_vec()))
    }
}

/// Reads leaves from number `from` on, or backwards below `before`.
pub(crate) struct Leaves {
    pub(crate) from: i64,
    pub(crate) before: Option<i64>,
    pub(crate) limit: i64,
}

impl Read for Leaves {
    type Out = Vec<StoredLeaf>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let row =
            |row: &crate::Row<'_>| Ok(StoredLeaf { no: row.int(0)?, sealed: row.bytes(1)?, key: row.id(2)? });
        match self.before {
            Some(before) => {
                let text = sql!(
                    "SELECT no, entry, key_id FROM ledger_leaf WHERE tenant_id = $1 AND no < $2 \
                     ORDER BY no DESC LIMIT $3"
                );
                tx.query(text, params![tenant, before, self.limit], row).await
            }
            None => {
                let text = sql!(
                    "SELECT no, entry, key_id FROM ledger_leaf WHERE tenant_id = $1 AND no >= $2 \
                     ORDER BY no LIMIT $3"
                );
                tx.query(text, params![tenant, self.from, self.limit], row).await
            }
        }
    }
}
