// SPDX-License-Identifier: EUPL-1.2
//! The context of every act: which tenant, who, why, and what can be seen.
//!
//! An [`Access`] cannot be written down by hand. It is made of a proof that only this crate hands
//! out: a session or API key that was found, a job that was claimed, an account that was resolved.

use belofte_model::{
    AccountState, Actor, ApiKeyId, Audience, ChannelAccountId, ChannelKind, JobId, JobKind, Language,
    Permission, Purpose, QueueId, RequestId, Role, Scope, SessionId, TenantId, Use, UserId, Visible,
};
use uuid::Uuid;

use crate::{Clock, StoreError};

/// Who acts, for which tenant, why, and how far the eyes reach.
#[derive(Clone, Debug)]
pub struct Access {
    tenant: TenantId,
    actor: Actor,
    purpose: Purpose,
    request: RequestId,
    visible: Visible,
    audience: Option<Audience>,
    clock: Clock,
}

impl Access {
    /// Of somebody who signed in, or a program with a key.
    #[must_use]
    pub fn authenticated(who: &Authenticated, purpose: Purpose, request: RequestId, clock: Clock) -> Self {
        let visible = match who.actor() {
            Actor::User(user) => visible_of(user),
            _ => Visible::all(),
        };
        let audience = match who.who {
            Who::User { role, .. } => role.into(),
            Who::ApiKey { .. } => Audience::Program,
        };
        Self {
            tenant: who.tenant,
            actor: who.actor(),
            purpose,
            request,
            visible,
            audience: Some(audience),
            clock,
        }
    }

    /// Of a job that this process holds the lease of.
    #[must_use]
    pub fn job(job: &ClaimedJob, clock: Clock) -> Self {
        let purpose = match job.kind {
            JobKind::ProcessIntake | JobKind::Retrieve => Purpose::Intake,
            JobKind::Deliver | JobKind::Reconcile => Purpose::Delivery,
            JobKind::Checkpoint
            | JobKind::RotateKeys
            | JobKind::Sweep
            | JobKind::Wake
            | JobKind::SettleQueue
            | JobKind::RemoveField
            // Telling that something is new takes no look at what it is.
            | JobKind::Push => Purpose::Upkeep,
            // An admin asked for it once, and it looks until it is so.
            JobKind::CheckSigning => Purpose::Administration,
        };
        Self {
            tenant: job.tenant,
            actor: Actor::Job(job.id),
            purpose,
            request: RequestId(job.id.uuid()),
            visible: Visible::all(),
            audience: None,
            clock,
        }
    }

    /// Of a channel that received something for an account.
    #[must_use]
    pub fn channel(account: &ResolvedAccount, request: RequestId, clock: Clock) -> Self {
        Self {
            tenant: account.tenant,
            actor: Actor::Channel(account.id),
            purpose: Purpose::Intake,
            request,
            visible: Visible::all(),
            audience: None,
            clock,
        }
    }

    /// Of the installation's own upkeep; [`SystemTx::upkeep`](crate::SystemTx::upkeep) hands it out.
    pub(crate) const fn upkeep(tenant: TenantId, clock: Clock) -> Self {
        let request = RequestId(Uuid::nil());
        Self {
            tenant,
            actor: Actor::System,
            purpose: Purpose::Upkeep,
            request,
            visible: Visible::all(),
            audience: None,
            clock,
        }
    }

    /// Of the operator, to the ledger of the installation; whose id `tenant` is, and no tenant has.
    pub(crate) const fn installation(tenant: TenantId, clock: Clock) -> Self {
        let mut access = Self::upkeep(tenant, clock);
        access.purpose = Purpose::Oversight;
        access
    }

    /// The tenant. For stores and adapters; handlers have no use for it.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Who acts.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// The user who acts, if it is one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self.actor {
            Actor::User(user) => Some(user),
            _ => None,
        }
    }

    /// Why.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Refuses what the purpose of this access does not serve for.
    pub(crate) const fn to(&self, what: Use) -> Result<(), StoreError> {
        if self.purpose.may(what) { Ok(()) } else { Err(StoreError::Purpose { purpose: self.purpose, what }) }
    }

    /// What log lines of this act have in common.
    #[must_use]
    pub const fn request(&self) -> RequestId {
        self.request
    }

    /// What can be seen.
    #[must_use]
    pub const fn visible(&self) -> &Visible {
        &self.visible
    }

    /// As what it reads and writes the tenant's own fields; as nothing unless somebody signed in.
    #[must_use]
    pub const fn audience(&self) -> Option<Audience> {
        self.audience
    }

    /// The clock of this act.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// What a user of a tenant sees, also one who is not there: who is named, told of something, or given a case.
#[cfg(not(test))]
pub(crate) const fn visible_of(_: UserId) -> Visible {
    Visible::all()
}

#[cfg(test)]
pub(crate) fn visible_of(user: UserId) -> Visible {
    NARROWED.lock().expect("no panic holds it").get(&user).cloned().unwrap_or_else(Visible::all)
}

/// Users who see less, in tests.
#[cfg(test)]
pub(crate) static NARROWED: std::sync::LazyLock<
    std::sync::Mutex<std::collections::HashMap<UserId, Visible>>,
> = std::sync::LazyLock::new(std::sync::Mutex::default);

/// The name under which an actor stands in rows: kind and id.
pub(crate) const fn actor_columns(actor: Actor) -> (&'static str, Uuid) {
    match actor {
        Actor::User(id) => ("user", id.0),
        Actor::ApiKey(id) => ("api_key", id.0),
        Actor::Channel(id) => ("channel", id.0),
        Actor::Job(id) => ("job", id.0),
        Actor::Operator(id) => ("operator", id.0),
        Actor::System => ("system", Uuid::nil()),
    }
}

/// Somebody whose session or key was found valid.
#[derive(Clone, Debug)]
pub struct Authenticated {
    pub(crate) tenant: TenantId,
    pub(crate) who: Who,
}

/// A user with a session, or a program with a key.
#[derive(Clone, Debug)]
pub enum Who {
    /// A signed-in browser.
    User {
        /// The user.
        user: UserId,
        /// The browser.
        session: SessionId,
        /// What the user may do.
        role: Role,
        /// Whether the user may read the ledger.
        privacy_officer: bool,
        /// The language of the user's desk.
        language: Language,
    },
    /// A program.
    ApiKey {
        /// The key's row.
        key: ApiKeyId,
        /// What it may do.
        scope: Scope,
    },
}

impl Authenticated {
    /// The tenant to which this session or key belongs.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Who it is.
    #[must_use]
    pub const fn who(&self) -> &Who {
        &self.who
    }

    /// The language of a user; a program has none.
    #[must_use]
    pub const fn language(&self) -> Option<Language> {
        match self.who {
            Who::User { language, .. } => Some(language),
            Who::ApiKey { .. } => None,
        }
    }

    /// The actor of what follows.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        match self.who {
            Who::User { user, .. } => Actor::User(user),
            Who::ApiKey { key, .. } => Actor::ApiKey(key),
        }
    }

    /// Whether `permission` is held.
    #[must_use]
    pub const fn may(&self, permission: Permission) -> bool {
        match self.who {
            Who::User { privacy_officer, .. } if matches!(permission, Permission::ReadLedger) => {
                privacy_officer
            }
            Who::User { role, .. } => role.may(permission),
            Who::ApiKey { scope, .. } => scope.may(permission),
        }
    }
}

/// A job whose lease this process holds. The fence makes late writes of a lost lease fail.
#[derive(Clone, Debug)]
pub struct ClaimedJob {
    pub(crate) tenant: TenantId,
    /// The job.
    pub id: JobId,
    /// What is to be done.
    pub kind: JobKind,
    /// To what: an intake, a message, a tenant.
    pub subject: Uuid,
    /// How often it was tried before.
    pub attempts: u32,
    /// The fencing token of this lease.
    pub fence: i64,
}

impl ClaimedJob {
    /// The tenant to which it belongs.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }
}

/// A channel account found by its address.
#[derive(Clone, Debug)]
pub struct ResolvedAccount {
    pub(crate) tenant: TenantId,
    /// The account.
    pub id: ChannelAccountId,
    /// What kind of channel it is.
    pub kind: ChannelKind,
    /// Whether it takes messages.
    pub state: AccountState,
    /// Where its conversations begin.
    pub queue: QueueId,
}

impl ResolvedAccount {
    /// The tenant to which it belongs.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }
}

#[cfg(test)]
impl Access {
    /// The same one, for another purpose.
    pub(crate) fn as_for(&self, purpose: Purpose) -> Self {
        Self { purpose, ..self.clone() }
    }

    pub(crate) const fn for_test(
        tenant: TenantId,
        actor: Actor,
        purpose: Purpose,
        request: RequestId,
        visible: Visible,
        clock: Clock,
    ) -> Self {
        Self { tenant, actor, purpose, request, visible, audience: None, clock }
    }

    /// The same one, of who sees this.
    pub(crate) fn seeing(&self, visible: Visible) -> Self {
        Self { visible, ..self.clone() }
    }

    /// The same one, of who reads and writes fields as `audience`.
    pub(crate) fn reading_as(&self, audience: Audience) -> Self {
        Self { audience: Some(audience), ..self.clone() }
    }
}
