// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire as live events.

use belofte_model::{
    ChannelAccountId, ConversationId, DraftKind, EventKind, MessageId, PresenceState, UserId,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::schema;
use crate::api::time::Time;

/// Where to resume.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Connect {
    /// The number of the last event that was seen; only new ones without it.
    #[serde(default)]
    #[param(minimum = 0)]
    pub since: Option<i64>,
}

/// One fact, or a word about the stream itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LiveFrame {
    /// Its number within the tenant.
    pub seq: i64,
    /// What happened.
    pub kind: LiveKind,
    /// The conversation it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub conversation_id: Option<ConversationId>,
    /// The message it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub message_id: Option<MessageId>,
    /// The channel account it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub channel_account_id: Option<ChannelAccountId>,
    /// The user it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub user_id: Option<UserId>,
    /// When.
    pub at: Time,
}

/// What a browser says of its user.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HereFrame {
    /// The conversation that is open; null for none.
    pub conversation_id: Option<ConversationId>,
    /// What they do there.
    pub state: PresenceState,
    /// Whether they take the reply over from who writes.
    #[serde(default)]
    pub take: bool,
}

/// What holds at this moment and is kept nowhere: it has no number and is not told again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WhisperFrame {
    /// What it is about.
    pub kind: WhisperKind,
    /// The conversation; absent for the draft of a mail that begins one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub conversation_id: Option<ConversationId>,
    /// With `presence`: everybody who is there, which is all that holds from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<Vec<PresentPerson>>,
    /// With `presence`: whose reply it is, while somebody writes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub writer_id: Option<UserId>,
    /// With `draft`: which, and how it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<DraftStanding>,
}

/// How a draft of one's own stands, without a word of it.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct DraftStanding {
    /// Which.
    #[schema(value_type = schema::DraftKind)]
    pub kind: DraftKind,
    /// The version that is kept now; 0 for none.
    pub version: i64,
}

/// Somebody who is there.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct PresentPerson {
    /// Who.
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    /// What they do there.
    #[schema(value_type = schema::PresenceState)]
    pub state: PresenceState,
}

/// What a whisper is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhisperKind {
    /// Who is in a conversation.
    Presence,
    /// A draft of one's own was saved, or has gone, in another browser.
    Draft,
}

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiveKind {
    /// The first frame: the current number.
    Hello,
    /// A conversation began.
    ConversationCreated,
    /// A conversation changed.
    ConversationChanged,
    /// A message or note was added.
    MessageCreated,
    /// A delivery changed.
    DeliveryChanged,
    /// Quarantine changed.
    QuarantineChanged,
    /// A channel account changed.
    ChannelAccountChanged,
    /// A user changed.
    UserChanged,
    /// The name of a contact changed, in every row that shows it.
    ContactChanged,
    /// A tag changed, in every row that shows it.
    TagsChanged,
    /// A saved view was added, changed or removed.
    SavedViewsChanged,
    /// What the user is told of changed; nobody else hears of it.
    NotificationsChanged,
    /// A macro was added, changed or removed.
    MacrosChanged,
    /// A queue changed, in every row that shows it.
    QueuesChanged,
    /// A team changed.
    TeamsChanged,
    /// How fields are set up changed, or their order.
    FieldsChanged,
    /// The history asked for is gone: load again.
    Resync,
}

impl From<EventKind> for LiveKind {
    fn from(kind: EventKind) -> Self {
        match kind {
            EventKind::ConversationCreated => Self::ConversationCreated,
            EventKind::ConversationChanged => Self::ConversationChanged,
            EventKind::MessageCreated => Self::MessageCreated,
            EventKind::DeliveryChanged => Self::DeliveryChanged,
            EventKind::QuarantineChanged => Self::QuarantineChanged,
            EventKind::ChannelAccountChanged => Self::ChannelAccountChanged,
            EventKind::UserChanged => Self::UserChanged,
            EventKind::ContactChanged => Self::ContactChanged,
            EventKind::TagsChanged => Self::TagsChanged,
            EventKind::SavedViewsChanged => Self::SavedViewsChanged,
            EventKind::NotificationsChanged => Self::NotificationsChanged,
            EventKind::MacrosChanged => Self::MacrosChanged,
            EventKind::QueuesChanged => Self::QueuesChanged,
            EventKind::TeamsChanged => Self::TeamsChanged,
            EventKind::FieldsChanged => Self::FieldsChanged,
        }
    }
}
