// SPDX-License-Identifier: EUPL-1.2
//! Sends what waits in the outbox.

use belofte_core::{Core, Parcel};
use belofte_mail::{Mailbox, OutgoingAttachment, OutgoingKind, OutgoingMail, ReplyAddress, compose};
use belofte_model::{DeliveryState, EmailAddress, LineSecurity, RetrySchedule};
use belofte_store::{AccountForDelivery, ClaimedJob, Correspondent, Outcome, StoreError};

use super::submission::{Credentials, DeliveryCode, Outcome as Sent, Security, Submission, SubmissionServer};

/// Sends the message of `job` to those recipients that are due; a failure of the store puts the
/// job back.
pub async fn deliver(core: &Core, submission: &Submission, job: &ClaimedJob) {
    if let Err(error) = try_deliver(core, submission, job).await {
        belofte_core::retry_later(core, job, &error).await;
    }
}

async fn try_deliver(core: &Core, submission: &Submission, job: &ClaimedJob) -> Result<(), StoreError> {
    let Some((access, parcel)) = belofte_core::parcel(core, job).await? else { return Ok(()) };
    // An address that was stored and cannot be read any more fails alone.
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut due = Vec::new();
    for recipient in &parcel.recipients {
        match EmailAddress::parse(&recipient.to.address) {
            Ok(address) => due.push((recipient, address)),
            Err(_) => outcomes.push(failed(recipient.id, DeliveryCode::UnknownRecipient.as_str(), None)),
        }
    }
    belofte_core::begin(core, &access, job, &parcel).await?;
    let from = parcel.account.account.address.clone();
    match server(&parcel.account) {
        Some(server) => {
            let bytes = composed(core, &parcel, &from);
            let addresses: Vec<EmailAddress> = due.iter().map(|(_, address)| address.clone()).collect();
            let results = submission.send(&server, &from, &addresses, &parcel.envelope_id, &bytes).await;
            let now = access.clock().now();
            // One for all recipients, so that they are tried together again.
            let [jitter] = core.random().bytes();
            for ((recipient, _), result) in due.iter().zip(results) {
                outcomes.push(match result {
                    Sent::Sent { reply } => Outcome {
                        id: recipient.id,
                        state: DeliveryState::Sent,
                        next_try_at: None,
                        code: None,
                        reply: Some(reply.text()),
                    },
                    Sent::Failed { code, reply } => {
                        failed(recipient.id, code.as_str(), reply.map(|r| r.text()))
                    }
                    Sent::Unknown { code } => Outcome {
                        id: recipient.id,
                        state: DeliveryState::Unknown,
                        next_try_at: None,
                        code: Some(code.as_str()),
                        reply: None,
                    },
                    Sent::Retry { code, reply } => {
                        let attempts = recipient.attempts + 1;
                        let next = RetrySchedule::default().next(recipient.queued_at, now, attempts, jitter);
                        let reply = reply.map(|reply| reply.text());
                        match next {
                            Some(at) => Outcome {
                                id: recipient.id,
                                state: DeliveryState::Queued,
                                next_try_at: Some(at),
                                code: Some(code.as_str()),
                                reply,
                            },
                            None => failed(recipient.id, DeliveryCode::GivenUp.as_str(), reply),
                        }
                    }
                });
            }
        }
        None => {
            let code = DeliveryCode::ConnectionFailed.as_str();
            outcomes.extend(due.iter().map(|(recipient, _)| failed(recipient.id, code, None)));
        }
    }
    belofte_core::record(core, &access, job, &parcel.message, outcomes).await
}

fn failed(id: belofte_model::DeliveryId, code: &'static str, reply: Option<String>) -> Outcome {
    Outcome { id, state: DeliveryState::Failed, next_try_at: None, code: Some(code), reply }
}

/// The server that sends for an account; `None` when its tenant has named none.
#[must_use]
pub fn server(account: &AccountForDelivery) -> Option<SubmissionServer> {
    let settings = account.account.submission.as_ref()?;
    let credentials = match (&settings.username, &account.password) {
        (Some(username), Some(password)) => {
            Some(Credentials { username: username.clone(), password: password.expose().clone() })
        }
        _ => None,
    };
    let security = match settings.security {
        LineSecurity::Tls => Security::Tls,
        LineSecurity::StartTls => Security::StartTls,
        LineSecurity::None => Security::None,
    };
    let (host, port, recorded) = (settings.host.clone(), settings.port, account.recorded);
    Some(SubmissionServer { host, recorded, port, security, credentials })
}

fn mailbox(person: &Correspondent) -> Option<Mailbox> {
    Some(Mailbox::new(&person.name, EmailAddress::parse(&person.address).ok()?))
}

fn composed(core: &Core, parcel: &Parcel, from: &EmailAddress) -> Vec<u8> {
    let content = parcel.content();
    let name = &parcel.account.account.from_name;
    let reply_to = parcel.reply_codes.iter().find_map(|(says, code)| {
        let address = ReplyAddress::new(says, code).ok()?.encode(from).ok()?;
        Some(Mailbox::new(name, address))
    });
    let message_id = content.message_id.clone().unwrap_or_else(|| {
        belofte_mail::message_id(&parcel.message.id.uuid().simple().to_string(), from.domain())
    });
    // The seed is the message's id: trying again sends the same bytes.
    let boundary_seed = *parcel.message.id.uuid().as_bytes();
    let mail = OutgoingMail {
        message_id,
        date: parcel.message.sent_at.unwrap_or_else(|| core.clock().now()),
        from: Mailbox::new(name, from.clone()),
        reply_to,
        to: content.to.iter().filter_map(mailbox).collect(),
        cc: content.cc.iter().filter_map(mailbox).collect(),
        subject: content.subject.clone(),
        in_reply_to: content.references.last().cloned(),
        references: content.references.clone(),
        text: content.text.clone(),
        html: content.html.clone(),
        attachments: parcel
            .files
            .iter()
            .map(|file| OutgoingAttachment {
                name: file.name.clone(),
                media_type: file.media_type.clone(),
                content_id: file.content_id.clone(),
                bytes: file.bytes.clone(),
            })
            .collect(),
        kind: OutgoingKind::Human,
        boundary_seed,
    };
    compose(&mail)
}
