// SPDX-License-Identifier: EUPL-1.2
//! Which of our messages a delivery report (RFC 3464) or a complaint (RFC 5965) speaks of, and what it says of each
//! recipient.
//!
//! A report comes from anywhere, and anybody can write one. It is believed when it knows what only
//! those know through whose hands the message went: the name of its envelope, which we have signed,
//! or its identifier, which is random; and only of the recipients that the message has, in the
//! account that sent it.

use belofte_core::Core;
use belofte_mail::{Bounce, BounceAction, Complaint, FailedRecipient};
use belofte_model::{ChannelAccountId, EmailAddress, MessageId, MessageKind, Reported};
use belofte_store::{Access, Delivery, DeliveryReport, Message, ReportedDelivery, StoreError};
use uuid::Uuid;

use super::submission::DeliveryCode;

/// A message of ours that a report speaks of.
pub(super) struct Subject {
    /// Its Message-ID.
    pub(super) message_id: Option<String>,
    /// What changes; `None` when nothing does.
    pub(super) report: Option<DeliveryReport>,
}

/// What `bounce`, which came in on `account`, speaks of; `None` when it is no message of that account.
///
/// # Errors
/// [`StoreError::Busy`] when the report came before our own server's word; the store's errors.
pub(super) async fn subject(
    core: &Core,
    access: &Access,
    account: ChannelAccountId,
    bounce: &Bounce,
) -> Result<Option<Subject>, StoreError> {
    let names = (bounce.envelope_id.as_deref(), bounce.original_message_id.as_deref());
    let Some(message) = message(core, access, account, names).await? else { return Ok(None) };
    let mut reported: Vec<ReportedDelivery> = Vec::new();
    for recipient in &bounce.recipients {
        let of = |delivery: &&Delivery| {
            EmailAddress::parse(&delivery.recipient.address).is_ok_and(|address| recipient.is(&address))
        };
        for delivery in message.deliveries.iter().filter(of) {
            // Of two groups about one recipient the worse one counts, whichever comes first.
            let told = reported.iter().position(|told| told.id == delivery.id);
            let new = told_of(delivery, recipient);
            match told {
                Some(at) if new.reported == Reported::Failed => reported[at] = new,
                Some(_) => {}
                None => reported.push(new),
            }
        }
    }
    let report = DeliveryReport::prepare(&core.store, access, &message, &reported).await?;
    Ok(Some(Subject { message_id: message.content.message_id, report }))
}

/// What `complaint`, which came in on `account`, speaks of; `None` when it is no message of that account. Of a mail to
/// one recipient it is theirs, also when their provider does not name them.
///
/// # Errors
/// The store's errors.
pub(super) async fn complained(
    core: &Core,
    access: &Access,
    account: ChannelAccountId,
    complaint: &Complaint,
) -> Result<Option<Subject>, StoreError> {
    let names = (complaint.envelope_id.as_deref(), complaint.original_message_id.as_deref());
    let Some(message) = message(core, access, account, names).await? else { return Ok(None) };
    let named = |delivery: &&Delivery| {
        let known = EmailAddress::parse(&delivery.recipient.address).map(|address| address.normalised());
        known.is_ok_and(|known| complaint.recipients.iter().any(|told| told.normalised() == known))
    };
    let mut of: Vec<_> = message.deliveries.iter().filter(named).map(|delivery| delivery.id).collect();
    if let ([only], true) = (&message.deliveries[..], complaint.recipients.is_empty()) {
        of.push(only.id);
    }
    let report = DeliveryReport::of_complaint(&core.store, access, &message, &of);
    Ok(Some(Subject { message_id: message.content.message_id, report }))
}

fn told_of(delivery: &Delivery, recipient: &FailedRecipient) -> ReportedDelivery {
    let reply = if recipient.diagnostic.is_empty() { &recipient.status } else { &recipient.diagnostic };
    ReportedDelivery {
        id: delivery.id,
        reported: match recipient.action {
            BounceAction::Failed => Reported::Failed,
            BounceAction::Delayed => Reported::Delayed,
            BounceAction::Done => Reported::Delivered,
        },
        code: DeliveryCode::of_status(&recipient.status).as_str(),
        reply: reply.clone(),
    }
}

async fn message(
    core: &Core,
    access: &Access,
    account: ChannelAccountId,
    (envelope_id, named): (Option<&str>, Option<&str>),
) -> Result<Option<Message>, StoreError> {
    let keys = core.store.keys(access).await?;
    let enveloped = envelope_id.and_then(|name| belofte_core::enveloped(&keys, name));
    // Our identifiers begin with the message's own id.
    let identified = named
        .and_then(|name| name.split_once('@'))
        .and_then(|(id, _)| Uuid::try_parse(id).ok())
        .map(MessageId);
    for (id, by_name) in [(enveloped, false), (identified, true)] {
        let Some(id) = id else { continue };
        let message = match core.store.message(access, id).await {
            Ok(message) => message,
            Err(StoreError::NotFound | StoreError::KeyGone(_)) => continue,
            Err(error) => return Err(error),
        };
        let same = |known: &str| named.is_some_and(|named| named.eq_ignore_ascii_case(known));
        let ours = !by_name || message.content.message_id.as_deref().is_some_and(same);
        if ours && message.kind == MessageKind::Reply && message.account == Some(account) {
            return Ok(Some(message));
        }
    }
    Ok(None)
}
