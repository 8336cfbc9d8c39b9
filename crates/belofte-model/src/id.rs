// SPDX-License-Identifier: EUPL-1.2
//! Typed identities: a [`ContactId`] cannot be passed where a [`MessageId`] is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;

/// Builds the UUID version 7 (RFC 9562, section 5.7) of `at` and ten random bytes.
///
/// Both are arguments because ids are made before the transaction that stores them and must
/// stay the same when that transaction is tried again.
#[must_use]
pub fn uuid_v7(at: Timestamp, random: [u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(at.as_millis().max(0) as u64, &random).into_uuid()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The id that belongs to `at` and ten random bytes; see [`uuid_v7`].
            #[must_use]
            pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
                Self(uuid_v7(at, random))
            }

            /// The bare UUID, for storage.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// A company with a contact centre: the controller in the sense of the GDPR.
    TenantId,
    /// An agent, supervisor or admin of one tenant.
    UserId,
    /// A person who works for the operator; sees no content.
    OperatorUserId,
    /// A person who calls, mails, chats or posts: the data subject.
    ContactId,
    /// One address, number or handle of a contact.
    IdentityId,
    /// One mailbox, number, widget or page of a tenant.
    ChannelAccountId,
    /// A queue of conversations.
    QueueId,
    /// People who work together.
    TeamId,
    /// A field that a tenant defined for itself.
    FieldId,
    /// A case; may hold threads of several channels.
    ConversationId,
    /// A word of a tenant's own that cases are sorted by.
    TagId,
    /// A list of cases that somebody keeps under a name.
    SavedViewId,
    /// Words and changes that somebody keeps under a name, to use again.
    MacroId,
    /// What somebody is writing and has not sent.
    DraftId,
    /// A live line: one browser that follows what happens.
    LineId,
    /// A key that signs mail in the name of a domain.
    SigningKeyId,
    /// A browser of a user that is told when something is new.
    PushDeviceId,
    /// A run of messages in one channel within a conversation.
    ThreadId,
    /// A message, in or out, or a note.
    MessageId,
    /// A file that came or goes with a message.
    AttachmentId,
    /// Sealed bytes, in a row or in a file.
    BlobId,
    /// One thing received by a channel: imported or quarantined in the end.
    IntakeId,
    /// The outbound state of one message for one recipient.
    DeliveryId,
    /// A line that tells a user of something.
    NotificationId,
    /// What happened to a conversation (assigned, resolved, viewed).
    ActivityId,
    /// A unit of background work.
    JobId,
    /// A key of any class.
    KeyId,
    /// A signed-in browser.
    SessionId,
    /// A sign-in that waits for its second step.
    SignInStepId,
    /// The second factor of a user.
    SecondFactorId,
    /// A key for programs.
    ApiKeyId,
    /// A single-use invitation to become a user.
    InvitationId,
    /// A request, a claimed job or a received mail: what log lines of one act have in common.
    RequestId,
    /// A process with its data folder; the next process of the same folder is the same node.
    NodeId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_carry_version_seven() {
        let early = MessageId::new(Timestamp::from_millis(1_000), [255; 10]);
        let late = MessageId::new(Timestamp::from_millis(2_000), [0; 10]);
        assert!(early < late);
        assert_eq!(early.uuid().get_version_num(), 7);
        assert_eq!(early.to_string().parse::<MessageId>(), Ok(early));
    }
}
