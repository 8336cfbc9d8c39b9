// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire for the operator.

use belofte_model::{JobId, JobKind, OperatorUserId, TenantId};
use belofte_store::Operator;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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

impl From<Operator> for OperatorSession {
    fn from(operator: Operator) -> Self {
        let (name, email) = (operator.name.into_inner(), operator.email.into_inner());
        Self { user: OperatorUser { id: operator.id, name, email } }
    }
}
