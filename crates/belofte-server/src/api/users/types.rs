// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about users.

use belofte_model::{self as model, Language, Role, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::schema;
use crate::api::time::Time;

/// A user, as they and an admin see them.
#[derive(Serialize, ToSchema)]
pub struct User {
    /// Their id.
    #[schema(value_type = Uuid)]
    pub id: UserId,
    /// The name that colleagues and customers see.
    pub name: String,
    /// The address that they sign in with.
    pub email: String,
    /// What they may do.
    #[schema(value_type = schema::Role)]
    pub role: Role,
    /// Whether they have the duty of privacy officer: reading the ledger.
    pub privacy_officer: bool,
    /// Whether they can sign in.
    pub state: UserState,
    /// The language of their desk.
    #[schema(value_type = schema::Language)]
    pub language: Language,
    /// Light, dark, or as the device says.
    pub colour_scheme: ColourScheme,
    /// Whether single letters are shortcuts.
    pub single_key_shortcuts: bool,
    /// When they last did something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Time>,
}

/// A user, as colleagues see them.
#[derive(Clone, Serialize, ToSchema)]
pub struct UserRef {
    /// Their id.
    #[schema(value_type = Uuid)]
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// What they may do.
    #[schema(value_type = schema::Role)]
    pub role: Role,
    /// Whether they can sign in.
    pub state: UserState,
}

/// A user in a list: a [`UserRef`] with the duty, and for an admin the rest of a [`User`].
#[derive(Serialize, ToSchema)]
pub struct ListedUser {
    /// Their id.
    #[schema(value_type = Uuid)]
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// What they may do.
    #[schema(value_type = schema::Role)]
    pub role: Role,
    /// Whether they can sign in.
    pub state: UserState,
    /// For an admin: the address that they sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether they have the duty of privacy officer. All of the tenant see who has it: what they
    /// look at is told to them.
    pub privacy_officer: bool,
    /// For an admin: the language of their desk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Language>)]
    pub language: Option<Language>,
    /// For an admin: when they last did something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Time>,
    /// For an admin: whether they have a second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<bool>,
}

/// The users of the tenant.
#[derive(Serialize, ToSchema)]
pub struct UserList {
    /// By name.
    pub items: Vec<ListedUser>,
}

impl From<belofte_store::User> for User {
    fn from(user: belofte_store::User) -> Self {
        Self {
            id: user.id,
            name: user.name.into_inner(),
            email: user.email.into_inner(),
            role: user.role,
            privacy_officer: user.privacy_officer,
            state: user.state.into(),
            language: user.language,
            colour_scheme: user.colour_scheme.into(),
            single_key_shortcuts: user.single_key_shortcuts,
            last_seen_at: user.last_seen_at.map(Into::into),
        }
    }
}

/// Whether a user can sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// Can sign in.
    Active,
    /// Cannot; their sessions have ended.
    Blocked,
}

/// How the desk is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColourScheme {
    /// As the device says.
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// Changes of a user by an admin; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// Another role.
    #[serde(default)]
    #[schema(value_type = Option<schema::Role>)]
    pub role: Option<Role>,
    /// Block, or let in again.
    #[serde(default)]
    pub state: Option<UserState>,
    /// Give or take the duty of privacy officer; only a privacy officer does.
    #[serde(default)]
    pub privacy_officer: Option<bool>,
}

impl From<model::UserState> for UserState {
    fn from(state: model::UserState) -> Self {
        match state {
            model::UserState::Active => Self::Active,
            model::UserState::Blocked => Self::Blocked,
        }
    }
}

impl From<UserState> for model::UserState {
    fn from(state: UserState) -> Self {
        match state {
            UserState::Active => Self::Active,
            UserState::Blocked => Self::Blocked,
        }
    }
}

impl From<model::ColourScheme> for ColourScheme {
    fn from(scheme: model::ColourScheme) -> Self {
        match scheme {
            model::ColourScheme::Auto => Self::Auto,
            model::ColourScheme::Light => Self::Light,
            model::ColourScheme::Dark => Self::Dark,
        }
    }
}

impl From<ColourScheme> for model::ColourScheme {
    fn from(scheme: ColourScheme) -> Self {
        match scheme {
            ColourScheme::Auto => Self::Auto,
            ColourScheme::Light => Self::Light,
            ColourScheme::Dark => Self::Dark,
        }
    }
}
