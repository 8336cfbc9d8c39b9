// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about sessions.

use belofte_model::{SignInStepKind, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::schema;
use crate::api::time::Time;
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
    /// When an admin took the user's second factor away, until the user has seen it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_factor_reset_at: Option<Time>,
}

/// The password was right, and more is asked.
#[derive(Serialize, ToSchema)]
pub struct SignInStep {
    /// The secret of this step; what follows names it.
    pub step: String,
    /// A code of one's second factor, or that one is set up.
    #[schema(value_type = schema::SignInStepKind)]
    pub next: SignInStepKind,
    /// Until when.
    pub expires_at: Time,
}

/// The second step of signing in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowCode {
    /// The secret of the step.
    #[schema(min_length = 1, max_length = 128)]
    pub step: String,
    /// The six digits of the app, or a recovery code.
    #[schema(min_length = 1, max_length = 64)]
    pub code: String,
}

/// A step of signing in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedStep {
    /// The secret of the step.
    #[schema(min_length = 1, max_length = 128)]
    pub step: String,
}

/// A signed-in user who has just set a second factor up.
#[derive(Serialize, ToSchema)]
pub struct SetUpSession {
    /// The session.
    pub session: Session,
    /// The recovery codes, told once.
    pub recovery_codes: Vec<String>,
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
