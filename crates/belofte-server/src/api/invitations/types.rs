// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about invitations.

use belofte_model::{InvitationId, Language, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::schema;
use crate::api::time::Time;

/// Whom to invite: a role, not a person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInvitation {
    /// What they will be.
    #[schema(value_type = schema::Role)]
    pub role: Role,
    /// Whether they will have the duty of privacy officer.
    #[serde(default)]
    pub privacy_officer: bool,
}

/// A new invitation. The link is shown this once.
#[derive(Serialize, ToSchema)]
pub struct CreatedInvitation {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: InvitationId,
    /// The link to hand over; its secret stands after the `#` and is never sent in a URL.
    pub link: String,
    /// Until when it can be accepted.
    pub expires_at: Time,
}

/// An invitation that can still be accepted.
#[derive(Serialize, ToSchema)]
pub struct Invitation {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: InvitationId,
    /// What its guest will be.
    #[schema(value_type = schema::Role)]
    pub role: Role,
    /// Whether its guest will be a privacy officer.
    pub privacy_officer: bool,
    /// When it was made.
    pub created_at: Time,
    /// Until when it can be accepted.
    pub expires_at: Time,
}

/// The open invitations.
#[derive(Serialize, ToSchema)]
pub struct InvitationList {
    /// Newest first.
    pub items: Vec<Invitation>,
}

/// The secret of an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookAtInvitation {
    /// What stands after the `#` of the link.
    #[schema(min_length = 1, max_length = 128)]
    pub token: String,
}

/// What an invitation is for.
#[derive(Serialize, ToSchema)]
pub struct InvitationView {
    /// The organisation that invites.
    pub tenant_name: String,
    /// What the guest will be.
    #[schema(value_type = schema::Role)]
    pub role: Role,
    /// Until when it can be accepted.
    pub expires_at: Time,
}

/// Accepts an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// What stands after the `#` of the link.
    #[schema(min_length = 1, max_length = 128)]
    pub token: String,
    /// The name that colleagues and customers will see.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// The address to sign in with.
    #[schema(min_length = 3, max_length = 254)]
    pub email: String,
    /// The password.
    #[schema(min_length = 12, max_length = 256)]
    pub password: String,
    /// The language of the desk.
    #[schema(value_type = schema::Language)]
    pub language: Language,
}
