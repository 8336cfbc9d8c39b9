// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about sessions.

use belofte_model::TenantId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::schema;
use crate::api::users::User;

/// An address and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The address that the user signs in with.
    #[schema(min_length = 1, max_length = 254)]
    pub email: String,
    /// The password.
    #[schema(min_length = 1, max_length = 256)]
    pub password: String,
    /// The organisation, where the address belongs to users of several.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub organisation_id: Option<TenantId>,
}

/// A signed-in user.
#[derive(Serialize, ToSchema)]
pub struct Session {
    /// Who.
    pub user: User,
    /// Of which organisation.
    pub tenant: Tenant,
    /// What they may do.
    #[schema(value_type = Vec<schema::Permission>)]
    pub permissions: Vec<belofte_model::Permission>,
    /// The number of the newest live event: resume from here.
    pub live_seq: i64,
}

/// An organisation.
#[derive(Serialize, ToSchema)]
pub struct Tenant {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: TenantId,
    /// Its name.
    pub name: String,
}
