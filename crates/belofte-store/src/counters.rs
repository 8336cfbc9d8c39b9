// SPDX-License-Identifier: EUPL-1.2
//! The numbers of a tenant: live events, ledger leaves and cases, each without a gap.

use crate::engine::{params, sql};
use crate::keys::SYSTEM;
use crate::{StoreError, Tx};

/// How many numbers a write needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Live events; a message takes the number of its event.
    pub(crate) events: i64,
    /// Ledger leaves.
    pub(crate) leaves: i64,
    /// Cases.
    pub(crate) cases: i64,
}

/// The first of each number that a write got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) event: i64,
    pub(crate) leaf: i64,
    pub(crate) case: i64,
}

/// Takes numbers for the tenant of `tx`. The row stays locked until COMMIT, so this stands as far
/// down in a body as it can. On PostgreSQL it is read once for a group of writes and stored at its
/// end.
pub(crate) async fn take(tx: &mut Tx<'_>, needs: Needs) -> Result<Numbers, StoreError> {
    let tenant = tx.tenant();
    if tenant == SYSTEM {
        // The installation has a ledger, and neither live events nor cases.
        let taken = sql!(
            "UPDATE installation SET next_leaf = next_leaf + $2 WHERE tenant_id = $1 RETURNING next_leaf"
        );
        let next = tx.query_one(taken, params![tenant, needs.leaves], |row| row.int(0)).await?;
        return Ok(Numbers { event: 0, leaf: next - needs.leaves, case: 0 });
    }
    let lock = sql!("SELECT next_seq, next_leaf, next_case FROM tenant WHERE id = $1 FOR UPDATE");
    let keep = sql!("UPDATE tenant SET next_seq = $2, next_leaf = $3, next_case = $4 WHERE id = $1");
    if let Some([event, leaf, case]) =
        tx.take_locked(lock, keep, [needs.events, needs.leaves, needs.cases]).await?
    {
        return Ok(Numbers { event, leaf, case });
    }
    // One writer: nobody comes between the two. RETURNING would cost more than the question.
    let next = sql!("SELECT next_seq, next_leaf, next_case FROM tenant WHERE id = $1");
    let [event, leaf, case] =
        tx.query_one(next, params![tenant], |row| Ok([row.int(0)?, row.int(1)?, row.int(2)?])).await?;
    let (event_after, leaf_after, case_after) =
        (event + needs.events, leaf + needs.leaves, case + needs.cases);
    tx.execute_one(keep, params![tenant, event_after, leaf_after, case_after]).await?;
    Ok(Numbers { event, leaf, case })
}
