// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about saved views.

use belofte_model::{QueueId, SavedViewId, TagId};
use belofte_store::{self as store, ViewAssignee, ViewContent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::conversations::{AssigneeFilter, StatusFilter};

/// A list that somebody keeps under a name.
#[derive(Serialize, ToSchema)]
pub struct SavedView {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: SavedViewId,
    /// What it is called.
    pub name: String,
    /// Whether everybody has it.
    pub shared: bool,
    /// Whether the asking user made it.
    pub own: bool,
    /// Which cases it shows.
    pub filter: ViewFilter,
}

/// Which conversations a view shows: as the parameters of the list.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewFilter {
    /// Which status.
    #[serde(default)]
    #[schema(value_type = Option<StatusFilter>)]
    pub status: StatusFilter,
    /// Whose: `me`, `none`, `any` or the id of a user.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(me|none|any|[0-9a-fA-F-]{36})$")]
    pub assignee: AssigneeFilter,
    /// Only this queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub queue: Option<QueueId>,
    /// Only with this tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub tag: Option<TagId>,
}

impl SavedView {
    /// How `view` is told to who is `own` of it or not.
    #[must_use]
    pub fn of(view: store::SavedView, own: bool) -> Self {
        let content = view.content;
        let filter = ViewFilter {
            status: content.status.into(),
            assignee: match content.assignee {
                ViewAssignee::Any => AssigneeFilter::Any,
                ViewAssignee::Me => AssigneeFilter::Me,
                ViewAssignee::Nobody => AssigneeFilter::Nobody,
                ViewAssignee::User(user) => AssigneeFilter::User(user),
            },
            queue: content.queue,
            tag: content.tag,
        };
        Self { id: view.id, name: content.name, shared: view.shared, own, filter }
    }
}

/// A view to keep, or what is to become of one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveView {
    /// What it is called.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// Whether everybody has it; who may decide that is told by the permission `share_views`.
    #[serde(default)]
    pub shared: bool,
    /// Which cases it shows.
    pub filter: ViewFilter,
}

impl SaveView {
    /// The name and the filter, as they are kept.
    #[must_use]
    pub fn content(&self) -> ViewContent {
        ViewContent {
            name: self.name.trim().to_owned(),
            status: self.filter.status.status(),
            assignee: match self.filter.assignee {
                AssigneeFilter::Any => ViewAssignee::Any,
                AssigneeFilter::Me => ViewAssignee::Me,
                AssigneeFilter::Nobody => ViewAssignee::Nobody,
                AssigneeFilter::User(user) => ViewAssignee::User(user),
            },
            queue: self.filter.queue,
            tag: self.filter.tag,
        }
    }
}

/// The views.
#[derive(Serialize, ToSchema)]
pub struct SavedViewList {
    /// Those that everybody has first.
    pub items: Vec<SavedView>,
}
