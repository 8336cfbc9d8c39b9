// SPDX-License-Identifier: EUPL-1.2
//! Of which roles a tenant asks a second factor, and admins who take a colleague's away.
//!
//! A session of somebody of whom one is asked and who has none does not hold, however it was made: that is looked at
//! where a session is found, so that no change of rule, role or factor has to find every session.

use std::sync::Arc;

use belofte_model::{EventKind, LedgerKind, Role, SecondFactorRule, Timestamp, Use, UserId};
use serde_json::{Value, json};

use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::second_factor::{SecondFactorError, end_sessions, forget};
use crate::user_facts::Facts;
use crate::{Access, Event, NewLeaf, Read, Row, Store, StoreError, TenantKeys, Tx, Write};

/// The rule of the tenant of `tx`.
pub(crate) async fn of(tx: &mut Tx<'_>) -> Result<SecondFactorRule, StoreError> {
    let tenant = tx.tenant();
    let found = tx
        .query_opt(
            sql!("SELECT admin, supervisor, agent FROM second_factor_rule WHERE tenant_id = $1"),
            params![tenant],
            |row| Ok(SecondFactorRule { admin: row.bool(0)?, supervisor: row.bool(1)?, agent: row.bool(2)? }),
        )
        .await?;
    Ok(found.unwrap_or_default())
}

/// The rule in three columns of a LEFT JOIN from number `at` on.
pub(crate) fn joined(row: &Row<'_>, at: usize) -> Result<SecondFactorRule, StoreError> {
    let one = |at: usize| Ok::<_, StoreError>(row.opt_int(at)?.is_some_and(|asked| asked != 0));
    Ok(SecondFactorRule { admin: one(at)?, supervisor: one(at + 1)?, agent: one(at + 2)? })
}

/// The rule of a tenant.
pub(crate) struct RuleOf;

impl Read for RuleOf {
    type Out = SecondFactorRule;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<SecondFactorRule, StoreError> {
        of(tx).await
    }
}

/// What changes of the rule; `None` stays as it is at that moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct SecondFactorRuleChange {
    /// Whether it is asked of admins.
    pub admin: Option<bool>,
    /// Whether it is asked of supervisors.
    pub supervisor: Option<bool>,
    /// Whether it is asked of agents.
    pub agent: Option<bool>,
}

impl SecondFactorRuleChange {
    fn of(self, before: SecondFactorRule) -> SecondFactorRule {
        SecondFactorRule {
            admin: self.admin.unwrap_or(before.admin),
            supervisor: self.supervisor.unwrap_or(before.supervisor),
            agent: self.agent.unwrap_or(before.agent),
        }
    }
}

fn told(rule: SecondFactorRule) -> Value {
    json!({ "admin": rule.admin, "supervisor": rule.supervisor, "agent": rule.agent })
}

struct SetRule {
    keys: Arc<TenantKeys>,
    change: SecondFactorRuleChange,
    by: UserId,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for SetRule {
    /// The rule as it is then; nothing when who sets it has none themselves, and it would be asked of their role.
    type Out = Option<SecondFactorRule>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        // The tenant's row is locked first: signing in, setting up and this take turns.
        counters::take(tx, Needs::default()).await?;
        let by = Facts::of(tx, &self.keys, self.by).await?;
        let before = of(tx).await?;
        let rule = self.change.of(before);
        if by.factor.is_none() && rule.asks(by.role) {
            return Ok(None);
        }
        if before == rule {
            return Ok(Some(rule));
        }
        tx.execute(sql!("DELETE FROM second_factor_rule WHERE tenant_id = $1"), params![tenant]).await?;
        tx.execute_one(
            sql!(
                "INSERT INTO second_factor_rule (tenant_id, admin, supervisor, agent) VALUES ($1, $2, $3, $4)"
            ),
            params![tenant, rule.admin, rule.supervisor, rule.agent],
        )
        .await?;
        // Their sessions hold no more; here what belongs to them ends as well, and their desks are told.
        let without = tx
            .query(
                sql!(
                    "SELECT id, role FROM user_account WHERE tenant_id = $1 AND factor_id IS NULL \
                     AND state = 'active' ORDER BY id"
                ),
                params![tenant],
                |row| Ok((row.id::<UserId>(0)?, row.name(1, Role::parse)?)),
            )
            .await?;
        let asked: Vec<UserId> =
            without.into_iter().filter(|(_, role)| rule.asks(*role)).map(|(id, _)| id).collect();
        for user in &asked {
            end_sessions(tx, *user, None).await?;
        }
        let leaf = self.leaf.telling(json!({
            "what": "second_factor_rule",
            "act": "changed",
            "before": told(before),
            "after": told(rule),
        }))?;
        let needs = Needs { events: asked.len() as i64, leaves: 1, ..Needs::default() };
        let numbers = counters::take(tx, needs).await?;
        for (user, no) in asked.into_iter().zip(numbers.event..) {
            let event = Event { user: Some(user), ..Event::new(EventKind::UserChanged, self.now) };
            event.append(tx, no).await?;
        }
        leaf.append(tx, numbers.leaf).await?;
        Ok(Some(rule))
    }
}

struct Reset {
    keys: Arc<TenantKeys>,
    user: UserId,
    leaf: NewLeaf,
    event: Event,
    now: Timestamp,
}

impl Write for Reset {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        counters::take(tx, Needs::default()).await?;
        let facts = Facts::of(tx, &self.keys, self.user).await?;
        let factor = facts.factor.ok_or(StoreError::Conflict)?;
        facts.set_factor(tx, &self.keys, None).await?;
        tx.execute(
            sql!("UPDATE user_account SET factor_reset_at = $3 WHERE tenant_id = $1 AND id = $2"),
            params![tenant, self.user, self.now],
        )
        .await?;
        forget(tx, self.user, factor).await?;
        end_sessions(tx, self.user, None).await?;
        let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
        self.event.append(tx, numbers.event).await?;
        self.leaf.append(tx, numbers.leaf).await
    }
}

impl Store {
    /// Of which roles the tenant asks a second factor.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn second_factor_rule(&self, access: &Access) -> Result<SecondFactorRule, StoreError> {
        access.to(Use::Configure)?;
        self.read(access, RuleOf).await
    }

    /// Asks a second factor of roles, or no more, and gives the rule as it is then; an instruction. Who has none and is asked one is signed out, and
    /// sets one up when they sign in. What is so already stays as it is.
    ///
    /// # Errors
    /// [`SecondFactorError::OwnFirst`] when it is asked of the role of who sets it, and they have none;
    /// [`StoreError::NotFound`] when a program asks.
    pub async fn set_second_factor_rule(
        &self,
        access: &Access,
        change: SecondFactorRuleChange,
    ) -> Result<SecondFactorRule, SecondFactorError> {
        access.to(Use::Configure)?;
        let by = access.user().ok_or(StoreError::NotFound)?;
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, json!({}))?;
        let set = self.write(access, SetRule { keys, change, by, leaf, now }).await?;
        set.ok_or(SecondFactorError::OwnFirst)
    }

    /// Takes the second factor of a colleague away, who has lost it; an instruction. Their sessions end, and they are
    /// told at their next sign-in.
    ///
    /// # Errors
    /// [`SecondFactorError::Own`] for one's own; [`StoreError::NotFound`] when there is no such user,
    /// [`StoreError::Conflict`] when they have none.
    pub async fn reset_second_factor(&self, access: &Access, user: UserId) -> Result<(), SecondFactorError> {
        access.to(Use::Configure)?;
        if access.user() == Some(user) {
            return Err(SecondFactorError::Own);
        }
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let detail = json!({
            "what": "second_factor",
            "act": "reset",
            "user": user,
            "before": { "second_factor": true },
            "after": { "second_factor": false },
        });
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?;
        let event = Event { user: Some(user), ..Event::new(EventKind::UserChanged, now) };
        Ok(self.write(access, Reset { keys, user, leaf, event, now }).await?)
    }
}
