// SPDX-License-Identifier: EUPL-1.2
//! Whether a tenant lets push services learn when its users are notified, and the key by which it says to them who
//! sends (VAPID, RFC 8292; decision 36).
//!
//! The key is made when the tenant allows it and is gone when it does not any more, with every device that was told
//! for it: whoever allows it again begins anew.

use belofte_model::{KeyId, LedgerKind, Timestamp, Use};
use belofte_vault::{PushKey, SealContext};
use serde_json::{Value, json};

use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::{Access, NewLeaf, Read, Store, StoreError, Tx, Write};

/// A tenant's consent to browser push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushSetting {
    /// The public key that browsers are told by.
    pub public_key: String,
    /// Since when it is allowed.
    pub allowed_at: Timestamp,
}

struct Standing;

impl Read for Standing {
    type Out = Option<PushSetting>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_opt(
            sql!("SELECT public_key, allowed_at FROM push_setting WHERE tenant_id = $1"),
            params![tenant],
            |row| Ok(PushSetting { public_key: row.text(0)?, allowed_at: row.time(1)? }),
        )
        .await
    }
}

async fn tell(tx: &mut Tx<'_>, leaf: &NewLeaf) -> Result<(), StoreError> {
    let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
    leaf.append(tx, numbers.leaf).await
}

struct Allow {
    public_key: String,
    secret: Vec<u8>,
    key: KeyId,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Allow {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        // The tenant's row is locked first: allowing, forbidding and adding a device take turns.
        counters::take(tx, Needs::default()).await?;
        let made = tx
            .execute(
                sql!(
                    "INSERT INTO push_setting (tenant_id, public_key, secret, key_id, allowed_at) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
                ),
                params![tenant, &self.public_key, &self.secret, self.key, self.now],
            )
            .await?;
        // Somebody else allowed it at the same moment: theirs holds.
        if made == 0 { Ok(()) } else { tell(tx, &self.leaf).await }
    }
}

struct Forbid(NewLeaf);

impl Write for Forbid {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        counters::take(tx, Needs::default()).await?;
        let gone = tx.execute(sql!("DELETE FROM push_setting WHERE tenant_id = $1"), params![tenant]).await?;
        tx.execute(sql!("DELETE FROM push_device WHERE tenant_id = $1"), params![tenant]).await?;
        if gone == 0 { Ok(()) } else { tell(tx, &self.0).await }
    }
}

/// What the ledger says of a change; `services` are those that learn something.
fn told(before: bool, after: bool, services: &[String]) -> Value {
    let of = |allowed: bool| {
        if allowed { json!({ "allowed": true, "services": services }) } else { json!({ "allowed": false }) }
    };
    let before = if before { json!({ "allowed": true }) } else { of(false) };
    json!({ "what": "browser_push", "act": "changed", "before": before, "after": of(after) })
}

impl Store {
    /// Whether the tenant allows browser push, and by which key; `None` when it does not.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn push_setting(&self, access: &Access) -> Result<Option<PushSetting>, StoreError> {
        access.to(Use::Name)?;
        self.read(access, Standing).await
    }

    /// Allows browser push for the tenant, or forbids it and forgets every device; an instruction, that names the push
    /// `services` of this installation. What is so already stays as it is.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn allow_push(
        &self,
        access: &Access,
        allowed: bool,
        services: &[String],
    ) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        let before = self.read(access, Standing).await?.is_some();
        if before == allowed {
            return Ok(());
        }
        let keys = self.keys(access).await?;
        let detail = told(before, allowed, services);
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?;
        if !allowed {
            return self.write(access, Forbid(leaf)).await;
        }
        let (tenant, made) = (access.tenant(), PushKey::generate());
        let context = SealContext { tenant, column: columns::PUSH_SETTING_SECRET, row: tenant.uuid() };
        let allow = Allow {
            public_key: made.public_key(),
            secret: made.seal(&keys.settings, self.random(), &context),
            key: keys.settings.id(),
            leaf,
            now: access.clock().now(),
        };
        self.write(access, allow).await
    }
}
