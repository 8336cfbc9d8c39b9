// SPDX-License-Identifier: EUPL-1.2
//! Live events: facts for the desk, by number, never content.

use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A conversation began.
    ConversationCreated,
    /// Status, assignee, queue, tags or subject of a conversation changed.
    ConversationChanged,
    /// A message or note was added.
    MessageCreated,
    /// The delivery state of a message changed.
    DeliveryChanged,
    /// A mail was quarantined, or left quarantine.
    QuarantineChanged,
    /// A channel account was added, changed or removed.
    ChannelAccountChanged,
    /// A user was added or changed.
    UserChanged,
    /// What is known of a contact changed: every row with its name is old.
    ContactChanged,
    /// A tag was added, renamed, merged or archived: every row with its name may be old.
    TagsChanged,
    /// A saved view was added, changed or removed.
    SavedViewsChanged,
    /// What a user is told of changed: told to that user alone.
    NotificationsChanged,
    /// A macro was added, changed or removed.
    MacrosChanged,
    /// A queue was made, changed, archived or restored: every row with its name may be old.
    QueuesChanged,
    /// A team was made, changed or archived.
    TeamsChanged,
    /// A field of the tenant's own was made, changed, archived or removed.
    FieldsChanged,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 15] = [
        Self::ConversationCreated,
        Self::ConversationChanged,
        Self::MessageCreated,
        Self::DeliveryChanged,
        Self::QuarantineChanged,
        Self::ChannelAccountChanged,
        Self::UserChanged,
        Self::ContactChanged,
        Self::TagsChanged,
        Self::SavedViewsChanged,
        Self::NotificationsChanged,
        Self::MacrosChanged,
        Self::QueuesChanged,
        Self::TeamsChanged,
        Self::FieldsChanged,
    ];

    /// The stored and sent name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConversationCreated => "conversation_created",
            Self::ConversationChanged => "conversation_changed",
            Self::MessageCreated => "message_created",
            Self::DeliveryChanged => "delivery_changed",
            Self::QuarantineChanged => "quarantine_changed",
            Self::ChannelAccountChanged => "channel_account_changed",
            Self::UserChanged => "user_changed",
            Self::ContactChanged => "contact_changed",
            Self::TagsChanged => "tags_changed",
            Self::SavedViewsChanged => "saved_views_changed",
            Self::NotificationsChanged => "notifications_changed",
            Self::MacrosChanged => "macros_changed",
            Self::QueuesChanged => "queues_changed",
            Self::TeamsChanged => "teams_changed",
            Self::FieldsChanged => "fields_changed",
        }
    }

    /// The kind of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
