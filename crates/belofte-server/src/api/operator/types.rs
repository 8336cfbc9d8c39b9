// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire for the operator.

use std::collections::BTreeMap;

use belofte_ledger::Entry;
use belofte_model::{Actor, JobId, JobKind, OperatorUserId, TenantId};
use belofte_store::{Operator, RecipientCount};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::api::channel_accounts::SubProcessor;
use crate::api::schema;
use crate::api::time::Time;

/// An address and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorSignIn {
    /// The address that the operator user signs in with.
    #[schema(min_length = 1, max_length = 254)]
    pub email: String,
    /// The password.
    #[schema(min_length = 1, max_length = 256)]
    pub password: String,
}

/// A signed-in operator user.
#[derive(Serialize, ToSchema)]
pub struct OperatorSession {
    /// Who.
    pub user: OperatorUser,
}

/// Somebody of the operator.
#[derive(Serialize, ToSchema)]
pub struct OperatorUser {
    /// Their id.
    #[schema(value_type = Uuid)]
    pub id: OperatorUserId,
    /// Their name.
    pub name: String,
    /// The address that they sign in with.
    pub email: String,
}

/// A tenant in numbers.
#[derive(Serialize, ToSchema)]
pub struct OperatorTenant {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: TenantId,
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Time,
    /// How many users.
    pub users: i64,
    /// How many conversations.
    pub conversations: i64,
    /// How many messages.
    pub messages: i64,
    /// How many bytes it takes.
    pub stored_bytes: i64,
}

/// The tenants.
#[derive(Serialize, ToSchema)]
pub struct TenantList {
    /// By name.
    pub items: Vec<OperatorTenant>,
}

/// Failed work of a tenant.
#[derive(Serialize, ToSchema)]
pub struct OperatorDeadLetter {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: JobId,
    /// Whose.
    #[schema(value_type = Uuid)]
    pub tenant_id: TenantId,
    /// What it is.
    #[schema(value_type = schema::JobKind)]
    pub kind: JobKind,
    /// When it failed last.
    pub failed_at: Time,
    /// How often it was tried.
    pub attempts: u32,
    /// Why: a stable code.
    pub error_code: String,
}

/// Failed work of all tenants.
#[derive(Serialize, ToSchema)]
pub struct OperatorDeadLetterList {
    /// Newest first.
    pub items: Vec<OperatorDeadLetter>,
}

/// The register of recipients.
#[derive(Serialize, ToSchema)]
pub struct OperatorRecipients {
    /// Who processes for the operator, as the configuration says.
    pub sub_processors: Vec<SubProcessor>,
    /// The name servers that are asked what domains say of their mails: they learn the domains of those who mail.
    pub name_servers: Vec<String>,
    /// The push services that browsers are told by, of tenants that allow it: they learn that and when somebody is
    /// notified. Most lie outside the EEA.
    pub push_services: Vec<String>,
    /// What tenants chose, in numbers.
    pub tenants: Vec<TenantRecipients>,
}

/// What a tenant chose, in numbers.
#[derive(Serialize, ToSchema)]
pub struct TenantRecipients {
    /// Whose.
    #[schema(value_type = Uuid)]
    pub tenant_id: TenantId,
    /// How many hosts its accounts hand answers in at.
    pub chosen_hosts: i64,
    /// How many recipients of answers were reached over the open mail system.
    pub mailed: i64,
    /// Whether it lets push services learn when its users are notified.
    pub push_allowed: bool,
}

impl From<RecipientCount> for TenantRecipients {
    fn from(count: RecipientCount) -> Self {
        Self {
            tenant_id: count.tenant,
            chosen_hosts: count.chosen,
            mailed: count.mailed,
            push_allowed: count.push_allowed,
        }
    }
}

/// Which leaves of the installation's ledger to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListOperatorLog {
    /// Only leaves before this number.
    #[serde(default)]
    #[param(minimum = 0)]
    pub before: Option<i64>,
    /// How many at most; 50 without it.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// A page of the installation's ledger.
#[derive(Serialize, ToSchema)]
pub struct OperatorLog {
    /// Newest first.
    pub items: Vec<OperatorLogEntry>,
    /// How many leaves there are in all.
    pub size: i64,
    /// The newest signed checkpoint (C2SP `tlog-checkpoint`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

/// One leaf of the installation's ledger.
#[derive(Serialize, ToSchema)]
pub struct OperatorLogEntry {
    /// Its number, from 0.
    pub no: i64,
    /// When.
    pub at: Time,
    /// The operator user who acted; none for a command, the server itself and a refused sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub operator: Option<OperatorUserId>,
    /// What was done, such as `signed_in` or `create_tenant`.
    pub act: String,
    /// To what and from where, by name.
    pub details: BTreeMap<String, String>,
}

impl From<&Entry> for OperatorLogEntry {
    fn from(entry: &Entry) -> Self {
        let operator = match entry.actor {
            Actor::Operator(id) => Some(id),
            Actor::User(_) | Actor::ApiKey(_) | Actor::Channel(_) | Actor::Job(_) | Actor::System => None,
        };
        let told = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let members = entry.detail.value().as_object().into_iter().flatten();
        let mut details: BTreeMap<_, _> = members
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), told(value)))
            .collect();
        let act = details.remove("act").unwrap_or_default();
        Self { no: i64::try_from(entry.no).unwrap_or(i64::MAX), at: entry.at.into(), operator, act, details }
    }
}

impl From<Operator> for OperatorSession {
    fn from(operator: Operator) -> Self {
        let (name, email) = (operator.name.into_inner(), operator.email.into_inner());
        Self { user: OperatorUser { id: operator.id, name, email } }
    }
}
