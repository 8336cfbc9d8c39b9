// SPDX-License-Identifier: EUPL-1.2
//! Messages as they are shown, with the names of those who wrote them.

use std::collections::HashMap;

use belofte_model::{ApiKeyId, AuthorKind, ContactId, DeliveryState, MessageKind, SenderVerdict, UserId};
use belofte_store::{self as store, Access, ImageChoices};

use super::mentions;
use super::{Appointment, Authentication, Author, Delivery, ImagesFor, Message, RecipientRole};
use crate::api::attachments::Attachment;
use crate::api::conversations::Mailbox;
use crate::api::names::{self, Names};
use crate::app::App;
use crate::http;

/// The names of users and programs that wrote some messages.
pub struct Authors {
    names: Names,
    programs: HashMap<ApiKeyId, String>,
    images: ImageChoices,
}

impl Authors {
    /// Fetches the names that `messages` need.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn fetch(app: &App, access: &Access, messages: &[store::Message]) -> http::Answer<Self> {
        let names = Names::fetch(app, access).await?;
        let programs = if messages.iter().any(|message| message.author_kind == AuthorKind::ApiKey) {
            names::programs(app, access).await?
        } else {
            HashMap::new()
        };
        // Only mails with something to show ask for it.
        let images = if messages.iter().any(|message| message.content.has_remote_images) {
            app.core.store.image_choices(access).await?
        } else {
            ImageChoices::default()
        };
        Ok(Self { names, programs, images })
    }

    /// `message` as it is shown.
    #[must_use]
    pub fn message(&self, message: store::Message) -> Message {
        let show_images_for = self.shown_without_asking(&message);
        let content = message.content;
        let own = content
            .quoted_from
            .map_or(content.text.as_str(), |at| content.text.get(..at).unwrap_or_default());
        let signature_from = (message.author_kind == AuthorKind::Contact)
            .then(|| belofte_mail::signature_from(own))
            .flatten()
            .map(|octets| belofte_mail::utf16_offset(&content.text, octets));
        let (name, address) = match message.author_kind {
            AuthorKind::Contact => (content.from.name, Some(content.from.address)),
            AuthorKind::User => (self.names.user_name(UserId(message.author)), None),
            AuthorKind::ApiKey => {
                (self.programs.get(&ApiKeyId(message.author)).cloned().unwrap_or_default(), None)
            }
        };
        let quoted_from = content.quoted_from.map(|octets| belofte_mail::utf16_offset(&content.text, octets));
        let note = message.kind == MessageKind::Note;
        Message {
            mentions: mentions::shown(&self.names, &content.text, &content.mentions),
            undo_until: note.then(|| (message.created_at + store::NOTE_TAKEN_BACK).into()),
            id: message.id,
            no: message.no,
            conversation_id: message.conversation,
            thread_id: message.thread,
            kind: message.kind,
            author: Author { kind: message.author_kind, id: Some(message.author), name, address },
            subject: Some(content.subject).filter(|subject| !subject.is_empty()),
            to: content.to.into_iter().map(Mailbox::from).collect(),
            cc: content.cc.into_iter().map(Mailbox::from).collect(),
            reply_to: content.reply_to.into_iter().map(Mailbox::from).collect(),
            quoted_from: quoted_from.map(|units| u32::try_from(units).unwrap_or(u32::MAX)),
            signature_from: signature_from.map(|units| u32::try_from(units).unwrap_or(u32::MAX)),
            text: content.text,
            html: content.html,
            has_remote_images: content.has_remote_images,
            attachments: message.attachments.into_iter().map(Attachment::from).collect(),
            sent_at: sent_at(message.kind, message.sent_at, &message.deliveries).map(Into::into),
            deliveries: message.deliveries.into_iter().map(Delivery::from).collect(),
            created_at: message.created_at.into(),
            source_available: message.source.is_some(),
            authentication: content.authentication.map(Authentication::from),
            sort: content.sort,
            cover: content.cover,
            invitation: content.invitation.map(|one| Appointment::from(*one)),
            show_images_for,
        }
    }

    /// For whom the images of `message` are shown without asking. Who only says to be somebody gets nothing of
    /// what was chosen for them.
    fn shown_without_asking(&self, message: &store::Message) -> Option<ImagesFor> {
        let content = &message.content;
        let disowned =
            content.authentication.as_ref().is_some_and(|all| all.verdict == SenderVerdict::Disowned);
        let may = message.author_kind == AuthorKind::Contact && content.has_remote_images && !disowned;
        self.images.shows(ContactId(message.author)).filter(|_| may).map(ImagesFor::from)
    }
}

/// When a message went: what came, when its sender says; what goes, when the last recipient had it.
fn sent_at(
    kind: MessageKind,
    written: Option<belofte_model::Timestamp>,
    deliveries: &[store::Delivery],
) -> Option<belofte_model::Timestamp> {
    match kind {
        MessageKind::Incoming | MessageKind::Automatic => written,
        MessageKind::Note => None,
        MessageKind::Reply => {
            let all = deliveries.iter().all(|delivery| delivery.state == DeliveryState::Sent);
            deliveries.iter().map(|delivery| delivery.updated_at).max().filter(|_| all)
        }
    }
}

impl From<store::Delivery> for Delivery {
    fn from(delivery: store::Delivery) -> Self {
        Self {
            id: delivery.id,
            recipient: delivery.recipient.into(),
            role: match delivery.role {
                store::RecipientRole::To => RecipientRole::To,
                store::RecipientRole::Cc => RecipientRole::Cc,
                store::RecipientRole::Bcc => RecipientRole::Bcc,
            },
            state: delivery.state,
            attempts: delivery.attempts,
            next_try_at: delivery.next_try_at.map(Into::into),
            code: delivery.code,
            remote_reply: delivery.reply,
            updated_at: delivery.updated_at.into(),
            complained_at: delivery.complained_at.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use belofte_model::{DeliveryId, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn delivery(state: DeliveryState, at: i64) -> store::Delivery {
        store::Delivery {
            id: DeliveryId(Uuid::from_u128(7)),
            recipient: store::Correspondent::default(),
            role: store::RecipientRole::To,
            state,
            attempts: 1,
            next_try_at: None,
            code: None,
            reply: None,
            created_at: Timestamp::from_secs(1),
            updated_at: Timestamp::from_secs(at),
            complained_at: None,
        }
    }

    #[test]
    fn a_reply_is_sent_when_its_last_recipient_has_it() {
        let queued_at = Some(Timestamp::from_secs(1));
        let both = [delivery(DeliveryState::Sent, 20), delivery(DeliveryState::Sent, 10)];
        assert_eq!(sent_at(MessageKind::Reply, queued_at, &both), Some(Timestamp::from_secs(20)));
        let one = [delivery(DeliveryState::Sent, 20), delivery(DeliveryState::Queued, 10)];
        assert_eq!(sent_at(MessageKind::Reply, queued_at, &one), None);
        assert_eq!(sent_at(MessageKind::Incoming, queued_at, &[]), queued_at);
        assert_eq!(sent_at(MessageKind::Note, queued_at, &[]), None);
    }
}
