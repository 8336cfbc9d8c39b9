// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about notifications.

use belofte_model::{ConversationId, MessageId, NotificationId, NotificationKind, NotificationWays};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::conversations::ConversationRow;
use crate::api::schema;
use crate::api::time::Time;
use crate::api::users::UserRef;

/// Something that a user is told of.
#[derive(Serialize, ToSchema)]
pub struct Notification {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: NotificationId,
    /// What it tells.
    #[schema(value_type = schema::NotificationKind)]
    pub kind: NotificationKind,
    /// The conversation that it is about, as it is by now.
    pub conversation: ConversationRow,
    /// The message that it is about; of several that are unread the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub message_id: Option<MessageId>,
    /// How often it happened since it was read.
    pub count: i64,
    /// The colleague who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<UserRef>,
    /// When it happened last.
    pub at: Time,
    /// Whether it was read.
    pub read: bool,
}

/// What the one who asks is told of.
#[derive(Serialize, ToSchema)]
pub struct NotificationList {
    /// The latest first; at most 200 are kept.
    pub items: Vec<Notification>,
    /// How many of them were not read.
    pub unread: u32,
    /// Conversations of which one's devices alone were told, and that one has not looked at since.
    #[schema(value_type = Vec<Uuid>)]
    pub on_devices: Vec<ConversationId>,
}

/// Which lines to mark: exactly one of `ids`, `conversation_id` and `until`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkNotifications {
    /// As read, or as unread again.
    pub read: bool,
    /// These.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 200)]
    pub ids: Option<Vec<NotificationId>>,
    /// Those about this conversation.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub conversation_id: Option<ConversationId>,
    /// All that happened until this moment.
    #[serde(default)]
    pub until: Option<Time>,
}

/// What was marked.
#[derive(Serialize, ToSchema)]
pub struct MarkedNotifications {
    /// Those that were not so before: what an undo names.
    #[schema(value_type = Vec<Uuid>)]
    pub ids: Vec<NotificationId>,
}

/// By which ways one is told of one kind of thing.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotificationPreference {
    /// Of what.
    #[schema(value_type = schema::NotificationKind)]
    pub kind: NotificationKind,
    /// As a line in the desk.
    pub desk: bool,
    /// On the devices that were chosen for it.
    pub push: bool,
}

/// By which ways one is told of what.
#[derive(Serialize, ToSchema)]
pub struct NotificationPreferences {
    /// One for each kind.
    pub items: Vec<NotificationPreference>,
}

/// Other ways; kinds that are not named stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChooseNotifications {
    /// At most one for each kind.
    #[schema(max_items = 4)]
    pub items: Vec<NotificationPreference>,
}

impl NotificationPreferences {
    /// As the store keeps them.
    #[must_use]
    pub fn of(ways: Vec<(NotificationKind, NotificationWays)>) -> Self {
        let item = |(kind, ways): (NotificationKind, NotificationWays)| NotificationPreference {
            kind,
            desk: ways.desk,
            push: ways.push,
        };
        Self { items: ways.into_iter().map(item).collect() }
    }
}
