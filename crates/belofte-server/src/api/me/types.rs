// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about one's own settings.

use belofte_model::Language;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::schema;
use crate::api::users::ColourScheme;

/// Changes of one's own settings; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMe {
    /// The name that colleagues and customers see.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// The language of the desk.
    #[serde(default)]
    #[schema(value_type = Option<schema::Language>)]
    pub language: Option<Language>,
    /// Light, dark, or as the device says.
    #[serde(default)]
    pub colour_scheme: Option<ColourScheme>,
    /// Whether single letters are shortcuts.
    #[serde(default)]
    pub single_key_shortcuts: Option<bool>,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password as it is.
    #[schema(min_length = 1, max_length = 256)]
    pub current: String,
    /// The password as it will be.
    #[schema(min_length = 12, max_length = 256)]
    pub new: String,
}
