// SPDX-License-Identifier: EUPL-1.2
//! Keys of people who are gone through: read together as they are wrapped, opened one after the other, and kept by nobody.

use belofte_model::{KeyId, KeyState};
use belofte_vault::DataKey;

use crate::engine::{params, sql};
use crate::keys::{ByKeyId, KeysById};
use crate::spans::{Span, first_from};
use crate::{Read, StoreError, TenantKeys, Tx};

/// Keys of people who are gone through, as they are wrapped: those that are active, in the order of their ids.
#[derive(Default)]
pub(crate) struct WrappedKeys {
    rows: Vec<WrappedKey>,
    bytes: Vec<u8>,
}

struct WrappedKey {
    id: KeyId,
    parent: KeyId,
    wrapped: Span,
}

impl WrappedKeys {
    /// Where the first key lies that is not before `id`, looked for beside `near`.
    pub(crate) fn place(&self, near: usize, id: KeyId) -> usize {
        first_from(&self.rows, near, &id, |row| row.id)
    }

    /// The key of a place: its id, that of the key that wraps it, and how it is wrapped.
    pub(crate) fn at(&self, place: usize) -> Option<(KeyId, KeyId, &[u8])> {
        let row = self.rows.get(place)?;
        Some((row.id, row.parent, row.wrapped.of(&self.bytes)))
    }

    /// All of them, unwrapped; nothing when one is wrapped by a key that is not among the standing ones.
    pub(crate) fn unwrap_all(&self, standing: &TenantKeys) -> Result<Option<ByKeyId<DataKey>>, StoreError> {
        let mut found = ByKeyId::default();
        for row in &self.rows {
            let Some(parent) = standing.parent(row.parent) else { return Ok(None) };
            let key = parent.unwrap_key(standing.tenant, row.id, row.wrapped.of(&self.bytes))?;
            found.insert(row.id, key);
        }
        Ok(Some(found))
    }

    /// The keys that wrap them, each once.
    pub(crate) fn parents(&self) -> Vec<KeyId> {
        let mut parents: Vec<KeyId> = Vec::new();
        for row in &self.rows {
            if parents.last() != Some(&row.parent) && !parents.contains(&row.parent) {
                parents.push(row.parent);
            }
        }
        parents
    }
}

/// Reads key rows that lie together, as those of people do who came one after the other: a range of them, as long as
/// there are not many more in it than are wanted, and the rest one by one.
pub(crate) struct KeysTogether(Vec<KeyId>);

/// A range has so many rows for each that is wanted, at most.
const CROWD: usize = 3;

impl KeysTogether {
    pub(crate) fn of(ids: impl Iterator<Item = KeyId>) -> Self {
        let mut ids: Vec<KeyId> = ids.collect();
        // In the order in which they were made, as their rows lie.
        ids.sort_unstable();
        ids.dedup();
        Self(ids)
    }
}

impl Read for KeysTogether {
    type Out = WrappedKeys;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else {
            return Ok(WrappedKeys::default());
        };
        let most = self.0.len() * CROWD;
        let text = sql!(
            "SELECT id, state, wrapped, parent_id FROM key \
             WHERE tenant_id = $1 AND id >= $2 AND id <= $3 ORDER BY id LIMIT $4"
        );
        let (mut at, mut reached, mut bytes) = (0, None, Vec::new());
        let rows = tx
            .query(text, params![tenant, *first, *last, most as i64], |row| {
                let id: KeyId = row.id(0)?;
                reached = Some(id);
                while self.0.get(at).is_some_and(|wanted| *wanted < id) {
                    at += 1;
                }
                if self.0.get(at) != Some(&id) || row.name(1, KeyState::parse)? != KeyState::Active {
                    return Ok(None);
                }
                Ok(Some(WrappedKey { id, parent: row.id(3)?, wrapped: Span::read(row, 2, &mut bytes)? }))
            })
            .await?;
        let cut = rows.len() == most;
        let mut found = WrappedKeys { rows: rows.into_iter().flatten().collect(), bytes };
        if cut && let Some(reached) = reached {
            let rest = self.0.partition_point(|id| *id <= reached);
            let rows = KeysById(self.0[rest..].to_vec()).run(tx).await?;
            for row in rows.into_iter().filter(|row| row.state == KeyState::Active) {
                let wrapped = Span::put(&row.wrapped, &mut found.bytes);
                found.rows.push(WrappedKey { id: row.id, parent: row.parent, wrapped });
            }
            found.rows.sort_unstable_by_key(|row| row.id);
        }
        Ok(found)
    }
}
