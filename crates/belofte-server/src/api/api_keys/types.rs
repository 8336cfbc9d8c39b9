// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about keys for programs.

use belofte_model::{ApiKeyId, Scope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::schema;
use crate::api::time::Time;

/// A key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApiKey {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// What it may be used for.
    #[schema(value_type = schema::Scope)]
    pub scope: Scope,
    /// When it ends; at most a year from now.
    pub expires_at: Time,
}

/// A new key. The secret is shown this once.
#[derive(Serialize, ToSchema)]
pub struct CreatedApiKey {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// What it may be used for.
    #[schema(value_type = schema::Scope)]
    pub scope: Scope,
    /// When it ends.
    pub expires_at: Time,
    /// The secret, for `Authorization: Bearer`.
    pub key: String,
}

/// A key without its secret.
#[derive(Serialize, ToSchema)]
pub struct ApiKey {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// What it may be used for.
    #[schema(value_type = schema::Scope)]
    pub scope: Scope,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// When it was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Time>,
}

/// The keys.
#[derive(Serialize, ToSchema)]
pub struct ApiKeyList {
    /// Newest first.
    pub items: Vec<ApiKey>,
}
