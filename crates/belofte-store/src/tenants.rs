// SPDX-License-Identifier: EUPL-1.2
//! Tenants: founding one, and what of it is no content.
//!
//! A tenant is founded with its keys, its upkeep, one queue and one invitation for its first admin. Nobody is
//! made here: who accepts the invitation becomes the first user, and no act of the installation
//! makes, impersonates or resets a user after that.

use std::sync::Arc;

use belofte_model::{Actor, LedgerKind, QueueId, Role, TenantId, Timestamp, Use};
use serde_json::json;

use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::installation::OperatorAct;
use crate::invitations::{FreshInvitation, NewInvitation};
use crate::keys::SealedKey;
use crate::queues::NewQueue;
use crate::sealing::seal_json;
use crate::upkeep::schedule::schedule;
use crate::{Access, NewLeaf, Read, Store, StoreError, SystemTx, TenantKeys, Tx, Write};

/// The short name of a tenant on the command line: lower-case letters, digits and single hyphens,
/// 1 to 40 characters, beginning and ending with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(String);

impl Slug {
    /// Reads a short name; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let good = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let shape = (1..=40).contains(&text.len()) && text.bytes().all(good);
        let edges = !text.starts_with('-') && !text.ends_with('-') && !text.contains("--");
        (shape && edges).then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A tenant, as its own users see it.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// When it was founded.
    pub created_at: Timestamp,
}

/// A tenant, as the operator sees it: how much there is, never what it says.
#[derive(Clone, Debug)]
pub struct TenantSummary {
    /// The tenant.
    pub tenant: Tenant,
    /// How many users can sign in.
    pub users: i64,
    /// How many conversations there are.
    pub conversations: i64,
    /// How many messages there are.
    pub messages: i64,
    /// The bytes of its mails and attachments, as they were before sealing.
    pub stored_bytes: i64,
}

/// A tenant that was founded.
#[derive(Debug)]
pub struct Founded {
    /// The tenant.
    pub tenant: TenantId,
    /// The invitation for its first admin; its token is told here and never again.
    pub invitation: NewInvitation,
}

struct Found {
    tenant: TenantId,
    slug: Slug,
    name: String,
    keys: Vec<SealedKey>,
    queue: NewQueue,
    invitation: FreshInvitation,
    leaves: [NewLeaf; 2],
    now: Timestamp,
}

impl Write for Found {
    type Out = ();

    fn new_keys(&self) -> &[SealedKey] {
        &self.keys
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        // Numbers begin at 1 for events and cases; a leaf's number is its place in the log, from 0.
        let made = tx
            .execute(
                sql!(
                    "INSERT INTO tenant (id, slug, name, state, next_seq, next_leaf, next_case, created_at) \
                     VALUES ($1, $2, $3, 'active', 1, 0, 1, $4) ON CONFLICT DO NOTHING"
                ),
                params![self.tenant, self.slug.as_str(), &self.name, self.now],
            )
            .await?;
        if made == 0 {
            return Err(StoreError::Conflict);
        }
        self.queue.insert(tx, self.now).await?;
        self.invitation.insert(tx).await?;
        let numbers = counters::take(tx, Needs { leaves: 2, ..Needs::default() }).await?;
        for (leaf, no) in self.leaves.iter().zip(numbers.leaf..) {
            leaf.append(tx, no).await?;
        }
        schedule(tx, self.tenant, self.now).await?;
        Ok(())
    }
}

struct SlugTaken(String);

impl Read for SlugTaken {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let found = tx
            .query_opt(
                sql!("SELECT created_at FROM tenant WHERE slug = $1"),
                params![self.0.as_str()],
                |row| row.time(0),
            )
            .await?;
        Ok(found.is_some())
    }
}

struct Own;

impl Read for Own {
    type Out = Tenant;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Tenant, StoreError> {
        let tenant = tx.tenant();
        tx.query_one(
            sql!("SELECT id, slug, name, created_at FROM tenant WHERE id = $1"),
            params![tenant],
            |row| {
                Ok(Tenant {
                    id: row.id(0)?,
                    slug: row.text(1)?,
                    name: row.text(2)?,
                    created_at: row.time(3)?,
                })
            },
        )
        .await
    }
}

struct Summaries;

impl Read for Summaries {
    type Out = Vec<TenantSummary>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query(
            sql!(
                "SELECT t.id, t.slug, t.name, t.created_at, \
                 (SELECT count(*) FROM user_account u WHERE u.tenant_id = t.id AND u.state = 'active'), \
                 (SELECT count(*) FROM conversation c WHERE c.tenant_id = t.id), \
                 (SELECT count(*) FROM message m WHERE m.tenant_id = t.id), \
                 (SELECT CAST(coalesce(sum(b.size_bytes), 0) AS BIGINT) FROM blob b WHERE b.tenant_id = t.id) \
                 FROM tenant t ORDER BY t.slug"
            ),
            params![],
            |row| {
                Ok(TenantSummary {
                    tenant: Tenant {
                        id: row.id(0)?,
                        slug: row.text(1)?,
                        name: row.text(2)?,
                        created_at: row.time(3)?,
                    },
                    users: row.int(4)?,
                    conversations: row.int(5)?,
                    messages: row.int(6)?,
                    stored_bytes: row.int(7)?,
                })
            },
        )
        .await
    }
}

impl Store {
    /// The tenant of `access`.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn tenant(&self, access: &Access) -> Result<Tenant, StoreError> {
        access.to(Use::Name)?;
        self.read(access, Own).await
    }
}

impl SystemTx<'_> {
    /// Founds a tenant: its keys, its first queue (called `first_queue`) and a single-use
    /// invitation for an admin who is privacy officer as well. Nobody is made.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the short name is taken; the engine's errors.
    pub async fn create_tenant(
        &self,
        slug: &Slug,
        name: &str,
        first_queue: &str,
    ) -> Result<Founded, StoreError> {
        let store = self.store;
        // Asked before keys are made: keys are durable before the row that would refuse them.
        if store.read_for(None, Arc::new(SlugTaken(slug.0.clone()))).await? {
            return Err(StoreError::Conflict);
        }
        self.note(Actor::System, &OperatorAct::CreateTenant(slug.0.clone())).await?;
        let (random, now) = (store.random(), store.clock().now());
        let tenant = TenantId::new(now, random.bytes());
        let (keys, sealed) = TenantKeys::found(&store.ring().root, random, tenant, now)?;
        let queue = QueueId::new(now, random.bytes());
        let queue = NewQueue {
            id: queue,
            name: seal_json(&keys, random, columns::QUEUE_NAME, queue.uuid(), &first_queue)?,
            key: keys.settings.id(),
            is_default: true,
        };
        let (invitation, told) = FreshInvitation::new(&keys, random, now, Role::Admin, true, None);
        let made: Vec<_> =
            sealed.iter().map(|key| json!({ "key": key.key.id(), "class": key.class.as_str() })).collect();
        let leaf = |kind, detail| NewLeaf::by(Actor::System, now, &keys, random, kind, detail);
        let leaves = [
            leaf(LedgerKind::Keys, json!({ "act": "made", "keys": made }))?,
            leaf(LedgerKind::Membership, invitation.detail())?,
        ];
        let found = Found {
            tenant,
            slug: slug.clone(),
            name: name.to_owned(),
            keys: sealed,
            queue,
            invitation,
            leaves,
            now,
        };
        store.write_for(Some(tenant), Arc::new(found)).await?;
        Ok(Founded { tenant, invitation: told })
    }

    /// All tenants with their sizes, by short name; metadata only.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn tenant_summaries(&self) -> Result<Vec<TenantSummary>, StoreError> {
        self.store.read_for(None, Arc::new(Summaries)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_plain() {
        for good in ["a", "de-bakker", "shop24"] {
            assert!(Slug::parse(good).is_some(), "{good}");
        }
        let long = "a".repeat(41);
        for bad in ["", "-a", "a-", "a--b", "Bakker", "a b", "a/b", "é", &long] {
            assert!(Slug::parse(bad).is_none(), "{bad}");
        }
    }
}
