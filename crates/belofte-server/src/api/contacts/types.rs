// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about people.

use belofte_model::{ContactId, IdentityId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::time::Time;

/// A person.
#[derive(Serialize, ToSchema)]
pub struct Contact {
    /// Their id.
    #[schema(value_type = Uuid)]
    pub id: ContactId,
    /// Their name; empty where it is not known.
    pub name: String,
    /// Their addresses, numbers and handles.
    pub identities: Vec<Identity>,
    /// When they first wrote.
    pub created_at: Time,
    /// How many conversations they are in.
    pub conversation_count: i64,
}

/// An address of a person.
#[derive(Serialize, ToSchema)]
pub struct Identity {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: IdentityId,
    /// What it is.
    pub kind: IdentityKind,
    /// The address itself.
    pub value: String,
    /// Whether it was shown to be theirs.
    pub verified: bool,
}

/// What an identity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// An address of internet mail.
    Email,
}

impl From<belofte_store::Contact> for Contact {
    fn from(contact: belofte_store::Contact) -> Self {
        let identities = contact.identities.into_iter().map(|identity| Identity {
            id: identity.id,
            kind: IdentityKind::Email,
            value: identity.value.into_inner(),
            verified: identity.verified,
        });
        Self {
            id: contact.id,
            name: contact.profile.name,
            identities: identities.collect(),
            created_at: contact.created_at.into(),
            conversation_count: i64::try_from(contact.conversations).unwrap_or(i64::MAX),
        }
    }
}

/// Changes of a person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateContact {
    /// Their name.
    #[schema(max_length = 200)]
    pub name: String,
}
