// SPDX-License-Identifier: EUPL-1.2
//! Who acts, why, and what part of a tenant's data that act may reach.

use serde::{Deserialize, Serialize};

use crate::{ApiKeyId, ChannelAccountId, JobId, OperatorUserId, QueueId, UserId};

/// The one who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Actor {
    /// A user of the tenant.
    User(UserId),
    /// A program of the tenant.
    ApiKey(ApiKeyId),
    /// A mail, chat or post that arrived on an account.
    Channel(ChannelAccountId),
    /// Background work.
    Job(JobId),
    /// Somebody of the operator; reaches metadata only.
    Operator(OperatorUserId),
    /// The installation itself: first start, command line.
    System,
}

/// What a user of a tenant may do; finer permissions refine these three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers customers.
    Agent,
    /// Watches queues and quality.
    Supervisor,
    /// Defines users, channel accounts and settings.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Agent, Self::Supervisor, Self::Admin];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
        }
    }

    /// The role of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether this role holds `permission`.
    #[must_use]
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::ReadConversations | Permission::Answer | Permission::Assign => true,
            Permission::SeeMailAccounting
            | Permission::RetryQuarantine
            | Permission::CreateTags
            | Permission::ShareViews
            | Permission::SeeQueues => !matches!(self, Self::Agent),
            Permission::ManageUsers
            | Permission::ManageChannelAccounts
            | Permission::ManageApiKeys
            | Permission::ManageTags
            | Permission::ManageQueues
            | Permission::ManageFields
            | Permission::ExportContacts
            | Permission::ReadSource
            | Permission::SeeDeadLetters
            | Permission::ManageTenant => matches!(self, Self::Admin),
            // A duty of its own, given to a user beside the role: an admin does not have it.
            Permission::ReadLedger => false,
        }
    }
}

/// One thing that can be allowed. Closed: a new verb names its permission here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// See conversations, their messages and contacts; search.
    ReadConversations,
    /// Reply, write notes, upload attachments, resolve and reopen.
    Answer,
    /// Give a conversation to a user or a queue, put it off, tag it.
    Assign,
    /// Make a new tag, also while tagging.
    CreateTags,
    /// Rename, merge and archive tags.
    ManageTags,
    /// Keep a view or a macro, or choose whose images are shown, for everybody.
    ShareViews,
    /// See how queues and teams are set up, archived ones too.
    SeeQueues,
    /// Make, change, archive and restore queues and teams.
    ManageQueues,
    /// Make, change, order, archive and remove the tenant's own fields.
    ManageFields,
    /// Take what is known of people out, all at once.
    ExportContacts,
    /// See what was received, imported and quarantined.
    SeeMailAccounting,
    /// See the bytes of a mail as it came or went.
    ReadSource,
    /// Try a quarantined mail again.
    RetryQuarantine,
    /// Invite, change and block users.
    ManageUsers,
    /// Create, change, test and remove channel accounts.
    ManageChannelAccounts,
    /// Issue and revoke keys for programs.
    ManageApiKeys,
    /// See and retry background work that failed for good.
    SeeDeadLetters,
    /// Change what holds for everybody of the organisation.
    ManageTenant,
    /// Read the tenant's ledger: the privacy officer's.
    ReadLedger,
}

/// What an API key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read conversations, contacts and messages.
    Read,
    /// Read and answer.
    Write,
}

impl Scope {
    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// Whether a key of this scope holds `permission`; keys never administer.
    #[must_use]
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::ReadConversations => true,
            Permission::Answer | Permission::Assign => matches!(self, Self::Write),
            _ => false,
        }
    }
}

/// A part of a set: everything, or the members that are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subset<T> {
    /// Every member, also those that come later.
    All,
    /// Only these.
    Only(Vec<T>),
}

impl<T: PartialEq> Subset<T> {
    /// Whether `member` belongs to it.
    pub fn contains(&self, member: &T) -> bool {
        match self {
            Self::All => true,
            Self::Only(members) => members.contains(member),
        }
    }
}

/// What every tenant holds of people without having defined it. What an access cannot see of it is
/// empty when rows are opened, is found by no search, and cannot be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BuiltInField {
    /// The name of a contact, and those that messages name people by.
    Name,
    /// Addresses, numbers and handles. They also stand in the source of a mail, which nobody can
    /// mask: who cannot see them cannot see sources.
    Address,
}

impl BuiltInField {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Name, Self::Address];
}

/// What an access can see. Every read takes it, from the first day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    /// The queues whose conversations can be seen.
    pub queues: Subset<QueueId>,
    /// The channel accounts whose messages can be seen.
    pub channels: Subset<ChannelAccountId>,
    /// What of people can be seen.
    pub fields: Subset<BuiltInField>,
}

impl Visible {
    /// All of the tenant.
    #[must_use]
    pub const fn all() -> Self {
        Self { queues: Subset::All, channels: Subset::All, fields: Subset::All }
    }

    /// Nothing: what the operator sees of content.
    #[must_use]
    pub const fn nothing() -> Self {
        Self {
            queues: Subset::Only(Vec::new()),
            channels: Subset::Only(Vec::new()),
            fields: Subset::Only(Vec::new()),
        }
    }

    /// Whether all queues and all channel accounts can be seen: then no row needs to be looked at.
    #[must_use]
    pub fn sees_all_cases(&self) -> bool {
        self.queues == Subset::All && self.channels == Subset::All
    }

    /// Whether a case that lies in `queue` and began through `account` can be seen.
    #[must_use]
    pub fn sees_case(&self, queue: QueueId, account: ChannelAccountId) -> bool {
        self.queues.contains(&queue) && self.channels.contains(&account)
    }

    /// Whether a message can be seen that went through `account` (none: a note), of a case that can.
    #[must_use]
    pub fn sees_message(&self, account: Option<ChannelAccountId>) -> bool {
        account.is_none_or(|account| self.channels.contains(&account))
    }

    /// Whether `field` of people can be seen.
    #[must_use]
    pub fn sees(&self, field: BuiltInField) -> bool {
        self.fields.contains(&field)
    }
}
