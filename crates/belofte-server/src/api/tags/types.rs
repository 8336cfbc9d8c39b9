// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about tags.

use belofte_model::{TagColour, TagId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::schema;

/// A tag of a conversation.
#[derive(Clone, Serialize, ToSchema)]
pub struct TagRef {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: TagId,
    /// What it is called.
    pub name: String,
    /// Its colour.
    #[schema(value_type = schema::TagColour)]
    pub colour: TagColour,
}

/// A tag of the tenant.
#[derive(Serialize, ToSchema)]
pub struct Tag {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: TagId,
    /// What it is called.
    pub name: String,
    /// Its colour.
    #[schema(value_type = schema::TagColour)]
    pub colour: TagColour,
    /// Whether it is given to no more conversations; those that have it keep it.
    pub archived: bool,
}

impl From<belofte_store::Tag> for Tag {
    fn from(tag: belofte_store::Tag) -> Self {
        Self { id: tag.id, name: tag.name, colour: tag.colour, archived: tag.archived }
    }
}

/// The tags.
#[derive(Serialize, ToSchema)]
pub struct TagList {
    /// By name.
    pub items: Vec<Tag>,
}

/// A tag to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTag {
    /// What it is called; no other tag is, capitals aside.
    #[schema(min_length = 1, max_length = 40)]
    pub name: String,
    /// Its colour; grey without it.
    #[serde(default)]
    #[schema(value_type = Option<schema::TagColour>)]
    pub colour: Option<TagColour>,
}

/// Changes of a tag; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTag {
    /// What it is called.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub name: Option<String>,
    /// Its colour.
    #[serde(default)]
    #[schema(value_type = Option<schema::TagColour>)]
    pub colour: Option<TagColour>,
    /// Whether it is given to no more conversations.
    #[serde(default)]
    pub archived: Option<bool>,
}

/// The tag that is to take the conversations of another.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeTag {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub into_id: TagId,
}
